"""A recipe: what a training run does, as a short YAML file over these defaults; checked before anything runs.

What a recipe alone can tell is checked when it is made; what needs data or the backbone, by
meit.training.preconditions when a run begins.
"""

import math
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

from meit.ecg.signal.normalising import NORMALISATIONS
from meit.errors import ModelError
from meit.model.encoders.encoder import ENCODERS, FINDINGS, FRAMES
from meit.model.fusion import FUSIONS
from meit.model.language.backbones import DEFAULT
from meit.model.language.loading import WEIGHTS
from meit.model.projector import PROJECTORS
from meit.model.prompt import INSTRUCTION, PROMPTS, instructions
from meit.training.targets import TARGETS

ASKED = "asked"
INSTRUCTIONS: dict[str, Callable[[], Sequence[str]]] = {  # how the report is asked for
    "one": lambda: (INSTRUCTION,),
    "many": instructions,
    ASKED: instructions,  # and questions for less than it: meit.training.asked
}
ENGINES: dict[str, dict[str, Any]] = {  # several processes: what each holds
    "ddp": {},  # everything
    "fsdp": {"fsdp": True},  # its share of all weights (FSDP2)
    "zero2": {"zero_optimization": {"stage": 2}},  # its share of gradients and optimizer states (DeepSpeed)
    "zero3": {"zero_optimization": {"stage": 3, "stage3_gather_16bit_weights_on_model_save": True}},  # of weights too
}
SHARDED = ("fsdp", "zero3")


@dataclass(frozen=True)
class Recipe:
    """One training run, in four stages: encoder on findings, adapter on text alone, on ECGs, and on its drafts' rewards.

    batch_size is the whole one, over all processes and accumulated steps. Raises ModelError for a value of a wrong
    type, one that is out of range, and settings that exclude each other.
    """

    name: str = "meit"
    version: str = "1"
    out: str = ""  # the run's folder; by default runs/DATA/NAME-BACKBONE, see `folder`
    data: tuple[str, ...] = ()  # prepared folders; where two hold the same recording, the first one counts
    share: float = 1.0  # of the training patients; a smaller share lies within a larger one
    seed: int = 0

    encoder: str = "small"  # a row of ENCODERS: the shipped model's, or the paper's "resnet50"
    rate: float | None = None  # Hz of what the encoder takes; by default its own
    normalisation: str = "band"  # a row of NORMALISATIONS: the shipped model's, or the paper's "min-max"
    projector: str = "placed"  # a row of PROJECTORS
    backbone: str = DEFAULT  # a name of `meit models`, a Hugging Face id, or a folder
    weights: str = "float32"  # of the frozen backbone: float32, bfloat16, int8 or nf4 (QLoRA); see WEIGHTS
    fusion: str = "concat"  # or input, cross
    fusion_layers: str = "all"  # or "every 4", or "0,5,11"
    instructions: str = "one"  # or "many": each example draws one of the 256, as in the paper; "asked": questions too
    prompt: str = "paper"  # its template; "tagged": without line breaks; "chat": an instruction-tuned backbone's own
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
    measured: bool = False  # the findings take measurements (meit.ecg.measure) of the recording into account
    beats: bool = False  # and networks of the median beat, one beside each encoder
    tokens_of: str = "frames"  # of the encoder; "findings": what encoders find in each stretch that had not seen it

    text_steps: int = 0
    tune_epochs: float = 5.0
    tune_encoder: bool = False  # the paper tunes it along; few recordings would be learnt by heart
    hide_signal: float = 0.3  # share of the examples that must do with the finding tokens
    reward_steps: int = 0  # batches of recordings after these, whose sampled drafts are rewarded for their findings
    reward_samples: int = 4  # drafts of a recording; each is held against the others
    reward_rate: float = 1e-4  # learning rate of these batches, which falls to 0 as the one before them
    invented_price: float = (
        0.4  # of an invented finding, where a missed one costs 1; at F1 = f it is f / (2 - f) that raises F1
    )
    wording_weight: float = 1.0  # what a draft gains whose words are all the report's, so that it stays one
    batch_size: int = 16
    accumulate: int = 1  # steps that make up one batch
    learning_rate: float = 2e-5  # the paper's
    projector_rate: float = 5.0  # times that for the projector, which starts from nothing
    warmup: float = 0.03
    bf16: bool = True  # autocast, the paper's; float32 weights stay float32 where the machine would only emulate bf16
    checkpoint_gradients: bool = False
    engine: str = "ddp"  # what several processes under torchrun do: ddp, fsdp, zero2, zero3; see ENGINES
    checkpoint_every: int = 50
    evaluate_every: int = 0  # steps between validation losses (0: none); the best checkpoint is what is kept
    patience: int = 0  # validation losses without a better one that end the run (0: it goes to its end)

    def __post_init__(self) -> None:
        for key, kind in _types().items():
            object.__setattr__(self, key, _typed(key, getattr(self, key), kind))
        wrong = [text for key, interval in WITHIN.items() if (text := _outside(key, getattr(self, key), interval))]
        for key, known in CHOICES.items():
            if getattr(self, key) not in known:
                wrong.append(f"{key} {getattr(self, key)!r} is not known; known are {', '.join(known)}")
        if not wrong:  # else the settings cannot be held against each other
            wrong = [text for holds, text in TOGETHER if not holds(self)]
        if wrong:
            raise ModelError("; ".join(wrong))

    @property
    def folder(self) -> Path:
        """Where the run lies: `out`, or where that is not given, named after data, name and backbone."""
        if self.out:
            return Path(self.out)
        data = "+".join(Path(folder).name for folder in self.data) or "no-data"
        return Path("runs") / data / f"{self.name}-{Path(self.backbone).name}"


CHOICES: dict[str, Sequence[str]] = {
    "encoder": tuple(ENCODERS),
    "normalisation": tuple(NORMALISATIONS),
    "projector": tuple(PROJECTORS),
    "weights": WEIGHTS,
    "fusion": tuple(FUSIONS),
    "instructions": tuple(INSTRUCTIONS),
    "prompt": tuple(PROMPTS),
    "targets": tuple(TARGETS),
    "tokens_of": (FRAMES, FINDINGS),
    "engine": tuple(ENGINES),
}

WITHIN: dict[str, str] = {  # intervals; a round bracket leaves the end out
    "share": "(0, 1]",
    "seed": "[0, 4000000000]",  # numpy's and torch's generators both take it
    "rate": "[100, 2000]",
    "encoder_tokens": "[1, inf)",
    "finding_tokens": "[0, inf)",
    "missing_chest_leads": "[0, 6]",
    "num_beams": "[1, inf)",
    "lora_rank": "[1, inf)",
    "lora_alpha": "[1, inf)",
    "lora_dropout": "[0, 1)",
    "max_answer_tokens": "[2, inf)",  # a word and the end of the text
    "pretrain_epochs": "[0, inf)",
    "pretrain_learning_rate": "(0, inf)",
    "pretrain_batch_size": "[1, inf)",
    "cross_fits": "[2, 8]",  # parts of the eight training folds; each is left out once
    "text_steps": "[0, inf)",
    "tune_epochs": "[0, inf)",
    "hide_signal": "[0, 1]",
    "reward_steps": "[0, inf)",
    "reward_samples": "[2, inf)",
    "reward_rate": "(0, inf)",
    "invented_price": "[0, inf)",
    "wording_weight": "[0, inf)",
    "batch_size": "[1, inf)",
    "accumulate": "[1, inf)",
    "learning_rate": "(0, inf)",
    "projector_rate": "(0, inf)",
    "warmup": "[0, 1]",
    "checkpoint_every": "[1, inf)",
    "evaluate_every": "[0, inf)",
    "patience": "[0, inf)",
}


TOGETHER: tuple[tuple[Callable[[Recipe], bool], str], ...] = (  # what must hold, and what is said where it does not
    (lambda r: bool(r.name.strip()) and bool(r.backbone.strip()), "name and backbone cannot be empty"),
    (lambda r: r.projector != "paper" or r.finding_tokens == 0, "projector 'paper' needs finding_tokens=0"),
    (
        lambda r: r.projector != "named" or r.finding_tokens > 0,
        "projector 'named' needs finding_tokens: how many of the most probable findings have a token each",
    ),
    (lambda r: r.batch_size % r.accumulate == 0, "batch_size cannot be divided by accumulate"),
    (lambda r: r.tune_epochs > 0 or r.text_steps > 0, "nothing to tune on: raise tune_epochs or text_steps"),
    (
        lambda r: r.reward_steps == 0 or (r.pretrain_epochs > 0 and not r.tune_encoder),
        "reward_steps need an encoder that was trained before them, and held out: set pretrain_epochs, and "
        "tune_encoder=false, or reward_steps=0",
    ),
    (lambda r: r.reward_steps == 0 or r.engine == "ddp", "reward_steps write drafts, which needs engine=ddp"),
    (
        lambda r: r.reward_steps == 0 or r.evaluate_every == 0,
        "evaluate_every keeps the checkpoint of the lowest loss, which reward_steps raise: set one of them to 0",
    ),
    (
        lambda r: r.finding_tokens == 0 or r.pretrain_epochs > 0,
        "finding_tokens need an encoder that was trained to find: set pretrain_epochs, or finding_tokens=0",
    ),
    (
        lambda r: r.tune_encoder or r.pretrain_epochs > 0,
        "the encoder is neither pre-trained nor tuned along: set pretrain_epochs, or tune_encoder=true",
    ),
    (
        lambda r: r.hide_signal == 0 or r.finding_tokens > 0,
        "hide_signal needs finding_tokens, which are all that is left of the ECG then: set hide_signal=0",
    ),
    (lambda r: r.text_steps == 0 or r.finding_tokens > 0, "text_steps need finding_tokens, which stand for the ECG"),
    (
        lambda r: not (r.measured or r.bagged or r.plan) or (r.pretrain_epochs > 0 and not r.tune_encoder),
        "measured, bagged and plan need a pre-trained encoder that is not tuned along: set tune_encoder=false and "
        "pretrain_epochs, or these to false",
    ),
    (lambda r: not r.beats or r.measured, "beats needs measured=true: the median beat is measured"),
    (
        lambda r: r.tokens_of == FRAMES or (r.pretrain_epochs > 0 and not r.tune_encoder),
        "tokens_of 'findings' needs a pre-trained encoder that is not tuned along: set pretrain_epochs and "
        "tune_encoder=false",
    ),
    (lambda r: not r.plan or r.finding_tokens > 0, "plan needs finding_tokens, which carry it"),
    (lambda r: r.fusion != "input" or r.fusion_layers == "all", "fusion 'input' has no choice of fusion_layers"),
    (lambda r: r.patience == 0 or r.evaluate_every > 0, "patience needs evaluate_every: it counts validation losses"),
)


def load_recipe(path: Path | str, overrides: Sequence[str] = ()) -> Recipe:
    """A YAML file and `key=value` overrides -> a Recipe. `base: FILE` in it names a recipe that it changes.

    Raises ModelError, in one line, for a file that is no recipe, an unknown key, and whatever Recipe refuses.
    """
    path = Path(path)
    values = _read(path, ())
    kinds = _types()
    for override in overrides:
        key, sign, text = override.partition("=")
        if not sign:
            raise ModelError(f"{override!r} is not of the form key=value")
        values[key] = text if kinds.get(key) is str else _yaml(text, override)
    unknown = sorted(set(values) - set(kinds))
    if unknown:
        raise ModelError(f"recipe {path}: unknown {', '.join(unknown)}; known are {', '.join(sorted(kinds))}")
    try:
        return Recipe(**values)
    except ModelError as error:
        raise ModelError(f"recipe {path}: {error}") from None


def _read(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """The entries of a recipe, over those of its base. above: the recipes whose base this is."""
    if path.resolve() in above:
        raise ModelError(f"recipe {path} is its own base: remove one 'base:' line")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ModelError(f"recipe {path} does not exist; recipes/ holds examples") from None
    except OSError as error:
        raise ModelError(f"recipe {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ModelError(f"recipe {path} is no text file: give a YAML file, as those in recipes/") from None
    values = {} if (read := _yaml(text, f"recipe {path}")) is None else read
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ModelError(f"recipe {path} must hold lines of the form 'key: value'")
    base = values.pop("base", None)
    if base is None:
        return values
    if not isinstance(base, str):
        raise ModelError(f"recipe {path}: base must name a file, not {base!r}")
    return _read(path.parent / base, (*above, path.resolve())) | values


def _yaml(text: str, source: str) -> Any:
    """Raises ModelError, which names the source."""
    import yaml

    try:
        return yaml.load(text, _loader())
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ModelError(f"{source} is not valid YAML: {' '.join(str(error).split())}") from None


@cache
def _loader() -> type:
    """YAML of plain values, where 2e-5 is a number (YAML 1.2), and a key cannot stand twice."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict:
            mapping = super().construct_mapping(node, deep)
            if len(mapping) < len(node.value):
                raise yaml.constructor.ConstructorError(problem="a key stands twice", problem_mark=node.start_mark)
            return mapping

    number = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+0123456789"))
    return Loader


@cache
def _types() -> Mapping[str, Any]:
    hints = get_type_hints(Recipe)
    return {field.name: hints[field.name] for field in fields(Recipe)}


KINDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def _typed(key: str, value: Any, kind: Any) -> Any:
    """A value as the recipe holds it: whole numbers are numbers, and one path is a list of one. Else ModelError."""
    if isinstance(kind, types.UnionType):
        if value is None:
            return None
        kind = get_args(kind)[0]
    if kind not in KINDS:  # tuple[str, ...]
        paths = [value] if isinstance(value, str | Path) else value
        if isinstance(paths, list | tuple) and all(isinstance(path, str | Path) and str(path) for path in paths):
            return tuple(map(str, paths))
        raise ModelError(f"{key} must be a folder or a list of folders, not {value!r}")
    if kind is float and type(value) is int:
        return float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        quoted = f": write it in quotes, '{value}'" if kind is str and type(value) in (int, float) else ""
        raise ModelError(f"{key} must be {KINDS[kind]}, not {value!r}{quoted}")
    if kind is float and not math.isfinite(value):
        raise ModelError(f"{key} must be a finite number, not {value!r}")
    return value


def _outside(key: str, value: float | None, interval: str) -> str:
    """What is wrong with a value that an interval such as "(0, 1]" does not hold; nothing where it does, or there is none."""
    if value is None:
        return ""
    low, high = (float(end) for end in interval[1:-1].split(","))
    above = value >= low if interval[0] == "[" else value > low
    below = value <= high if interval[-1] == "]" else value < high
    return "" if above and below else f"{key} must be in {interval}, not {value!r}"
