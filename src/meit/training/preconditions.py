"""What a run needs besides its recipe, looked at before its first second of training: data, backbone, processes."""

import importlib.util
from pathlib import Path

from meit.data.shards import read_manifest
from meit.data.splits import SPLITS
from meit.errors import DataError, ModelError
from meit.model.fusion.base import chosen_layers
from meit.model.language import loading
from meit.model.language.architectures import architecture_of
from meit.model.prompt import answer_ids, prompt_ids
from meit.training.recipe import Recipe


def check(recipe: Recipe, processes: int = 1) -> None:
    """Raises ModelError or DataError, in one line, for what would end the run later. processes: that share the work."""
    _check_data(recipe)
    _check_machine(recipe, processes)
    _check_backbone(recipe)


def _check_data(recipe: Recipe) -> None:
    if not recipe.data:
        raise ModelError("the recipe names no data: add data=FOLDER, a folder that 'meit prepare' made")
    counts = [read_manifest(Path(folder))["recordings_by_fold"] for folder in recipe.data]
    needed = ("train", "validation") if recipe.evaluate_every else ("train",)
    for split in needed:
        if not sum(count.get(str(fold), 0) for count in counts for fold in SPLITS[split]):
            raise DataError(
                f"no recording of folds {list(SPLITS[split])} in {', '.join(recipe.data)}, which the {split} split needs"
            )


def _check_machine(recipe: Recipe, processes: int) -> None:
    parts = processes * recipe.accumulate
    if recipe.batch_size % parts:
        raise ModelError(f"batch_size {recipe.batch_size} cannot be divided among {parts} (processes x accumulate)")
    if recipe.projector == "paper" and recipe.batch_size // parts * recipe.encoder_tokens < 2:
        raise ModelError(
            "projector 'paper' normalises over the batch, and one recording is none: raise batch_size, or lower "
            "accumulate or the number of processes"
        )
    if recipe.engine.startswith("zero") and importlib.util.find_spec("deepspeed") is None:
        raise ModelError(f"engine {recipe.engine!r} needs DeepSpeed: pip install 'meit[cluster]'")
    if recipe.folder.exists() and not recipe.folder.is_dir():
        raise ModelError(f"{recipe.folder} is a file: name a folder with out=...")


def _check_backbone(recipe: Recipe) -> None:
    """It can be had, it is of an architecture that is known, and it takes this prompt and this choice of layers."""
    loading.weight_options(recipe.weights)
    place, config, tokenizer = loading.locate_parts(recipe.backbone)
    if Path(place).is_dir() and not any(path.suffix in (".safetensors", ".bin") for path in Path(place).iterdir()):
        raise ModelError(f"backbone {recipe.backbone!r} has no weights: {place} holds no .safetensors or .bin file")
    row = architecture_of(config)
    layers = config.num_hidden_layers
    if row.encoder_decoder:
        layers = getattr(config, "num_decoder_layers", None) or config.decoder_layers
    chosen_layers(recipe.fusion_layers, layers)
    hidden, heads = config.hidden_size, config.num_attention_heads
    if recipe.projector == "paper" and hidden % heads:
        raise ModelError(f"projector 'paper' repeats a vector over the heads, but {heads} do not divide {hidden}")
    prompt_ids(tokenizer, style=recipe.prompt)
    answer_ids(tokenizer, "", recipe.max_answer_tokens)
