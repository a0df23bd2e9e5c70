"""The four axes of expert rating (medical terminology, logical consistency, completeness, diagnostic accuracy).

The axes are those of the MEIT paper's expert evaluation; the wording of `rubric.yaml` is ours. Raters and judging
language models work from the same wording.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LOWEST, HIGHEST = 1, 5


@dataclass(frozen=True)
class Axis:
    key: str
    name: str
    question: str
    anchors: dict[int, str]


@dataclass(frozen=True)
class Rubric:
    """version: the first 12 digits of the SHA-256 of rubric.yaml."""

    version: str
    for_raters: str
    for_judge: str
    axes: tuple[Axis, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(axis.key for axis in self.axes)


@cache
def rubric() -> Rubric:
    import yaml

    content = files("meit.benchmark.raters").joinpath("rubric.yaml").read_bytes()
    fields = yaml.safe_load(content)
    axes = tuple(Axis(**axis) for axis in fields.pop("axes"))
    return Rubric(hashlib.sha256(content).hexdigest()[:12], axes=axes, **fields)
