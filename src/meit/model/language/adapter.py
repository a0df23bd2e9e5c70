"""The adapter: LoRA (Hu et al., 2021) on all linear layers of the frozen backbone, merged into it for drafting."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from meit.model.language.quantise import LowRank

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel


def lora_backbone(backbone: "PreTrainedModel", rank: int, alpha: int, dropout: float) -> "PeftModel":
    """The frozen backbone wrapped with LoRA on all its linear layers."""
    from peft import LoraConfig, get_peft_model

    task = "SEQ_2_SEQ_LM" if backbone.config.is_encoder_decoder else "CAUSAL_LM"
    lora = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules="all-linear", task_type=task)
    return get_peft_model(backbone, lora)


def low_rank(adapter: Mapping[str, Tensor], rank: int, alpha: float) -> dict[str, LowRank]:
    """An adapter's file -> A and alpha / rank * B of each layer, by the layer's path in the backbone."""
    return {
        key.removeprefix("base_model.model.").removesuffix(".lora_A.weight"): (
            adapter[key].float(),
            adapter[key.replace("lora_A", "lora_B")].float() * (alpha / rank),
        )
        for key in adapter
        if key.endswith("lora_A.weight")
    }


def merge_adapter(backbone: nn.Module, adapter: Mapping[str, LowRank]) -> None:
    """W + alpha / rank * B A, as peft's merge does, one layer after the other, in place and where it lies.

    By hand, since importing peft costs seconds at every start.
    """
    from transformers.pytorch_utils import Conv1D

    for path, (down, up) in adapter.items():
        module: Any = backbone.get_submodule(path)
        place = module.weight.device
        change = up.to(place) @ down.to(place)
        module.weight.data += change.T if isinstance(module, Conv1D) else change  # GPT-2's are stored the other way
