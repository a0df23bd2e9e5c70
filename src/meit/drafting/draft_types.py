"""The draft of a report: what a model wrote of a recording, with what was found in the signal and what is to be checked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from meit.drafting.checks.grounding import Grounded
from meit.drafting.draft_wording import NO_REPORT, REVIEW, finding_line, measured_words, sentences
from meit.ecg.measure import Measurements
from meit.ecg.quality import UNUSABLE, Quality
from meit.ecg.recording import Recording
from meit.ecg.stated import age_words
from meit.model.operating_points import BALANCED
from meit.reports.gravity import beyond, critical_words

if TYPE_CHECKING:  # a draft can be read where no model is loaded
    from meit.model.report_model import ReportModel


@dataclass(frozen=True)
class RecordingInfo:
    """A recording, as a draft names it. start: by the recorder's clock. age: in years."""

    name: str
    source: str
    rate_hz: float
    seconds: float
    start: datetime | None
    age: float | None
    sex: str | None
    derived_leads: tuple[str, ...]
    missing_leads: tuple[str, ...]

    @classmethod
    def of(cls, recording: Recording) -> "RecordingInfo":
        return cls(
            name=recording.name,
            source=recording.source,
            rate_hz=recording.rate,
            seconds=round(recording.seconds, 3),
            start=recording.start,
            age=recording.patient.age,
            sex=recording.patient.sex,
            derived_leads=tuple(recording.derived),
            missing_leads=tuple(recording.missing),
        )

    def to_dict(self) -> dict[str, Any]:
        start = self.start.isoformat(sep=" ") if self.start else None
        leads = {"derived_leads": list(self.derived_leads), "missing_leads": list(self.missing_leads)}
        return asdict(self) | {"start": start} | leads

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "RecordingInfo":
        start = datetime.fromisoformat(given["start"]) if given["start"] else None
        leads = {name: tuple(given[name]) for name in ("derived_leads", "missing_leads")}
        return cls(**{**given, "start": start, **leads})


@dataclass(frozen=True)
class ModelInfo:
    """The model that drafted. never_names: the critical findings (meit.reports.gravity) that it has not learned; None
    where it may say what its language model has read of somewhere."""

    name: str
    version: str
    sha256: str
    never_names: tuple[str, ...] | None = None
    operating_point: str = BALANCED

    @classmethod
    def of(cls, model: "ReportModel") -> "ModelInfo":
        spec = model.spec
        never = beyond(spec.encoder.findings) if spec.plan else None
        return cls(spec.name, spec.version, model.sha256, never, model.operating_point)

    @property
    def words(self) -> str:
        """Name, version, the beginning of its sum, and the operating point where that is not the usual one."""
        point = "" if self.operating_point == BALANCED else f", {self.operating_point} operating point"
        return f"{self.name} {self.version} ({self.sha256[:12]}{point})"

    def to_dict(self) -> dict[str, Any]:
        named: dict[str, Any] = {"name": self.name, "version": self.version, "sha256": self.sha256}
        if self.never_names is not None:
            named |= {"never_names": list(self.never_names)}
        return named if self.operating_point == BALANCED else named | {"operating_point": self.operating_point}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "ModelInfo":
        never = given.get("never_names")
        never = None if never is None else tuple(never)
        return cls(given["name"], given["version"], given["sha256"], never, given.get("operating_point", BALANCED))


@dataclass(frozen=True)
class Draft:
    """One draft.

    report: "" where none was drafted. model: None where a person wrote and no model drafted. quality: None where it is
    not known. measurements: None of an unusable recording, which has no report and no statement either, only the reason.
    """

    recording: RecordingInfo
    report: str
    statements: tuple[Grounded, ...]
    warnings: tuple[str, ...]
    model: ModelInfo | None
    quality: Quality | None = None
    measurements: Measurements | None = None
    note: str = REVIEW

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` is its inverse."""
        return {
            "recording": self.recording.to_dict(),
            "report": self.report,
            "warnings": list(self.warnings),
            "model": self.model.to_dict() if self.model is not None else {},
            "quality": self.quality.to_dict() if self.quality is not None else None,
            "statements": [grounded.to_dict() for grounded in self.statements],
            "measurements": self.measurements.to_dict() if self.measurements is not None else None,
            "note": self.note,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Draft":
        quality, measurements = given["quality"], given["measurements"]
        return cls(
            recording=RecordingInfo.from_dict(given["recording"]),
            report=given["report"],
            statements=tuple(map(Grounded.from_dict, given["statements"])),
            warnings=tuple(given["warnings"]),
            model=ModelInfo.from_dict(given["model"]) if given["model"] else None,
            quality=None if quality is None else Quality.from_dict(quality),
            measurements=None if measurements is None else Measurements.from_dict(measurements),
            note=given["note"],
        )

    @property
    def unusable(self) -> bool:
        """Whether the recording was: then there is no report, no statement and no measurement, only the reason."""
        return self.quality is not None and self.quality.verdict == UNUSABLE

    def to_text(self, closing: Sequence[str] = ()) -> str:
        """What a person reads: the recording, the draft line by line, what to look at, and what this is.

        closing: the last lines, where they say something else than that this is a draft to be reviewed.
        """
        info = self.recording
        start = info.start.isoformat(sep=" ") if info.start else None
        who = [age_words(info.age) if info.age is not None else None, info.sex, start]
        head = f"ECG {info.name}" + "".join(f" | {part}" for part in who if part)
        if self.unusable and not self.report:
            return "\n".join([head, "", f"  {NO_REPORT}", "", "Why:", *(f"  - {warning}" for warning in self.warnings)])
        lines = [head, "", *(f"  {sentence}" for sentence in sentences(self.report))]
        if self.statements:
            lines += ["", "Findings (+ measured, ? unchecked, ! contradicted; confidence):"]
            lines += [f"  {finding_line(grounded)}" for grounded in self.statements]
        if measured := self.measured():
            lines += ["", f"Measured: {', '.join(measured)}"]
        if self.warnings:
            lines += ["", "Check:", *(f"  - {warning}" for warning in self.warnings)]
        return "\n".join([*lines, "", *(closing or [f"{REVIEW} {self.drafted_by()}", *self.limits()])])

    def drafted_by(self) -> str:
        """ "" where no model drafted."""
        return f"Model {self.model.words}." if self.model else ""

    def limits(self) -> list[str]:
        """What a reader has to look for without the model."""
        never = ", ".join(map(critical_words, (self.model and self.model.never_names) or ()))
        return [f"The model has not learned to name: {never}."] if never else []

    def measured(self) -> list[str]:
        """What a reader is told of the measurements, in words."""
        return measured_words(self.measurements)
