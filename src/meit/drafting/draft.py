"""From a recording to the draft of its report."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import torch

from meit.drafting.confidence import Calibration, load_calibration
from meit.drafting.doubts import doubts, hidden_rhythm
from meit.drafting.grounding import CONTRADICTED, MEASURED, UNCHECKED, ground
from meit.drafting.writing import BATCH, write_reports
from meit.ecg.measure import measure
from meit.ecg.quality import UNUSABLE, Quality, inspect
from meit.ecg.recording import Recording, check_leads
from meit.ecg.signal.windowing import model_input
from meit.model.report_model import ReportModel
from meit.reports.gravity import beyond, critical_words

NO_REPORT = "No report was drafted: the recording is unusable."
REVIEW = "Draft for a clinician's review, not a diagnosis."
MARKS = {MEASURED: "+", CONTRADICTED: "!", UNCHECKED: "?"}
SHOWN = {  # of the measurements, in the text
    "heart_rate_bpm": "rate {:.0f}/min",
    "pr_ms": "PR {:.0f} ms",
    "qrs_ms": "QRS {:.0f} ms",
    "qt_ms": "QT {:.0f} ms",
    "qtc_ms": "QTc {:.0f} ms",
    "axis_deg": "axis {:.0f} degrees",
}
UNSURE = 0.5  # reliability below which a measurement is shown with a doubt


@dataclass(frozen=True)
class Draft:
    """One draft, in the shape of its JSON. statements: meit.drafting.grounding; measurements: meit.ecg.measure.

    model: name, version and sha256; never_names: the critical findings (meit.reports.gravity) that it has not learned.
    """

    recording: dict
    report: str
    warnings: list[str]
    model: dict
    quality: dict | None = None
    statements: list[dict] = field(default_factory=list)
    measurements: dict | None = None
    note: str = REVIEW

    def to_dict(self) -> dict:
        return asdict(self)

    @property
    def unusable(self) -> bool:
        """Whether the recording was: then there is no report, no statement and no measurement, only the reason."""
        return self.quality is not None and self.quality["verdict"] == UNUSABLE

    def to_text(self, closing: Sequence[str] = ()) -> str:
        """What a person reads: the recording, the draft line by line, what to look at, and what this is.

        closing: the last lines, where they say something else than that this is a draft to be reviewed.
        """
        about = self.recording
        who = [f"{about['age']:.0f} years" if about["age"] is not None else None, about["sex"], about["start"]]
        head = f"ECG {about['name']}" + "".join(f" | {part}" for part in who if part)
        if self.unusable and not self.report:
            return "\n".join([head, "", f"  {NO_REPORT}", "", "Why:", *(f"  - {warning}" for warning in self.warnings)])
        lines = [head, "", *(f"  {sentence}" for sentence in sentences(self.report))]
        if self.statements:
            lines += ["", "Findings (+ measured, ? unchecked, ! contradicted; confidence):"]
            lines += [f"  {finding_line(one)}" for one in self.statements]
        if measured := self.measured():
            lines += ["", f"Measured: {', '.join(measured)}"]
        if self.warnings:
            lines += ["", "Check:", *(f"  - {warning}" for warning in self.warnings)]
        return "\n".join([*lines, "", *(closing or [f"{REVIEW} {self.drafted_by()}", *self.limits()])])

    def drafted_by(self) -> str:
        return f"Model {self.model['name']} {self.model['version']} ({self.model['sha256'][:12]})."

    def limits(self) -> list[str]:
        """What a reader has to look for without the model."""
        never = ", ".join(critical_words(name) for name in self.model.get("never_names", ()))
        return [f"The model has not learned to name: {never}."] if never else []

    def measured(self) -> list[str]:
        """What SHOWN names and what was measured; what is not reliable says so."""
        found = self.measurements or {}
        sure = found.get("reliability", {})
        return [
            words.format(found[name]) + (" (unsure)" if sure.get(name, 1.0) < UNSURE else "")
            for name, words in SHOWN.items()
            if found.get(name) is not None
        ]


def finding_line(one: dict) -> str:
    """ "+ 96%  rate 48/min: sinus bradycardia", of a statement as in the JSON."""
    sure = "    " if one["confidence"] is None else f"{one['confidence']:4.0%}"
    return f"{MARKS[one['support']]} {sure}  {one['evidence'] or in_words(one)}"


def in_words(one: dict) -> str:
    """ "infarction (possible, inferior, old)": a statement's words are its finding's alone."""
    certainty = "" if one["certainty"] == "definite" else one["certainty"]
    more = [word for word in (certainty, one["territory"], one.get("age", "")) if word and word not in one["text"]]
    return one["text"] + (f" ({', '.join(more)})" if more else "")


def sentences(report: str) -> list[str]:
    """The report's statements, one by one."""
    parts = [part.strip() for part in report.replace(". ", ".\n").splitlines()]
    return [part for part in parts if part] or ["(no sentence)"]


@torch.inference_mode()
def draft_report(model: ReportModel, recording: Recording, num_beams: int | None = None, strict: bool = False) -> Draft:
    """Drafts the report of one recording; its first window, if it is longer than the model's."""
    return draft_reports(model, [recording], num_beams, strict=strict)[0]


@torch.inference_mode()
def draft_reports(
    model: ReportModel,
    recordings: Sequence[Recording],
    num_beams: int | None = None,
    batch: int = BATCH,
    strict: bool = False,
) -> list[Draft]:
    """Drafts the reports of recordings, `batch` at a time.

    num_beams: by default the model's own. strict: statements that the measurements contradict leave the report. Of an
    unusable recording there is no report, no statement and no measurement, only the reason. Raises RecordingError where
    leads are missing that the model needs.
    """
    for recording in recordings:
        check_leads(recording, model.spec.missing_chest_leads)
    config = model.spec.encoder
    inputs = [model_input(r.signal, r.rate, "mV", config.rate, config.seconds) for r in recordings]
    ecgs = torch.from_numpy(np.stack([ecgs[0] for ecgs, _ in inputs]))
    masks = torch.from_numpy(np.stack([masks[0] for _, masks in inputs]).astype(np.float32))
    probabilities, tokens, features = model.look(ecgs, masks)
    seen = zip(recordings, features, strict=True)
    qualities = [inspect(recording).also(*model.unfamiliar(one)) for recording, one in seen]
    usable = [place for place, quality in enumerate(qualities) if quality.verdict != UNUSABLE]
    written = write_reports(model, probabilities[usable], tokens[usable], batch, num_beams) if usable else []
    texts = dict(zip(usable, written, strict=True))
    drafts = []
    views = zip(recordings, qualities, inputs, probabilities.tolist(), strict=True)
    calibration = load_calibration(model.folder, model.sha256)
    for place, (recording, quality, (windows, window_masks), given) in enumerate(views):
        if place not in texts:
            drafts.append(_no_report(model, recording, quality))
            continue
        text = texts[place]
        measurements = measure(recording)
        sure = _confidences(calibration, dict(zip(config.findings, given, strict=True)))
        grounding = ground(text, measurements, recording.patient.sex, recording.patient.age, sure, strict)
        warnings = [
            *grounding.warnings,
            *doubts(grounding.report, config.findings, given),
            *hidden_rhythm(grounding.report, [one.reason for one in quality.reasons]),
            *quality.warnings(),
        ]
        if len(windows) > 1:
            warnings.append(
                f"the recording has {recording.seconds:.0f} s; the draft reads its first {config.seconds:.0f} s"
            )
        elif not window_masks[0].all() and "short" not in {one.reason for one in quality.reasons}:
            warnings.append(
                f"only {window_masks[0].mean() * config.seconds:.1f} s of {config.seconds:.0f} s are recorded"
            )
        if not text:
            warnings.append("the model wrote nothing for this recording")
        elif not grounding.report:
            warnings.append("nothing is left of the draft: the measurements contradict all of it")
        drafts.append(
            Draft(
                recording=about(recording),
                report=grounding.report,
                warnings=warnings,
                model=_drafted_by(model),
                quality=quality.to_dict(),
                statements=[one.to_dict() for one in grounding.statements],
                measurements=measurements.to_dict(),
            )
        )
    return drafts


def _no_report(model: ReportModel, recording: Recording, quality: Quality) -> Draft:
    return Draft(about(recording), "", quality.warnings(), _drafted_by(model), quality.to_dict(), note=NO_REPORT)


def _drafted_by(model: ReportModel) -> dict:
    about = {"name": model.spec.name, "version": model.spec.version, "sha256": model.sha256}
    # without a plan the language model may say what it has read of somewhere
    return {**about, "never_names": list(beyond(model.spec.encoder.findings))} if model.spec.plan else about


def _confidences(calibration: Calibration | None, encoder: dict[str, float]):
    """What gives statements their confidences."""
    if calibration is None:
        return lambda statements: [None] * len(statements)
    return lambda statements: calibration.confidences(statements, encoder)


def about(recording: Recording) -> dict:
    """A recording, as a draft names it."""
    return {
        "name": recording.name,
        "source": recording.source,
        "rate_hz": recording.rate,
        "seconds": round(recording.seconds, 3),
        "start": recording.start.isoformat(sep=" ") if recording.start else None,
        "age": recording.patient.age,
        "sex": recording.patient.sex,
        "derived_leads": list(recording.derived),
        "missing_leads": list(recording.missing),
    }
