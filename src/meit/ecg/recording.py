"""One 12-lead ECG in memory: millivolts, leads by name in one fixed order, and what was derived or is missing."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from meit.ecg.stated import Cart, Patient, plain_id
from meit.errors import RecordingError

LIMB_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF")
CHEST_LEADS = ("V1", "V2", "V3", "V4", "V5", "V6")
LEADS = LIMB_LEADS + CHEST_LEADS

MIN_SECONDS = 5.0  # the least that shows a rhythm: two beats even at 30 per minute
MIN_RATE, MAX_RATE = 50.0, 20_000.0  # Hz; outside of it a header is wrong, or the QRS complex is lost

_SPELLINGS = {lead.lower(): lead for lead in LEADS}
_SPELLINGS |= {f"c{n}": f"V{n}" for n in range(1, 7)}  # IEC names of the chest leads
_SPELLINGS |= {"di": "I", "dii": "II", "diii": "III"}  # Romance-language names of the limb leads
_LEAD_PREFIX = re.compile(r"^(mdc_ecg_lead_|(lead|ecg|ekg)[\s_:]*)")


@dataclass(frozen=True, eq=False)
class Recording:
    """A 12-lead ECG.

    signal: (n_samples, 12) mV, columns in the order of LEADS, NaN where nothing was recorded; any real numbers, kept as
    a float32 copy that cannot be written to, in which infinite values and those beyond float32 are NaN too.
    rate: samples a second. derived: leads computed from others. source: the file it was read from. patient, cart: what
    the file states of them.
    missing: leads that are NaN throughout; follows from the signal.

    Raises RecordingError where the shape, the numbers or the rate cannot be those of a 12-lead ECG.
    """

    name: str
    signal: np.ndarray = field(repr=False)
    rate: float
    start: datetime | None = None
    patient: Patient = field(default_factory=Patient)
    derived: tuple[str, ...] = ()
    source: str = ""
    cart: Cart = field(default_factory=Cart, repr=False)
    missing: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        label = self.source or self.name
        signal = _checked_signal(label, self.signal)
        if not (isinstance(self.rate, int | float | np.number) and MIN_RATE <= self.rate <= MAX_RATE):
            raise RecordingError(
                f"{label}: a sampling rate of {_hertz(self.rate)} Hz; a 12-lead ECG has {MIN_RATE:g} to {MAX_RATE:g} Hz, "
                "so check the file's header"
            )
        unknown = set(self.derived) - set(LEADS)
        if unknown:
            raise RecordingError(f"{label}: not among the 12 leads: {', '.join(sorted(unknown))}")
        recorded = np.isfinite(signal).any(axis=0)
        missing = tuple(lead for lead, there in zip(LEADS, recorded, strict=True) if not there)
        object.__setattr__(self, "signal", signal)
        object.__setattr__(self, "rate", float(self.rate))
        object.__setattr__(self, "missing", missing)
        object.__setattr__(self, "derived", tuple(lead for lead in self.derived if lead not in missing))

    @property
    def seconds(self) -> float:
        return len(self.signal) / self.rate

    def lead(self, name: str) -> np.ndarray:
        """(n_samples,) mV of one lead, by any spelling of its name; RecordingError for a name that is no lead."""
        lead = canonical_lead(name)
        if lead is None:
            raise RecordingError(f"{name!r} is not one of the 12 leads ({', '.join(LEADS)})")
        return self.signal[:, LEADS.index(lead)]


def _checked_signal(label: str, given: object) -> np.ndarray:
    """(n_samples, 12) float32 that cannot be written to, NaN where `given` has no finite millivolts."""
    signal = np.asarray(given)
    if signal.ndim != 2 or signal.shape[1] != len(LEADS) or signal.dtype.kind not in "fiu":
        turned = signal.ndim == 2 and signal.shape[0] == len(LEADS)
        raise RecordingError(
            f"{label}: the signal must be real numbers of shape (n_samples, {len(LEADS)}), not {signal.dtype} of shape "
            f"{signal.shape}" + ("; give it turned (signal.T)" if turned else "")
        )
    if (
        signal.dtype == np.float32
        and signal.flags.owndata
        and not signal.flags.writeable
        and not np.isinf(signal).any()
    ):
        return signal  # of another Recording: nobody can write to it
    with np.errstate(over="ignore"):
        signal = np.array(signal, dtype=np.float32, order="C")
    signal[np.isinf(signal)] = np.nan
    signal.flags.writeable = False
    return signal


def _hertz(rate: object) -> str:
    return f"{rate:g}" if isinstance(rate, int | float | np.number) else repr(rate)[:20]


def canonical_lead(name: str) -> str | None:
    """The lead that a file's spelling means ("AVR", "lead ii", "ECG_V1", "C3"), or None if it is none of the 12.

    Only true equivalents count: a modified lead ("MLII"), an inverted one ("-aVR") or a Frank lead is None.
    """
    spelling = name.strip().lower()
    return _SPELLINGS.get(_LEAD_PREFIX.sub("", spelling))


def assemble(
    leads: Mapping[str, np.ndarray],
    rate: float,
    *,
    name: str,
    start: datetime | None = None,
    patient: Patient | None = None,
    cart: Cart | None = None,
    source: str = "",
    allow_missing: bool = False,
) -> Recording:
    """Orders leads given by name, each (n_samples,) mV, derives the limb leads that are absent, and names the rest.

    Names may have any known spelling; those that are none of the 12 leads are left out. A lead without one finite
    sample counts as absent. With allow_missing an absent lead is NaN and listed in `missing`.

    Raises RecordingError for: no known lead, a lead given twice, leads of unequal length, no finite sample at all,
    and, unless allow_missing, absent leads, which it names.
    """
    label = source or name
    known: dict[str, np.ndarray] = {}
    for spelling, values in leads.items():
        lead = canonical_lead(spelling)
        if lead is None:
            continue
        if lead in known:
            raise RecordingError(f"{label}: lead {lead} occurs twice; keep one of them")
        with np.errstate(over="ignore"):  # a value beyond float32 is no millivolts: not recorded
            finite = np.isfinite(np.asarray(values).astype(np.float32))
        known[lead] = np.where(finite, values, np.nan)
    if not known:
        raise RecordingError(f"{label}: none of the 12 leads among {printable(', '.join(leads)) or 'no signals'}")
    if len({len(values) for values in known.values()}) > 1:
        raise RecordingError(f"{label}: the leads differ in length")

    recorded = {lead: values for lead, values in known.items() if np.isfinite(values).any()}
    if not recorded:
        raise RecordingError(f"{label}: holds no recorded sample (all are empty or NaN)")
    every = recorded | _derived_limb_leads(recorded)
    missing = tuple(lead for lead in LEADS if lead not in every)
    if missing and not allow_missing:
        raise _missing(label, missing, recorded)

    n_samples = len(next(iter(every.values())))
    signal = np.full((n_samples, len(LEADS)), np.nan, dtype=np.float32)
    with np.errstate(over="ignore"):
        for column, lead in enumerate(LEADS):
            if lead in every:
                signal[:, column] = every[lead]
    return Recording(
        name=name,
        signal=signal,
        rate=float(rate),
        start=start,
        patient=_with_plain_id(patient or Patient()),
        derived=tuple(lead for lead in LEADS if lead in every and lead not in recorded),
        source=source,
        cart=cart or Cart(),
    )


def _with_plain_id(patient: Patient) -> Patient:
    return patient if patient.id is None else replace(patient, id=plain_id(patient.id) or None)


def printable(text: str) -> str:
    """What a file says, fit for one line of an error message."""
    return "".join(character if character.isprintable() else "?" for character in " ".join(text[:200].split()))


def check_usable(recording: Recording, min_seconds: float = MIN_SECONDS) -> None:
    """Raises RecordingError where less than min_seconds are recorded; gaps do not count as recorded."""
    recorded = np.isfinite(recording.signal).sum(axis=0).max(initial=0) / recording.rate
    if recorded < min_seconds:
        label = recording.source or recording.name
        raise RecordingError(
            f"{label}: only {recorded:.3g} s recorded; at least {min_seconds:g} s are needed (10 s is usual)"
        )


def check_leads(recording: Recording, missing_chest_leads: int) -> None:
    """Raises RecordingError where a limb lead is missing, or more chest leads than a model can do without."""
    limb = [lead for lead in recording.missing if lead in LIMB_LEADS]
    if limb or len(recording.missing) > missing_chest_leads:
        raise _missing(recording.source or recording.name, recording.missing, set(LEADS) - set(recording.missing))


def _missing(label: str, missing: Sequence[str], recorded: Collection[str]) -> RecordingError:
    return RecordingError(
        f"{label}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing "
        f"(recorded: {', '.join(lead for lead in LEADS if lead in recorded)}); a 12-lead ECG is needed, "
        "of which only limb leads can be derived, from two of I, II and III"
    )


def _derived_limb_leads(recorded: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The limb leads absent from `recorded` that follow from two of I, II, III (Einthoven: I + III = II)."""
    one, two, three = (recorded.get(lead) for lead in ("I", "II", "III"))
    if one is None and two is not None and three is not None:
        one = two - three
    elif two is None and one is not None and three is not None:
        two = one + three
    if one is None or two is None:
        return {}
    with np.errstate(over="ignore"):
        limb = {
            "I": one,
            "II": two,
            "III": two - one,
            "aVR": -(one + two) / 2,
            "aVL": one - two / 2,
            "aVF": two - one / 2,
        }
    return {lead: values for lead, values in limb.items() if lead not in recorded}
