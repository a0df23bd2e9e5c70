"""How readily an ECG is called abnormal: a choice of the reader's, made before the language model sees what is found.

A normal ECG called abnormal costs a minute; an abnormal one called normal may cost more. At the sensitive point all
abnormal findings are shown to the language model as more probable than they are, and a normal ECG as less.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from meit.reports.gravity import BENIGN

if TYPE_CHECKING:  # the command line reads the names at every start
    from torch import Tensor

BALANCED, SENSITIVE = OPERATING_POINTS = ("balanced", "sensitive")
_NORMAL = "NORM"


def leaning(logits: "Tensor", findings: Sequence[str], lean: float) -> "Tensor":
    """(..., F) logits -> the same, those of abnormal findings larger by `lean` and that of a normal ECG smaller; what a
    normal ECG may have too (meit.reports.gravity) stays as it is."""
    sides = [-1.0 if name == _NORMAL else 0.0 if name in BENIGN else 1.0 for name in findings]
    return logits + lean * logits.new_tensor(sides)
