"""What can be wrong with a recording, in the order of gravity: how far it can still be read, and in which words."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

GOOD, LIMITED, UNUSABLE = VERDICTS = ("good", "limited", "unusable")

# what each reason leaves of a recording, and what it says. {leads}: "V1, V2 are"; {them}: those leads; {value}, {why}
REASONS = {
    "lead_order": (UNUSABLE, "limb leads do not add up ({why}"),
    "unit": (UNUSABLE, "{value:.3g} mV peak to peak in the middle lead: {why}"),
    "no_ecg": (UNUSABLE, "no ECG can be made out: {why}"),
    "too_few_leads": (UNUSABLE, "{value:.0f} of 12 leads show nothing: too little is left to read"),
    "no_second_limb_lead": (
        UNUSABLE,
        "fewer than two of I, II and III show anything: the frontal plane is not recorded",
    ),
    "too_short": (UNUSABLE, "only {value:.3g} s are recorded, too little to tell a rhythm"),
    "limb_laws": (LIMITED, "limb leads do not add up ({why}"),
    "arm_electrodes": (
        LIMITED,
        "the electrodes {why} look exchanged: the draft describes the leads as they are stored, so axis, infarction "
        "and rhythm statements may be wrong; check the cables and record again",
    ),
    "chest_electrodes": (
        LIMITED,
        "the electrodes {why} look exchanged: statements about R-wave progression, anterior infarction and T waves may "
        "be wrong; check the cables and record again",
    ),
    "unfamiliar": (
        LIMITED,
        "the model was not trained on recordings like this one (distance {value:.2f}, limit 1): its findings are less "
        "likely to be right",
    ),
    "noisy_beats": (
        LIMITED,
        "the beats hardly look alike ({value:.2f}, limit {why}): noise, or QRS complexes of many shapes",
    ),
    "restless": (
        LIMITED,
        "the leads swing unevenly, each by itself ({value:.2f} times the usual, limit {why}): movement or poor contact, "
        "in shapes like the ECG's own waves, which the model may take for findings",
    ),
    "missing": (LIMITED, "{leads} not recorded: nothing can be said about {them}"),
    "flat": (LIMITED, "{leads} flat (electrode off?): statements about {them} can't be trusted"),
    "saturated": (LIMITED, "{leads} cut off at the amplifier's limit: amplitudes in {them} can't be trusted"),
    "artefacts": (
        LIMITED,
        "{leads} disturbed by movement or poor contact (up to {value:.2g} mV), in shapes like the ECG's own waves: the "
        "model may take them for findings",
    ),
    "baseline_wander": (
        LIMITED,
        "{leads} wandering with the baseline (up to {value:.2g} mV): ST segments can't be judged there; the model's "
        "filter takes away most of it",
    ),
    "muscle_noise": (
        LIMITED,
        "{leads} covered by muscle noise (up to {value:.2g} mV RMS): P waves and notches may be hidden; the model sees "
        "what of it lies below 40 Hz",
    ),
    "mains_hum": (
        LIMITED,
        "{leads} covered by mains hum (up to {value:.2g} mV RMS): it hides small waves from the eye; the model's "
        "filter takes it away",
    ),
    "short": (LIMITED, "only {value:.3g} s are recorded: what is rare may be missed"),
    "long_gap": (LIMITED, "{leads} not recorded for {value:.3g} s of the recording"),
    "gap": (GOOD, "{leads} not recorded for {value:.3g} s of the recording"),
    "derived": (GOOD, "{leads} derived from other limb leads, not recorded"),
}


@dataclass(frozen=True)
class Reason:
    """reason: a key of REASONS. leads: those it is about; empty where it is about the whole recording. verdict: what it
    leaves of the recording, "good" for what is only to be known."""

    reason: str
    leads: tuple[str, ...]
    text: str
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; grave: whether it alone makes a recording unusable."""
        return asdict(self) | {"leads": list(self.leads), "grave": self.verdict == UNUSABLE}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Reason":
        """What to_dict gave, through JSON or not."""
        return cls(given["reason"], tuple(given["leads"]), given["text"], given["verdict"])


def because(reason: str, leads: tuple[str, ...] = (), value: float = 0.0, why: str = "") -> Reason:
    """A reason in its own words."""
    verdict, text = REASONS[reason]
    are = f"{', '.join(leads)} {'is' if len(leads) == 1 else 'are'}"
    them = "it" if len(leads) == 1 else "them"
    return Reason(reason, leads, text.format(leads=are, them=them, value=value, why=why), verdict)


@dataclass(frozen=True)
class Quality:
    """One verdict on a recording, with its reasons, the gravest first, and what they rest on.

    gaps: seconds not recorded, by lead, of leads that are otherwise there. limb_errors_mv: by how
    much each law of the limb leads is broken, of the laws whose leads were all recorded. broken_laws: those broken by
    more than noise; lead_causes: mistakes that explain them. amplitude_mv: peak to peak of the lead in the middle,
    of those that are not flat."""

    gaps: Mapping[str, float]
    flat: tuple[str, ...]
    saturated: tuple[str, ...]
    missing: tuple[str, ...]
    derived: tuple[str, ...]
    limb_errors_mv: Mapping[str, float]
    broken_laws: tuple[str, ...]
    lead_causes: tuple[str, ...]
    amplitude_mv: float
    reasons: tuple[Reason, ...] = ()

    @property
    def verdict(self) -> str:
        """ "good", "limited" (read it with the reasons in mind) or "unusable" (no findings are drafted)."""
        return max((one.verdict for one in self.reasons), key=VERDICTS.index, default=GOOD)

    def of(self, verdict: str) -> list[Reason]:
        """The reasons that alone would give this verdict."""
        return [one for one in self.reasons if one.verdict == verdict]

    def also(self, *reasons: Reason) -> "Quality":
        """With further reasons, the gravest first."""
        order = list(REASONS)
        return replace(self, reasons=tuple(sorted((*self.reasons, *reasons), key=lambda one: order.index(one.reason))))

    def warnings(self) -> list[str]:
        """One plain sentence for each reason, the gravest first; empty for a sound recording of 12 leads."""
        return [one.text for one in self.reasons]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the verdict and the warnings."""
        parts = {part.name: _plain(getattr(self, part.name)) for part in fields(self)}
        reasons = [one.to_dict() for one in self.reasons]
        return parts | {"verdict": self.verdict, "reasons": reasons, "warnings": self.warnings()}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Quality":
        """What to_dict gave, through JSON or not; verdict and warnings follow from the reasons."""
        parts = {part.name: given[part.name] for part in fields(cls) if part.name in given}
        parts = {name: tuple(value) if isinstance(value, list | tuple) else value for name, value in parts.items()}
        return cls(**parts | {"reasons": tuple(Reason.from_dict(one) for one in given["reasons"])})


def _plain(value: Any) -> Any:
    """Lists and dicts, as JSON has them."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
