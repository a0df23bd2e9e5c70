"""What the viewer reads of a recording: one JSON document, and the signal as samples, one block for each filter.

    document(examined)                name, patient, leads, layouts, filters, median beat, measurements
    samples(recording, band, mains)   12 leads one after the other, float32 little-endian mV, NaN where not recorded

The layouts stand here and not in the viewer, so that a printed sheet can follow the same table.
"""

import json

import numpy as np

from meit.drafting.examine import Examined
from meit.ecg import paper
from meit.ecg.measure import BY_LEAD, GLOBAL, Look, Measurements
from meit.ecg.recording import LEADS, Recording
from meit.ecg.signal.usable_leads import MS, RATE
from meit.station.viewer_filters import FILTER_BANDS, MAINS, choices, filtered, written

DOCUMENT_FORMAT = 1
DOCUMENT_HEAD = json.dumps({"format": DOCUMENT_FORMAT})[:-1] + ","  # how it begins, whole: 1 is no beginning of 10
MOST_SAMPLES = 300_000  # a lead: ten minutes at 500 Hz; the document says where more was recorded
SIGNAL = "signal?band={band}&mains={mains}"
LAYOUTS = {  # rows of leads, the columns of a row one after the other in time
    "3x4": ("3 × 4 + II", paper.ROWS),
    "6x2": ("6 × 2", tuple(zip(LEADS[:6], LEADS[6:], strict=True))),
    "12x1": ("12 × 1", tuple((lead,) for lead in LEADS)),
}
MEASURE_TITLES = {
    "heart_rate_bpm": "Rate",
    "rr_sd_ms": "RR, standard deviation",
    "rr_irregularity": "RR irregularity",
    "p_present": "P waves",
    "p_ms": "P",
    "pr_ms": "PR",
    "qrs_ms": "QRS",
    "qt_ms": "QT",
    "qtc_ms": "QTc (Fridericia)",
    "qtc_bazett_ms": "QTc (Bazett)",
    "axis_deg": "QRS axis",
    "p_axis_deg": "P axis",
    "t_axis_deg": "T axis",
    "sokolow_lyon_mv": "Sokolow-Lyon",
    "cornell_mv": "Cornell",
    "limb_qrs_mv": "Largest QRS, limb leads",
    "chest_qrs_mv": "Largest QRS, chest leads",
    "premature_supraventricular": "Premature, supraventricular",
    "premature_ventricular": "Premature, ventricular",
    "longest_rr_ms": "Longest RR",
    "paced_beats": "Paced beats",
    "spikes_without_capture": "Spikes without capture",
    "atrial_rate_bpm": "Atrial rate",
    "p_per_qrs": "P waves per QRS",
    "av_dissociation": "AV dissociation",
    "flutter_rate_bpm": "Flutter rate",
}
LEAD_TITLES = {
    "q_mv": "Q",
    "q_ms": "Q duration",
    "r_mv": "R",
    "s_mv": "S",
    "st_mv": "ST (J)",
    "st60_mv": "ST (J + 60 ms)",
    "t_mv": "T",
}
_SHOWN_AS = {  # by the end of a measure's name; all others are counts and shares
    "bpm": "{:.0f}/min",
    "ms": "{:.0f} ms",
    "mv": "{:.2f} mV",
    "deg": "{:.0f}°",
    "irregularity": "{:.0%}",
    "beats": "{:.0%}",
    "ventricular": "{:.0f}",
    "supraventricular": "{:.0f}",
    "capture": "{:.0f}",
    "qrs": "{:.0f}",
}
_NOTE = "median of {n} beats, 0.5 Hz high-pass{spikes}"


def document(examined: Examined, signal: str = SIGNAL) -> dict:
    """JSON-ready. signal: address of the samples, relative to that of the document, with {band} and {mains} in it.

    It depends on the recording alone, and examining takes tens of milliseconds: keep it.
    """
    recording, quality, measurements = examined.recording, examined.quality, examined.measurements
    shown = min(len(recording.signal), MOST_SAMPLES)
    allowed = choices(recording)
    patient = recording.patient
    return {
        "format": DOCUMENT_FORMAT,
        "name": recording.name,
        "start": recording.start.isoformat(sep=" ", timespec="seconds") if recording.start else None,
        "patient": {"id": patient.id, "age": patient.age, "sex": patient.sex},
        "rate_hz": recording.rate,
        "samples": shown,
        "seconds": recording.seconds,
        "leads": list(LEADS),
        "derived": list(recording.derived),
        "missing": list(recording.missing),
        "flat": list(quality.flat),
        "warnings": quality.warnings(),
        "signal": signal,
        "filters": {
            "bands": [{"name": name, "title": FILTER_BANDS[name].title} for name in allowed["bands"]],
            "mains": [
                {"name": name, "title": "off" if MAINS[name] is None else f"{name} Hz"} for name in allowed["mains"]
            ],
            "written": {f"{b} {m}": written(recording, b, m) for b in allowed["bands"] for m in allowed["mains"]},
        },
        "layouts": [{"name": name, "title": title, "rows": rows} for name, (title, rows) in LAYOUTS.items()],
        "sheet_seconds": paper.SHEET_SECONDS,
        "beats": _beats(examined.look),
        "median_beat": _median_beat(examined.look, measurements),
        "measurements": _table(measurements),
        "by_lead": {
            "columns": [{"name": name, "title": title, "words": BY_LEAD[name]} for name, title in LEAD_TITLES.items()],
            "rows": {
                lead: [_text(name, found[name].value) for name in LEAD_TITLES]
                for lead, found in measurements.leads.items()
            },
        },
    }


def as_json(examined: Examined) -> str:
    """The document as text, to be kept; DOCUMENT_HEAD tells whether it is of this version."""
    return json.dumps(document(examined), allow_nan=False)


def signal_bytes(recording: Recording, band: str = "none", mains: str = "off") -> bytes:
    """12 x n float32, little-endian, lead by lead. Raises MeitError for a filter that the recording cannot have."""
    return filtered(recording, band, mains)[:MOST_SAMPLES].T.astype("<f4").tobytes()


def _beats(seen: Look) -> list[dict]:
    """at_s: the QRS onset in beats of the commonest shape (usual), a place in the QRS complex in others."""
    if seen.beats is None:
        return []
    shift = 0 if seen.waves is None or seen.beat is None else seen.waves.qrs_on - seen.beat.middle
    usual = seen.beats.dominant
    at = np.where(usual, seen.beats.at + shift, seen.beats.at) / RATE
    return [{"at_s": round(float(s), 3), "usual": bool(like)} for s, like in zip(at, usual, strict=True)]


def _median_beat(seen: Look, found: Measurements) -> dict:
    """Values from the level at the QRS onset, and the marks that measurements were made from, in seconds from there.
    A mark without its measurement is left out. Without a median beat: why."""
    leads, beat, waves, paced = seen.leads, seen.beat, seen.waves, seen.paced
    if leads is None or beat is None or waves is None or paced is None:
        return {"why_absent": seen.missing, "leads": {}}
    onset = waves.qrs_on
    values = beat.values - beat.values[onset]
    given = {
        "pr_ms": ("p_on", "qrs_on"),
        "qrs_ms": ("qrs_on", "qrs_off"),
        "qt_ms": ("qrs_on", "t_end"),
        "p_ms": ("p_on", "p_off"),
    }
    named = {name: places for name, places in given.items() if found[name].value is not None}
    places = sorted({place for pair in named.values() for place in pair})
    return {
        "why_absent": "",
        "note": _NOTE.format(n=len(beat.at), spikes=", pacing spikes cut out" if paced.any() else ""),
        "rate_hz": RATE,
        "start_s": -onset * MS / 1000,
        "rr_s": beat.rr_ms / 1000,
        "marks": {place: (getattr(waves, place) - onset) * MS / 1000 for place in places},
        "intervals": {name: {"from": a, "to": b, "ms": found[name].value} for name, (a, b) in named.items()},
        "leads": {lead: [round(float(v), 3) for v in values[:, place]] for place, lead in enumerate(leads.names)},
    }


def _table(found: Measurements) -> list[dict]:
    """What was measured, row by row, ready to be shown; of what was not, the reason."""
    return [
        {
            "name": name,
            "title": MEASURE_TITLES[name],
            "words": words,
            "text": _text(name, found[name].value),
            "reliability": round(found[name].reliability, 2),
            "why": found[name].why,
        }
        for name, words in GLOBAL.items()
    ]


def _text(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if name in ("p_present", "av_dissociation"):
        return "yes" if value else "no"
    text = _SHOWN_AS[name.rsplit("_", 1)[-1]].format(value)
    return text.replace("-0.00", "0.00").replace("-", "−")
