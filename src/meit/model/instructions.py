"""The 256 instructions that tuning pairs with ECGs, as in the paper (Wan et al., MEIT, arXiv:2403.04945); ours to word.

The texts are `instructions.txt`, one a line; docs/instructions.md says how they were written. Evaluation and drafting
use one fixed instruction, `meit.model.prompt.INSTRUCTION`, which is among them.
"""

from functools import cache
from importlib.resources import files

import numpy as np


@cache
def instructions() -> tuple[str, ...]:
    """All 256, in the order of the file, by which `draw` counts."""
    return tuple(files("meit.model").joinpath("instructions.txt").read_text(encoding="utf-8").splitlines())


def draw(count: int, seed: int) -> np.ndarray:
    """(count,) indices into `instructions()`, uniform and independent; the same for the same seed."""
    return np.random.default_rng(seed).integers(len(instructions()), size=count)
