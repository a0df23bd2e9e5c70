"""How sure a draft's statement is: the calibrated probability that a reference report asserts its code, and how often such
statements were right in a validation.

A logistic function of what the encoder gives the code, of the statement's support, and of an offset by code, fitted on
drafts of recordings that the model was not trained on (`meit calibrate`; docs/grounding.md). The language model's own
token probabilities are left out: beside the encoder's they added nothing on fold 9.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from meit.atomic import write_json
from meit.drafting.checks.grounding import SUPPORTS, UNCHECKED, Grounded

CALIBRATION_FILE, VALIDATION_FILE = "calibration.json", "validation.json"
_LEAST = 0.003  # probabilities nearer to 0 or 1 than this are taken for this far away
CONFIDENCE_FEATURES = ("constant", "encoder_logit", "encoder_has_no_output", *(s for s in SUPPORTS if s != UNCHECKED))


@dataclass(frozen=True)
class Calibration:
    """weights: of CONFIDENCE_FEATURES. codes: offset of each code that the fit has seen. model_sha256: of the model
    whose drafts and encoder it was fitted on. fitted_on: data, folds, statements, for the reader."""

    model_sha256: str
    weights: Mapping[str, float]
    codes: Mapping[str, float]
    fitted_on: Mapping[str, object] = field(default_factory=dict)

    def confidences(self, statements: Sequence[Grounded], encoder: Mapping[str, float]) -> list[float | None]:
        """encoder: its probability of each finding, by name ("axis:LAD" for an axis). None for what is excluded."""
        weights = np.array([self.weights[name] for name in CONFIDENCE_FEATURES])
        return [
            None
            if one.statement.negated
            else float(expit(confidence_features(one, encoder) @ weights + self.codes.get(one.statement.code, 0.0)))
            for one in statements
        ]

    def save(self, folder: Path) -> None:
        write_json(folder / CALIBRATION_FILE, asdict(self))


@dataclass(frozen=True)
class Validation:
    """How often statements of a model's drafts were right: ppv, code -> (right, stated), of those that were counted.
    source: the data's name. `meit evaluate --task statements` makes it; lying with the model, drafts say it."""

    model_sha256: str
    source: str
    ppv: Mapping[str, Sequence[int]]

    def words(self, one: Grounded) -> str:
        """ "PPV .81, 43 of 53 (PTB-XL)"; "" for what was not counted, or is excluded, or the measurements wrote."""
        right, stated = self.ppv.get(one.statement.code, (0, 0))
        if not stated or one.statement.negated or one.from_measurements:
            return ""
        return f"PPV {right / stated:.2f}, {right} of {stated} ({self.source})".replace("PPV 0.", "PPV .")

    def save(self, folder: Path) -> None:
        write_json(folder / VALIDATION_FILE, asdict(self))


def load_validation(folder: Path | None, model_sha256: str) -> Validation | None:
    """As load_calibration."""
    path = None if folder is None else folder / VALIDATION_FILE
    if path is None or not path.exists():
        return None
    validation = Validation(**_read(path, path.stat().st_mtime_ns))
    return validation if validation.model_sha256 == model_sha256 else None


def load_calibration(folder: Path | None, model_sha256: str) -> Calibration | None:
    """The calibration that lies with a model; None where there is none, or one of another model. A file is read once,
    and again when it was written anew."""
    path = None if folder is None else folder / CALIBRATION_FILE
    if path is None or not path.exists():
        return None
    calibration = Calibration(**_read(path, path.stat().st_mtime_ns))
    return calibration if calibration.model_sha256 == model_sha256 else None


@lru_cache(maxsize=16)
def _read(path: Path, written_ns: int) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def confidence_features(one: Grounded, encoder: Mapping[str, float]) -> np.ndarray:
    """Values of CONFIDENCE_FEATURES."""
    code = one.statement.code
    probability = encoder.get(code, encoder.get(f"axis:{code}"))
    known = probability is not None
    p = 0.5 if probability is None else min(max(probability, _LEAST), 1 - _LEAST)
    supports = [one.support == support for support in SUPPORTS if support != UNCHECKED]
    return np.array([1.0, np.log(p / (1 - p)), not known, *supports], float)
