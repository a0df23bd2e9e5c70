"""A recipe: what a training run does, as a short YAML file over these defaults."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

from meit.errors import ModelError
from meit.model.backbones import DEFAULT


@dataclass(frozen=True)
class Recipe:
    """One training run, in three stages: encoder on codes, adapter on text alone, adapter on ECGs.

    batch_size is the whole one, over all processes and accumulated steps.
    """

    name: str = "meit"
    version: str = "1"
    out: str = "runs/meit"
    data: tuple[str, ...] = ()  # prepared folders; where two hold the same recording, the first one counts
    share: float = 1.0  # of the training patients; a smaller share lies within a larger one
    seed: int = 0

    backbone: str = DEFAULT  # a name of `meit models`, a Hugging Face id, or a folder
    weights: str = "float32"  # of the frozen backbone: float32, bfloat16, int8 or nf4 (QLoRA); see WEIGHTS
    fusion: str = "concat"  # or input, cross
    fusion_layers: str = "all"  # or "every 4", or "0,5,11"
    instructions: str = "one"  # or "many": each example draws one of the 256, as in the paper
    prompt: str = "paper"  # its template, or "chat": the one that an instruction-tuned backbone knows
    encoder_tokens: int = 1  # the paper's S
    finding_tokens: int = 4
    plan: bool = False  # they say which findings to write, instead of how probable each is
    missing_chest_leads: int = 0  # how many a recording may lack (the encoder learns with some left out)
    num_beams: int = 1  # how the finished model writes: greedily, or by beam search
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.05
    max_answer_tokens: int = 96

    pretrain_epochs: int = 20  # 0: the encoder starts untrained, as the paper's
    pretrain_learning_rate: float = 3e-3
    pretrain_batch_size: int = 32
    cross_fits: int = 3
    bagged: bool = False  # the findings are those of the encoder and all cross-fitted ones together
    targets: str = "codes"  # what the encoder learns: the annotators' "codes", or "statements": what the report says
    measured: bool = False  # the findings take measurements (meit.ecg.measure) into account

    text_steps: int = 0
    tune_epochs: float = 5.0
    tune_encoder: bool = False  # the paper tunes it along; few recordings would be learnt by heart
    hide_signal: float = 0.3  # share of the examples that must do with the finding tokens
    batch_size: int = 16
    accumulate: int = 1  # steps that make up one batch
    learning_rate: float = 2e-5  # the paper's
    projector_rate: float = 5.0  # times that for the projector, which starts from nothing
    warmup: float = 0.03
    bf16: bool = (
        True  # autocast, the paper's; float32 weights are tuned in float32 where the machine would only emulate it
    )
    checkpoint_gradients: bool = False
    engine: str = "ddp"  # what several processes under torchrun do: ddp, fsdp, zero2, zero3; see ENGINES
    checkpoint_every: int = 50
    evaluate_every: int = 0  # steps between validation losses (0: none); the best checkpoint is what is kept
    patience: int = 0  # validation losses without a better one that end the run (0: it goes to its end)


def load_recipe(path: Path | str, overrides: list[str] = ()) -> Recipe:
    """A YAML file and `key=value` overrides -> a Recipe. `base: FILE` in it names a recipe that it changes.

    Raises ModelError for an unknown key or a wrong type.
    """
    import yaml

    values = _read(Path(path))
    for override in overrides:
        key, sign, value = override.partition("=")
        if not sign:
            raise ModelError(f"{override!r} is not of the form key=value")
        values[key] = yaml.safe_load(value)
    types = {field.name: field.type for field in fields(Recipe)}
    unknown = sorted(set(values) - set(types))
    if unknown:
        raise ModelError(f"recipe {path}: unknown {', '.join(unknown)}; known are {', '.join(sorted(types))}")
    for key, value in values.items():
        kind = type(getattr(Recipe(), key))
        try:
            values[key] = tuple(value) if kind is tuple else kind(value)
        except (TypeError, ValueError):
            raise ModelError(f"recipe {path}: {key} must be a {kind.__name__}, found {value!r}") from None
    return replace(Recipe(), **values)


def _read(path: Path) -> dict:
    """The entries of a recipe, over those of its base."""
    import yaml

    try:
        values = yaml.safe_load(path.read_text()) or {}
    except FileNotFoundError:
        raise ModelError(f"recipe {path} does not exist; recipes/ holds examples") from None
    except yaml.YAMLError as error:
        raise ModelError(f"recipe {path} is not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise ModelError(f"recipe {path} must hold lines of the form 'key: value'")
    base = values.pop("base", None)
    return values if base is None else _read(path.parent / base) | values
