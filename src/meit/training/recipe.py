"""A recipe: what a training run does, as a short YAML file over these defaults."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

from meit.errors import ModelError
from meit.model.backbones import DEFAULT


@dataclass(frozen=True)
class Recipe:
    """One training run, in three stages: encoder on codes, adapter on text alone, adapter on ECGs."""

    name: str = "meit"
    out: str = "runs/meit"
    data: tuple[str, ...] = ()  # prepared folders; where two hold the same recording, the first one counts
    backbone: str = DEFAULT
    seed: int = 0
    encoder_tokens: int = 1  # the paper's S
    finding_tokens: int = 4
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.05
    max_answer_tokens: int = 96
    batch_size: int = 16
    bf16: bool = True  # autocast, the paper's; quick where the processor has bf16 instructions, slow elsewhere
    learning_rate: float = 2e-5  # the paper's
    warmup: float = 0.03
    hide_signal: float = 0.3  # share of the examples that must do with the finding tokens
    pretrain_epochs: int = 20
    pretrain_learning_rate: float = 3e-3
    pretrain_batch_size: int = 32
    cross_fits: int = 3
    text_steps: int = 0
    tune_epochs: float = 5
    checkpoint_every: int = 50


def load_recipe(path: Path | str, overrides: list[str] = ()) -> Recipe:
    """A YAML file and `key=value` overrides -> a Recipe. Raises ModelError for an unknown key or a wrong type."""
    import yaml

    try:
        values = yaml.safe_load(Path(path).read_text()) or {}
    except FileNotFoundError:
        raise ModelError(f"recipe {path} does not exist; recipes/ holds examples") from None
    except yaml.YAMLError as error:
        raise ModelError(f"recipe {path} is not valid YAML: {error}") from None
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
