"""From recordings to the drafts of their reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import overload

import numpy as np
import torch

from meit.drafting.answering import Answer, checked_question
from meit.drafting.calibration.confidence import load_calibration, load_validation
from meit.drafting.checks.draft_doubts import hidden_rhythm, partly_read, unlikely_normal
from meit.drafting.checks.grounding import Confidences, ground, no_confidences
from meit.drafting.checks.measured_findings import may_be_written
from meit.drafting.draft_types import Draft, ModelInfo, RecordingInfo
from meit.drafting.draft_wording import NO_REPORT
from meit.drafting.examine import Examined, InputForm, Prepared, prepare
from meit.drafting.report_writing import DRAFTED_AT_ONCE, READ_AHEAD, write_reports
from meit.ecg.measure import Measurements
from meit.ecg.quality import UNUSABLE, Quality
from meit.ecg.recording import Recording, check_leads
from meit.model.report_model import ReportModel

__all__ = ["Answer", "Draft", "ModelInfo", "RecordingInfo", "draft_report", "draft_reports"]


@overload
def draft_report(
    model: ReportModel,
    recording: Recording | Examined,
    num_beams: int | None = None,
    strict: bool = False,
    *,
    device: str | None = None,
    dtype: str | None = None,
    ask: None = None,
) -> Draft: ...
@overload
def draft_report(
    model: ReportModel,
    recording: Recording | Examined,
    num_beams: int | None = None,
    strict: bool = False,
    *,
    device: str | None = None,
    dtype: str | None = None,
    ask: str,
) -> Answer: ...
def draft_report(
    model: ReportModel,
    recording: Recording | Examined,
    num_beams: int | None = None,
    strict: bool = False,
    *,
    device: str | None = None,
    dtype: str | None = None,
    ask: str | None = None,
) -> Draft | Answer:
    """Drafts the report of one recording; its first window, if it is longer than the model's. As draft_reports.

    ask: a question, such as "Is there atrial fibrillation?"; what comes back then is its Answer, with the same checks.
    Raises MeitError for one that is empty or too long, ModelError where the model was tuned to answer none.
    """
    if ask is None:
        return draft_reports(model, [recording], num_beams, strict=strict, device=device, dtype=dtype)[0]
    question = checked_question(ask, model.spec)
    return Answer(
        question, _drafted(model, [recording], num_beams, DRAFTED_AT_ONCE, strict, device, dtype, question)[0]
    )


def draft_reports(
    model: ReportModel,
    recordings: Sequence[Recording | Examined | Prepared],
    num_beams: int | None = None,
    batch: int = DRAFTED_AT_ONCE,
    strict: bool = False,
    *,
    device: str | None = None,
    dtype: str | None = None,
) -> list[Draft]:
    """Drafts the reports of recordings, `batch` at a time.

    recordings: what was examined or prepared already is not measured again. num_beams: by default the model's own. strict:
    statements that the measurements contradict leave the report. Of an unusable recording there is no report, no
    statement and no measurement, only the reason. device, dtype: where the model moves first, and stays
    (ReportModel.move); by default it stays as it is. Raises RecordingError where leads are missing that the model needs,
    ModelError where it cannot be moved.
    """
    return _drafted(model, recordings, num_beams, batch, strict, device, dtype)


@torch.inference_mode()
def _drafted(
    model: ReportModel,
    recordings: Sequence[Recording | Examined | Prepared],
    num_beams: int | None,
    batch: int,
    strict: bool,
    device: str | None,
    dtype: str | None,
    instruction: str | None = None,
) -> list[Draft]:
    """instruction: what the model is asked; by default its own."""
    if device is not None or dtype is not None:
        model.move(device, dtype)
    for given in recordings:
        check_leads(given if isinstance(given, Recording) else given.recording, model.spec.missing_chest_leads)
    writer = _Writer(model, num_beams, batch, strict, instruction)
    ahead = batch * READ_AHEAD
    parts = [recordings[start : start + ahead] for start in range(0, len(recordings), ahead)]
    return [draft for part in parts for draft in writer.drafts(part)]


def input_form(model: ReportModel) -> InputForm:
    """What `prepare` is told for this model."""
    config = model.spec.encoder
    return InputForm(config.rate, config.seconds, config.normalisation, config.measures, config.measured_on)


@dataclass(frozen=True)
class _Seen:
    """What is known of a recording before its report is written; the signal itself is not kept.

    probabilities: by finding. windows: how many the recording fills. seen_s: seconds recorded of the first.
    """

    info: RecordingInfo
    quality: Quality
    measurements: Measurements
    probabilities: Mapping[str, float]
    windows: int
    seen_s: float


@dataclass(frozen=True)
class _Writer:
    model: ReportModel
    num_beams: int | None
    batch: int
    strict: bool
    instruction: str | None

    def drafts(self, recordings: Sequence[Recording | Examined | Prepared]) -> list[Draft]:
        """Looks at recordings batch by batch, then writes their reports, those of like length together."""
        seen: list[_Seen] = []
        probabilities, tokens = [], []
        for start in range(0, len(recordings), self.batch):
            part = recordings[start : start + self.batch]
            found, batch_probabilities, batch_tokens = self._look(part)
            seen += found
            probabilities.append(batch_probabilities)
            tokens.append(batch_tokens)
        usable = [place for place, each in enumerate(seen) if each.quality.verdict != UNUSABLE]
        if usable:
            given = torch.cat(probabilities)[usable], torch.cat(tokens)[usable]
            written = write_reports(self.model, *given, self.batch, self.num_beams, self.instruction)
        texts = dict(zip(usable, written if usable else (), strict=True))
        return [self._draft(each, texts.get(place)) for place, each in enumerate(seen)]

    def _look(
        self, recordings: Sequence[Recording | Examined | Prepared]
    ) -> tuple[list[_Seen], torch.Tensor, torch.Tensor]:
        """One batch: what is known of each, and the encoder's probabilities (B, F) and tokens (B, S, width)."""
        form = input_form(self.model)
        given = [one if isinstance(one, Prepared) else prepare(one, form) for one in recordings]
        inputs = (np.stack([getattr(one, name) for one in given]) for name in ("ecg", "mask", "measures"))
        probabilities, tokens, features = self.model.encode(*map(torch.from_numpy, inputs))
        seen = []
        for one, values, feature in zip(given, probabilities.tolist(), features, strict=True):
            examined = one.examined
            quality = examined.quality.also(*self.model.unfamiliar(feature))
            seen.append(
                _Seen(
                    RecordingInfo.of(examined.recording),
                    quality,
                    Measurements() if quality.verdict == UNUSABLE else examined.measurements,
                    dict(zip(self.model.spec.encoder.findings, values, strict=True)),
                    one.windows,
                    one.seen_s,
                )
            )
        return seen, probabilities, tokens

    def _draft(self, seen: _Seen, text: str | None) -> Draft:
        """text: None for an unusable recording."""
        info, quality, by = seen.info, seen.quality, ModelInfo.of(self.model)
        if text is None:
            return Draft(info, "", (), tuple(quality.warnings()), by, quality, note=NO_REPORT)
        reasons = [one.reason for one in quality.reasons]
        sure, write = self._confidences(seen), self.instruction is None and may_be_written(reasons)
        grounding = ground(text, seen.measurements, info.sex, info.age, sure, self.strict, write)
        warnings = [
            *grounding.warnings,
            *unlikely_normal(grounding.report, seen.probabilities),
            *hidden_rhythm(grounding.report, reasons),
            *quality.warnings(),
            *partly_read(info.seconds, seen.seen_s, self.model.spec.encoder.seconds, seen.windows, reasons),
        ]
        if not text:
            warnings.append("the model wrote nothing for this recording")
        elif grounding.removed and all(one.from_measurements for one in grounding.statements):
            warnings.append("nothing is left of the draft: the measurements contradict all of it")
        validation = load_validation(self.model.folder, self.model.sha256)
        statements = grounding.statements
        if validation is not None:
            statements = tuple(replace(one, worth=validation.words(one)) for one in statements)
        return Draft(info, grounding.report, statements, tuple(warnings), by, quality, seen.measurements)

    def _confidences(self, seen: _Seen) -> Confidences:
        """What gives statements their confidences: nothing does without a calibration, or without findings."""
        calibration = load_calibration(self.model.folder, self.model.sha256)
        if calibration is None or not seen.probabilities:
            return no_confidences
        return partial(calibration.confidences, encoder=seen.probabilities)
