"""What a saved model says of itself, and what rebuilds it: config.json."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meit.ecg.recording import LEADS
from meit.errors import ModelError
from meit.model import row_of
from meit.model.encoders.encoder import NORMALISED, EncoderConfig
from meit.model.fusion import FUSIONS
from meit.model.projector import PROJECTORS
from meit.model.prompt import INSTRUCTION, PROMPTS

CONFIG = "config.json"
FORMAT = 2


@dataclass(frozen=True)
class ModelConfig:
    """What rebuilds a model. finding_tokens: how many tokens carry the findings head's probabilities (0: none).

    missing_chest_leads: how many of them a recording may lack; they are masked. num_beams: how drafts are written.
    projector, prompt, fusion: rows of PROJECTORS, PROMPTS, FUSIONS. plan: the probability from which a finding is to be
    written; 0: the language model sees the probabilities themselves. sensitive: what the operating point of that name
    adds to the logits of abnormal findings; 0: the model has no such point. backbone_sha256, backbone_matrices_sha256: meit.model.language.loading's; the second is empty
    where the backbone was quantised while it was tuned. asks: the kinds of meit.reports.questions that the model was
    tuned on; empty where it knows no other than to write the report. normalised: what the encoder's normalisation did
    when it was trained. Raises ModelError for a name that is not known.
    """

    name: str
    version: str
    encoder: EncoderConfig
    hidden: int
    finding_tokens: int
    lora_rank: int
    lora_alpha: int
    backbone: str
    backbone_sha256: str
    backbone_matrices_sha256: str = ""
    instruction: str = INSTRUCTION
    projector: str = "placed"
    prompt: str = "paper"
    fusion: str = "concat"
    fusion_layers: str = "all"
    missing_chest_leads: int = 0
    num_beams: int = 1
    plan: float = 0.0
    sensitive: float = 0.0
    leads: tuple[str, ...] = LEADS
    asks: tuple[str, ...] = ()
    normalised: str = ""
    format: int = FORMAT

    def __post_init__(self) -> None:
        row_of(PROJECTORS, "projector", self.projector)
        row_of(PROMPTS, "prompt", self.prompt)
        row_of(FUSIONS, "fusion", self.fusion)
        object.__setattr__(self, "normalised", self.normalised or NORMALISED[self.encoder.normalisation])

    @property
    def n_tokens(self) -> int:
        return self.finding_tokens + self.encoder.n_tokens


def read_config(folder: Path) -> ModelConfig:
    """The configuration of a saved model. Raises ModelError where there is none, or none that this version can build."""
    path = folder / CONFIG
    try:
        raw = json.loads(path.read_text())
        if raw["format"] != FORMAT:
            raise ModelError(f"{folder} was made by another version of meit (format {raw['format']}, need {FORMAT})")
        encoder: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.pop("encoder").items()}
        raw |= {name: tuple(raw[name]) for name in ("leads", "asks") if name in raw}
        config = ModelConfig(encoder=EncoderConfig(**encoder), **raw)
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(
            f"{folder} holds no model ({CONFIG} is missing): give a folder that 'meit train' made"
        ) from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} cannot be understood: {error}") from None
    if config.leads != LEADS or config.normalised != NORMALISED[config.encoder.normalisation]:
        raise ModelError(
            f"{folder} was trained on another input ({config.normalised}): use the version of meit that made it, or "
            "train it anew"
        )
    return config
