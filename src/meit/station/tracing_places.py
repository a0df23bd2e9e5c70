"""Where on the tracing a statement is to be looked for: leads, and a stretch of time where there is one.

The evidence says what was measured ("QRS 146 ms, net QRS +0.57 mV in V1"), so it comes first; then the wall that the
statement names; then what its code is usually judged by. It is where to look, not a proof.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from meit.ecg.recording import LEADS
from meit.reports.statements import codes, leads_of

RHYTHM = ("II", "V1")
POSTERIOR = LEADS[6:9]  # seen from the front
GROUPS = {"limb leads": LEADS[:6], "chest leads": LEADS[6:], "extensive": LEADS}
SUPERCLASS_LEADS = {"CD": ("V1", "V6"), "HYP": ("V1", "V5", "aVL"), "MI": LEADS[6:], "STTC": LEADS[6:]}
EVIDENCE_INTERVALS = {  # a word of the evidence -> the interval of the median beat that it speaks of
    "PR": "pr_ms",
    "QRS": "qrs_ms",
    "QTc": "qt_ms",
    "QT": "qt_ms",
    "P": "p_ms",
}
_LEAD = re.compile(rf"(?<![A-Za-z])({'|'.join(sorted(LEADS, key=len, reverse=True))})(?![A-Za-z0-9])")
_INTERVAL = re.compile(r"(?<![A-Za-z])(PR|QRS|QTc|QT|P) [\d.]+ ms")
_RHYTHM = re.compile(r"\brate\b|\bRR\b|P waves|pacing spikes")
_VOLTAGES = {"SV1": "V1", "RV5": "V5", "V6": "V6", "RaVL": "aVL", "SV3": "V3"}


@dataclass(frozen=True)
class Place:
    """from_s and to_s: None for all of the leads."""

    leads: tuple[str, ...]
    from_s: float | None = None
    to_s: float | None = None

    def to_dict(self) -> dict:
        return {"leads": list(self.leads), "from": self.from_s, "to": self.to_s}


def places_of(code: str, territory: str, evidence: str, view: Mapping) -> list[Place]:
    """view: meit.station.viewer_document.document of the recording. At least one place; the whole rhythm strip for what
    says nothing of leads."""
    if "premature" in evidence and (found := list(_premature(view))):
        return found
    leads = _named(evidence) or _walls(territory) or _usual(code)
    interval = _INTERVAL.search(evidence)
    where = _named(evidence) or RHYTHM[:1]
    if interval and (stretch := _interval(EVIDENCE_INTERVALS[interval[1]], where[0], view)):
        return [Place(where, *stretch)]
    if "axis" in evidence and "P axis" not in evidence:
        return [Place(("I", "aVF"))]
    if _RHYTHM.search(evidence):
        return [Place(RHYTHM[:1])]
    return [Place(leads)]


def _named(evidence: str) -> tuple[str, ...]:
    found = (
        [_VOLTAGES[word] for word in _VOLTAGES if word in evidence] if "SV" in evidence or "RaVL" in evidence else []
    )
    place = evidence.rpartition(" in ")[2] if " in " in evidence else ""
    found += _LEAD.findall(place.split(":")[0])
    for span in re.findall(r"(V[1-6])-(V[1-6])", place):
        found += LEADS[LEADS.index(span[0]) : LEADS.index(span[1]) + 1]
    found += [lead for words, group in GROUPS.items() if f"in the {words}" in evidence for lead in group]
    return tuple(sorted(set(found), key=LEADS.index))


def _walls(territory: str) -> tuple[str, ...]:
    """ "anterolateral", "V3-V4; inferior", "II, III, aVF" -> leads."""
    found = {*leads_of(territory), *(POSTERIOR if "posterior" in territory else ()), *GROUPS.get(territory, ())}
    return tuple(sorted(found, key=LEADS.index))


def _usual(code: str) -> tuple[str, ...]:
    known = codes().get(code)
    if known is None or "rhythm" in known.kind:
        return RHYTHM
    if known.kind == "axis":
        return ("I", "aVF")
    return SUPERCLASS_LEADS.get(known.superclass, LEADS)


def _interval(name: str, lead: str, view: Mapping) -> tuple[float, float] | None:
    """Of a beat of the usual shape: the first one that a sheet of 3 x 4 shows in this lead, else the first whole one."""
    beat = view["median_beat"]
    found = beat.get("intervals", {}).get(name)
    if not found:
        return None
    start, end = (beat["marks"][found[edge]] for edge in ("from", "to"))
    usual = [one["at_s"] for one in view["beats"] if one["usual"]]
    whole = [at for at in usual if at + start >= 0 and at + end <= view["seconds"]]
    shown = LEADS.index(lead) // 3 * view["sheet_seconds"] / 4
    at = next((at for at in whole if at + start >= shown), whole[0] if whole else None)
    return None if at is None else (round(at + start, 3), round(at + end, 3))


def _premature(view: Mapping) -> Iterator[Place]:
    """Beats of another shape, or those that come early."""
    beats = view["beats"]
    times = [one["at_s"] for one in beats]
    gaps = [b - a for a, b in itertools.pairwise(times)]
    usual = sorted(gaps)[len(gaps) // 2] if gaps else 0
    early = [place + 1 for place, gap in enumerate(gaps) if gap < 0.85 * usual]
    odd = [place for place, one in enumerate(beats) if not one["usual"]]
    for place in sorted(set(odd or early))[:6]:
        yield Place(("II", "V1"), round(max(0.0, times[place] - 0.2), 3), round(times[place] + 0.4, 3))
