"""The untuned model that a recipe describes, around a language model that is there already."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from meit.model.configuration import ModelConfig
from meit.model.encoders.encoder import EncoderConfig
from meit.model.language.adapter import lora_backbone
from meit.model.language.architectures import input_embeddings
from meit.model.projector import NamedProjector
from meit.model.report_model import ReportModel
from meit.reports.questions import KINDS
from meit.reports.statements import codes, report_words
from meit.training.recipe import ASKED, SHARDED, Recipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def untuned(
    recipe: Recipe,
    reads: EncoderConfig,
    backbone: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    *,
    plan: float = 0.0,
    fingerprints: tuple[str, str] = ("", ""),
) -> ReportModel:
    """The backbone frozen and wrapped with LoRA, an untrained encoder and projector; on the meta device too.

    plan, fingerprints: what the model's configuration shall say of its threshold, and of backbone and matrices.
    """
    if recipe.tune_encoder and not recipe.finding_tokens:  # nothing keeps its findings true while it is tuned along
        reads = replace(reads, findings=())
    config = ModelConfig(
        name=recipe.name,
        version=recipe.version,
        encoder=reads,
        hidden=backbone.config.hidden_size,
        finding_tokens=recipe.finding_tokens,
        lora_rank=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        backbone=recipe.backbone,
        backbone_sha256=fingerprints[0],
        backbone_matrices_sha256=fingerprints[1],
        fusion=recipe.fusion,
        fusion_layers=recipe.fusion_layers,
        projector=recipe.projector,
        prompt=recipe.prompt,
        plan=plan,
        missing_chest_leads=recipe.missing_chest_leads,
        num_beams=recipe.num_beams,
        asks=tuple(KINDS) if recipe.instructions == ASKED else (),
    )
    lora = lora_backbone(backbone, recipe.lora_rank, recipe.lora_alpha, recipe.lora_dropout)
    model = ReportModel(config, lora, tokenizer)
    if isinstance(model.projector, NamedProjector):
        model.projector.name(word_vectors(reads.findings, backbone, tokenizer))
    model.ensemble.requires_grad_(recipe.tune_encoder)
    if recipe.checkpoint_gradients:
        model.checkpoint_gradients()
    if recipe.engine in SHARDED:
        model.fusion.without_cache()  # a layer's weights are there only during that layer's own call
    return model


@torch.no_grad()
def word_vectors(
    findings: Sequence[str], backbone: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase"
) -> torch.Tensor:
    """(F, hidden): of each finding the mean of the backbone's vectors for its words in reports."""
    words = input_embeddings(backbone)
    rows = []
    for finding in findings:
        code = finding.removeprefix("axis:")
        text = report_words(code) if code in codes() else code
        rows.append(words[tokenizer(text, add_special_tokens=False)["input_ids"]].float().mean(0))
    return torch.stack(rows)
