"""What is measured on an ECG, by name and unit; each value with its own reliability, null rather than wrong."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

GLOBAL = {  # name -> what it is; the unit is in the name
    "heart_rate_bpm": "mean ventricular rate",
    "rr_sd_ms": "standard deviation of the RR intervals",
    "rr_irregularity": "median absolute difference of successive RR intervals, as a share of the median RR interval",
    "p_present": "1 where a P wave precedes the QRS complexes at a steady distance, else 0",
    "p_ms": "P duration, global onset to global offset",
    "pr_ms": "PR interval, global P onset to global QRS onset",
    "qrs_ms": "QRS duration, global onset to global offset",
    "qt_ms": "QT interval, global QRS onset to global T offset",
    "qtc_ms": "QT corrected for the rate, Fridericia",
    "qtc_bazett_ms": "QT corrected for the rate, Bazett",
    "axis_deg": "frontal QRS axis, -180 to 180",
    "p_axis_deg": "frontal P axis",
    "t_axis_deg": "frontal T axis",
    "sokolow_lyon_mv": "S in V1 + the larger R of V5 and V6",
    "cornell_mv": "R in aVL + S in V3",
    "limb_qrs_mv": "largest peak-to-peak QRS amplitude among the limb leads",
    "chest_qrs_mv": "largest peak-to-peak QRS amplitude among the chest leads",
    "premature_supraventricular": "number of premature narrow beats like the others",
    "premature_ventricular": "number of premature beats of another shape and wider",
    "longest_rr_ms": "the longest RR interval",
    "paced_beats": "share of the beats that a pacing spike precedes",
    "spikes_without_capture": "number of ventricular pacing spikes that no QRS complex follows",
    "atrial_rate_bpm": "rate of the P or flutter waves, measured apart from the QRS complexes",
    "p_per_qrs": "P waves per QRS complex where they keep a fixed relation: 1, 2 or 3",
    "av_dissociation": "1 where P waves run at a rate of their own, without a fixed relation to the QRS complexes, else 0",
    "flutter_rate_bpm": "rate of regular atrial waves at 200 to 400/min, seen between the QRS complexes",
}
BY_LEAD = {  # amplitudes from the level of the QRS onset, of the median beat
    "q_mv": "depth of a Q wave (0 or negative)",
    "q_ms": "its duration (0 where there is none)",
    "r_mv": "the largest R wave (0 or positive)",
    "s_mv": "the deepest S wave, QS included (0 or negative)",
    "st_mv": "ST level at the J point",
    "st60_mv": "ST level 60 ms after the J point",
    "t_mv": "T amplitude, signed",
}


@dataclass(frozen=True)
class Measure:
    """value: None where the signal does not bear it; why says so. reliability: 0 (none) to 1."""

    value: float | None
    reliability: float
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Measure":
        return cls(**given)


ABSENT = Measure(None, 0.0, "not measured")


@dataclass(frozen=True)
class Measurements:
    """By name, of GLOBAL; and by lead and name, of BY_LEAD. What is not there reads as ABSENT."""

    values: Mapping[str, Measure] = field(default_factory=dict)
    leads: Mapping[str, Mapping[str, Measure]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Measure:
        if name not in GLOBAL:
            raise KeyError(name)
        return self.values.get(name, ABSENT)

    def lead(self, lead: str, name: str) -> Measure:
        if name not in BY_LEAD:
            raise KeyError(name)
        return self.leads.get(lead, {}).get(name, ABSENT)

    def to_dict(self) -> dict[str, Any]:
        """As a draft's JSON has it: each global value under its name, reliabilities and reasons beside them; the values
        of the leads below, and likewise theirs."""
        every = {name: self[name] for name in GLOBAL}
        return {
            **{name: measure.value for name, measure in every.items()},
            "reliability": _reliabilities(every),
            "why_absent": {name: measure.why for name, measure in every.items() if measure.value is None},
            "leads": {lead: {name: measure.value for name, measure in row.items()} for lead, row in self.leads.items()},
            "leads_reliability": {lead: _reliabilities(row) for lead, row in self.leads.items()},
            "leads_why_absent": {
                lead: {name: measure.why for name, measure in row.items() if measure.why}
                for lead, row in self.leads.items()
            },
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Measurements":
        """What to_dict gave; reliabilities of the leads' values are 0 where it does not say them."""

        def measure(
            name: str, values: Mapping[str, Any], reliability: Mapping[str, float], why: Mapping[str, str]
        ) -> Measure:
            return Measure(values[name], reliability.get(name, 0.0), why.get(name, ""))

        sure, why = given.get("leads_reliability", {}), given.get("leads_why_absent", {})
        return cls(
            {name: measure(name, given, given["reliability"], given["why_absent"]) for name in GLOBAL if name in given},
            {
                lead: {name: measure(name, row, sure.get(lead, {}), why.get(lead, {})) for name in row}
                for lead, row in given["leads"].items()
            },
        )

    def to_record(self) -> dict[str, Any]:
        """JSON-ready, with all that is known, to be kept."""
        return {
            "values": {name: measure.to_dict() for name, measure in self.values.items()},
            "leads": {lead: {name: one.to_dict() for name, one in row.items()} for lead, row in self.leads.items()},
        }

    @classmethod
    def from_record(cls, given: Mapping[str, Any]) -> "Measurements":
        """What to_record gave."""
        return cls(
            {name: Measure.from_dict(one) for name, one in given["values"].items()},
            {lead: {name: Measure.from_dict(one) for name, one in row.items()} for lead, row in given["leads"].items()},
        )


def _reliabilities(row: Mapping[str, Measure]) -> dict[str, float]:
    return {name: one.reliability for name, one in row.items() if one.value is not None or one.reliability}
