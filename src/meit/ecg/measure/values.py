"""The numbers of a median beat whose waves are known, each with its reliability, or the reason why it is not given."""

from collections.abc import Sequence

import numpy as np

from meit.ecg.measure.amplitudes import lead_waves
from meit.ecg.measure.axes import degrees, frontal_vector, heights, turned, wave
from meit.ecg.measure.boundaries import Waves
from meit.ecg.measure.measurements import BY_LEAD, Measure
from meit.ecg.measure.reliability import LEAST, Doubts, jackknife, reliability
from meit.ecg.recording import CHEST_LEADS, LEADS, LIMB_LEADS, Recording
from meit.ecg.signal.median_beat import MedianBeat
from meit.ecg.signal.plateaus import is_cut_off
from meit.ecg.signal.usable_leads import Leads

DURATIONS = {  # name -> from where to where, the error that is tolerated, the least and the most, in ms
    "p_ms": ("p_on", "p_off", 15.0, 30.0, 220.0),
    "pr_ms": ("p_on", "qrs_on", 15.0, 60.0, 450.0),
    "qrs_ms": ("qrs_on", "qrs_off", 10.0, 30.0, 300.0),
    "qt_ms": ("qrs_on", "t_end", 20.0, 180.0, 850.0),
}
AXES = {"axis_deg": "qrs", "p_axis_deg": "p", "t_axis_deg": "t"}
VOLTAGES = ("sokolow_lyon_mv", "cornell_mv", "limb_qrs_mv", "chest_qrs_mv")
TOLERATED_DEG = 6.0
TOLERATED_MV, TOLERATED_SHARE = 0.05, 0.1  # of amplitudes; the larger
TOLERATED_Q_MS = 10.0
NO_P = "no P wave at a steady distance before the QRS complexes"
NO_T_END = "the T wave's end is not to be seen"
UNSTEADY = "differs with the beats that are left out, or where the wave ends is blurred"
_MOST_MV = 20.0  # peak to peak, of QRS complexes
_NO_AXIS = 0.15  # of the largest limb lead's size: a shorter vector points nowhere

Values = dict[str, Measure]


def durations(waves: Waves, doubts: Doubts, p: Measure) -> Values:
    """p: whether there is a P wave."""
    values = {}
    for name, (first, last, tolerated, least, most) in DURATIONS.items():
        value = waves.ms(first, last)
        if first == "p_on" and p.value != 1:
            values[name] = Measure(None, 0.0, p.why or NO_P)
        elif value is None:
            values[name] = Measure(None, 0.0, NO_T_END)
        elif not least <= value <= most:
            values[name] = Measure(None, 0.0, f"{value:g} ms is impossible")
        else:
            spread = doubts.spread(value, first, last)
            trust = reliability(spread, tolerated) * (p.reliability if first == "p_on" else 1.0)
            if trust >= LEAST:
                values[name] = Measure(value, trust)
            else:
                values[name] = Measure(None, trust, UNSTEADY)
    return values


def corrected(qt: Measure, rate: Measure) -> Values:
    """QTc: Bazett, Heart 7:353-370, 1920; Fridericia, Acta Med Scand 53:469-486, 1920."""
    if qt.value is None or rate.value is None:
        missing = Measure(None, 0.0, qt.why or rate.why)
        return {"qtc_ms": missing, "qtc_bazett_ms": missing}
    rr_s, trust = 60.0 / rate.value, min(qt.reliability, rate.reliability)
    return {
        "qtc_ms": Measure(qt.value / rr_s ** (1 / 3), trust),
        "qtc_bazett_ms": Measure(qt.value / rr_s ** (1 / 2), trust),
    }


def axes(leads: Leads, beat: MedianBeat, waves: Waves, doubts: Doubts, p: Measure) -> Values:
    """The spread of an axis: the jackknife's, and an eighth of what it differs by from the axis of the areas."""
    values = {}
    for name, kind in AXES.items():
        part = wave(beat, waves, kind)
        if kind == "p" and p.value != 1:
            values[name] = Measure(None, 0.0, p.why or NO_P)
        elif part is None:
            values[name] = Measure(None, 0.0, NO_T_END)
        elif (vector := frontal_vector(heights(part), leads.names)) is None:
            values[name] = Measure(None, 0.0, "fewer than two limb leads")
        elif np.linalg.norm(vector) <= _NO_AXIS * _limb_size(part, leads):
            values[name] = Measure(None, 0.0, "indeterminate: as much upwards as downwards in the limb leads")
        else:
            value = degrees(vector)
            parts = [wave(fewer, waves, kind) for fewer in doubts.beats]
            others = [heights(other) for other in parts if other is not None] + [part.sum(axis=0)]
            vectors = [frontal_vector(other, leads.names) for other in others]
            *fewer, area = [turned(degrees(other), value) for other in vectors if other is not None]
            trust = reliability(np.hypot(jackknife(fewer), area / 8), TOLERATED_DEG)
            trust *= p.reliability if kind == "p" else 1.0
            values[name] = Measure(value if trust >= LEAST else None, trust, "" if trust >= LEAST else UNSTEADY)
    return values


def by_lead(
    recording: Recording, leads: Leads, beat: MedianBeat, waves: Waves, doubts: Doubts
) -> tuple[dict[str, Values], dict[str, float]]:
    """What BY_LEAD names, of all leads; and the peak-to-peak QRS amplitude in mV of those that have values."""
    lead_values, sizes = {}, {}
    for lead in LEADS:
        column = leads.names.index(lead) if lead in leads.names else None
        if column is None:
            why = "the lead is flat, or not recorded throughout"
        elif is_cut_off(recording.lead(lead), recording.rate):
            why = "the lead is cut off at the amplifier's limit"
        elif (size := _qrs_size(beat, waves, column)) > _MOST_MV:
            why = f"{size:.3g} mV: unit or gain looks wrong"
        else:
            lead_values[lead], sizes[lead] = _lead_values(beat, waves, doubts, column), size
            continue
        lead_values[lead] = {name: Measure(None, 0.0, why) for name in BY_LEAD}
    return lead_values, sizes


def voltages(lead_values: dict[str, Values], sizes: dict[str, float]) -> Values:
    """Sokolow and Lyon, Am Heart J 37:161-186, 1949; Cornell: Casale et al., Circulation 75:565-572, 1987."""
    return {
        "sokolow_lyon_mv": _sum(
            lead_values["V1"]["s_mv"], max((lead_values["V5"]["r_mv"], lead_values["V6"]["r_mv"]), key=_size)
        ),
        "cornell_mv": _sum(lead_values["aVL"]["r_mv"], lead_values["V3"]["s_mv"]),
        "limb_qrs_mv": _largest(LIMB_LEADS, lead_values, sizes),
        "chest_qrs_mv": _largest(CHEST_LEADS, lead_values, sizes),
    }


def doubted(values: Values, lead_values: dict[str, Values], laws: str) -> tuple[Values, dict[str, Values]]:
    """Where limb leads break these laws, nobody knows which of them are what they are named, nor whether chest leads are:
    no axis and no voltage is given, and nothing is relied on in a limb lead."""
    why = f"the limb leads do not add up ({laws})"
    values = values | {name: Measure(None, 0.0, why) for name in (*AXES, *VOLTAGES)}
    limbs = {
        lead: {name: Measure(one.value, 0.0, one.why or why) for name, one in lead_values[lead].items()}
        for lead in LIMB_LEADS
    }
    return values, lead_values | limbs


def _limb_size(part: np.ndarray, leads: Leads) -> float:
    limb = [column for column, lead in enumerate(leads.names) if lead in LIMB_LEADS]
    return float(np.ptp(part[:, limb], axis=0).max())


def _qrs_size(beat: MedianBeat, waves: Waves, column: int) -> float:
    return float(np.ptp(beat.values[waves.qrs_on : waves.qrs_off + 1, column]))


def _lead_values(beat: MedianBeat, waves: Waves, doubts: Doubts, column: int) -> Values:
    whole = lead_waves(beat.values[:, column], beat.noise[column], waves)
    fewer = [lead_waves(part.values[:, column], part.noise[column], waves) for part in doubts.beats]
    values = {}
    # without a T wave's end none of them has one: they have the same waves
    spreads = dict(zip(BY_LEAD, jackknife([[other[name] or 0.0 for name in BY_LEAD] for other in fewer]), strict=True))
    for name in BY_LEAD:
        value = whole[name]
        if value is None:
            values[name] = Measure(None, 0.0, NO_T_END)
        else:
            tolerated = TOLERATED_Q_MS if name == "q_ms" else max(TOLERATED_MV, TOLERATED_SHARE * abs(value))
            spread = spreads[name]
            spread = float(spread if name == "q_ms" else np.hypot(spread, beat.noise[column]))
            values[name] = Measure(value, reliability(spread, tolerated))
    return values


def _size(measure: Measure) -> float:
    return -1.0 if measure.value is None else abs(measure.value)


def _sum(one: Measure, other: Measure) -> Measure:
    """Of two sizes without their signs."""
    if one.value is None or other.value is None:
        return Measure(None, 0.0, one.why or other.why)
    return Measure(abs(one.value) + abs(other.value), min(one.reliability, other.reliability))


def _largest(leads: Sequence[str], lead_values: dict[str, Values], sizes: dict[str, float]) -> Measure:
    absent = [lead for lead in leads if lead not in sizes]
    if absent:
        return Measure(None, 0.0, f"{absent[0]}: {lead_values[absent[0]]['r_mv'].why}")
    largest = max(leads, key=sizes.__getitem__)
    return Measure(sizes[largest], min(lead_values[largest][wave].reliability for wave in ("r_mv", "s_mv")))
