"""Recordings of prepared folders with their drafts, references and measurements: what statements are judged on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from meit.data.batches import EcgSet
from meit.data.shards import Example
from meit.drafting.calibration.confidence import load_calibration
from meit.drafting.checks.grounding import ground, no_confidences
from meit.drafting.checks.measured_findings import may_be_written
from meit.drafting.set_drafts import Written, write_drafts
from meit.ecg.measure import measure
from meit.ecg.measure.measurements import GLOBAL, Measurements
from meit.ecg.quality import inspect
from meit.ecg.recording import Recording
from meit.ecg.signal.normalising import normalise
from meit.model.encoders.encoding import recordings_for
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


def as_a_reader_gets(model: ReportModel, data: EcgSet, written: Written) -> list[str]:
    """The drafts of a set as a reader gets them, held against what is measured on each recording: with measured findings
    written in, and with hedges where the model is calibrated. Under torchrun each process a share, and all get all."""
    names = model.spec.encoder.findings
    calibration = load_calibration(model.folder, model.sha256) if names else None
    texts = []
    for index in share(len(data)):
        example = data.example(index)
        about, recording = example.report, prepared_recording(example)
        reasons = [one.reason for one in inspect(recording).reasons]
        encoder = dict(zip(names, written.probabilities[index].tolist(), strict=True))
        sure = no_confidences if calibration is None else partial(calibration.confidences, encoder=encoder)
        found, write = measure_prepared(example, recording), may_be_written(reasons)
        texts.append(ground(written.drafts[index], found, about.sex, about.age, sure, write=write).report)
    return gathered(texts)


def prepared_recording(example: Example) -> Recording:
    """A stored recording as it would be read of a file. A z-scored one, whose limb leads are given their ratio back by
    meit.ecg.signal.normalising, is given a typical size, so that no voltage of it may be believed."""
    signal = example.signal
    if example.unit != "mV":
        signal = np.where(np.isfinite(signal), TYPICAL_MV * normalise(signal, example.rate, example.unit), np.nan)
    return Recording(example.report.record_id, signal, example.rate)


def measure_prepared(example: Example, recording: Recording | None = None) -> Measurements:
    """Measurements of a stored recording; without what bears on voltages where it is z-scored: leads' amplitudes and all
    that is in mV. recording: as prepared_recording made it, where somebody has it."""
    found = measure(prepared_recording(example) if recording is None else recording)
    if example.unit == "mV":
        return found
    return Measurements({name: value for name, value in found.values.items() if name in WITHOUT_VOLTAGE})
