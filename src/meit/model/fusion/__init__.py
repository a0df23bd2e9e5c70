"""How the ECG reaches the language model: one small class a fusion, chosen by its name in the recipe."""

from meit.errors import ModelError
from meit.model.fusion.base import Fusion, Text
from meit.model.fusion.concat import ConcatFusion
from meit.model.fusion.cross import CrossFusion
from meit.model.fusion.input import InputFusion

FUSIONS: dict[str, type[Fusion]] = {"concat": ConcatFusion, "input": InputFusion, "cross": CrossFusion}

__all__ = ["FUSIONS", "Fusion", "Text", "build_fusion"]


def build_fusion(name: str, backbone, layers: str = "all") -> Fusion:
    """The fusion of that name, its hooks set on the backbone. layers: "all", "every N", or indices "0,5,11".

    Raises ModelError for a name or layers that there are not.
    """
    if name not in FUSIONS:
        raise ModelError(f"fusion {name!r} is not known; known are {', '.join(FUSIONS)}")
    return FUSIONS[name](backbone, layers)
