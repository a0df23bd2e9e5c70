"""Recordings of prepared folders with their drafts, references and measurements: what statements are judged on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from meit.data.shards import Example
from meit.drafting.set_drafts import write_drafts
from meit.ecg.measure import measure
from meit.ecg.measure.measurements import GLOBAL, Measurements
from meit.ecg.recording import Recording
from meit.ecg.signal.normalising import normalise
from meit.model.encoding import recordings_for
from meit.model.report_model import ReportModel
from meit.model.sharing import gathered, share

TYPICAL_MV = 0.2  # root mean square of limb leads; z-scored ones are brought to it, their millivolts being lost
WITHOUT_VOLTAGE = tuple(name for name in GLOBAL if not name.endswith("_mv"))


@dataclass(frozen=True)
class PreparedDraft:
    """A recording of a prepared folder. encoder: its probability of each finding, by name. unit: "mV" or "z"."""

    record_id: str
    patient_id: str
    reference: str
    sex: str | None
    age: float | None
    unit: str
    draft: str
    encoder: Mapping[str, float]
    measurements: Measurements


def draft_prepared(model: ReportModel, data: Sequence[Path], folds: Sequence[int]) -> list[PreparedDraft]:
    """Drafts and measures every recording of the folds; under torchrun each process a share, and all get all."""
    config = model.spec.encoder
    recordings = recordings_for(config, data, folds)
    written = write_drafts(model, recordings)
    findings = written.probabilities.tolist()
    return gathered(
        [
            _drafted(
                recordings.example(index),
                written.drafts[index],
                dict(zip(config.findings, findings[index], strict=True)),
            )
            for index in share(len(recordings))
        ]
    )


def _drafted(example: Example, draft: str, encoder: Mapping[str, float]) -> PreparedDraft:
    about = example.report
    return PreparedDraft(
        about.record_id,
        about.patient_id,
        about.text,
        about.sex,
        about.age,
        example.unit,
        draft,
        encoder,
        measure_prepared(example),
    )


def measure_prepared(example: Example) -> Measurements:
    """Measurements of a stored recording. Of a z-scored one, whose limb leads are given their ratio back by
    meit.ecg.signal.normalising, what bears on voltages is left out: leads' amplitudes and all that is in mV."""
    signal = example.signal
    if example.unit != "mV":
        signal = np.where(np.isfinite(signal), TYPICAL_MV * normalise(signal, example.rate, example.unit), np.nan)
    found = measure(Recording(example.report.record_id, signal, example.rate))
    if example.unit == "mV":
        return found
    return Measurements({name: value for name, value in found.values.items() if name in WITHOUT_VOLTAGE})
