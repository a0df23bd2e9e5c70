"""How the ECG reaches the language model: one small class a fusion, chosen by its name in the recipe."""

from meit.model import row_of
from meit.model.fusion.base import Fusion, Text
from meit.model.fusion.concat import ConcatFusion
from meit.model.fusion.cross import CrossFusion
from meit.model.fusion.input import InputFusion
from meit.model.language.architectures import LanguageModel

FUSIONS: dict[str, type[Fusion]] = {"concat": ConcatFusion, "input": InputFusion, "cross": CrossFusion}

__all__ = ["FUSIONS", "Fusion", "Text", "build_fusion"]


def build_fusion(name: str, backbone: LanguageModel, layers: str = "all") -> Fusion:
    """The fusion of that name, its hooks set on the backbone. layers: "all", "every N", or indices "0,5,11".

    Raises ModelError for a name or layers that there are not.
    """
    return row_of(FUSIONS, "fusion", name)(backbone, layers)
