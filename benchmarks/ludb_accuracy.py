"""Waves that meit finds beside those that cardiologists marked in every lead of LUDB: boundaries, durations, sensitivity.

    python benchmarks/ludb_accuracy.py LUDB      (any part of its official layout; the folder that holds data/)

A global boundary of a beat, from twelve leads: the earliest onset, or the latest end, that two other leads share within
10 ms (20 ms at the T wave's end). Plainly the earliest of twelve would be one reader's slip in one lead; the CSE Working
Party therefore left outlying leads out too (Eur Heart J 6:815-825, 1985). The reference of a recording is the median
over the beats of which meit made its median beat, as one boundary is what meit gives. neurokit2, where it is installed,
gets the same leads one by one, with the R peaks that it finds in each, and its marks go the same way; wfdb's detectors find QRS complexes in II.
"""

import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import wfdb
from wfdb.processing import gqrs_detect, xqrs_detect

from meit.ecg import read_ecg
from meit.ecg.measure import Look, Measurements, look, measured
from meit.ecg.measure.boundaries import find_waves
from meit.ecg.recording import LEADS, Recording
from meit.ecg.signal.median_beat import median_beat
from meit.ecg.signal.usable_leads import MS

SUFFIXES = [lead.lower() for lead in LEADS]
BOUNDARIES = {  # place of Waves -> wave, which of its marks, side, twice the SD between CSE's readers in ms
    "p_on": ("p", 0, -1, 10.2),
    "p_off": ("p", 2, 1, 12.7),
    "qrs_on": ("N", 0, -1, 6.5),
    "qrs_off": ("N", 2, 1, 11.6),
    "t_end": ("t", 2, 1, 30.6),
}
DURATIONS = {
    "p_ms": ("p_on", "p_off"),
    "pr_ms": ("p_on", "qrs_on"),
    "qrs_ms": ("qrs_on", "qrs_off"),
    "qt_ms": ("qrs_on", "t_end"),
}
NEAR = round(100 / MS)  # a QRS complex's mark of one lead, and the beat
SHARED = {"p": 10 / MS, "N": 10 / MS, "t": 20 / MS}
LEADS_AGREE = 3
LEAST_LEADS = 6  # that show a wave: it is there
THEIRS = {"P": "P, neurokit2", "T": "T, neurokit2"}
DIAGNOSES = {  # what a diagnosis must hold -> what is measured, and when that is the same
    "atrial fibrillation": ("atrial fibrillation", "p_present", lambda value: value == 0),
    "atrial flutter": ("atrial flutter", "p_present", lambda value: value == 0),
    "sinus rhythm of any kind": ("sinus", "p_present", lambda value: value == 1),
    "ventricular extrasystoles": ("ventricular extrasystole", "premature_ventricular", lambda value: value > 0),
    "atrial extrasystoles": ("atrial extrasystole", "premature_supraventricular", lambda value: value > 0),
    "pacing": ("pacing", "paced_beats", lambda value: value > 0),
}

Marks = list[
    dict[str, tuple[float, float, float]]
]  # of one lead, a beat each: wave -> its onset, peak, end; NaN unknown


@dataclass(frozen=True)
class Case:
    name: str
    recording: Recording
    diagnoses: str
    marks: list[Marks]  # of each of LEADS
    seen: Look
    found: Measurements
    theirs: list[Marks] | None  # neurokit2's, of each of LEADS


def read_marks(path: str, suffix: str) -> Marks:
    """The marks of one lead: P belongs to the QRS complex after it, T to the one before."""
    annotation = wfdb.rdann(path, suffix)
    waves = []
    for place, (sample, symbol) in enumerate(zip(annotation.sample, annotation.symbol, strict=True)):
        if symbol in "pNt":
            beside = [
                annotation.symbol[other] if 0 <= other < len(annotation.sample) else ""
                for other in (place - 1, place + 1)
            ]
            onset = annotation.sample[place - 1] if beside[0] == "(" else np.nan
            end = annotation.sample[place + 1] if beside[1] == ")" else np.nan
            waves.append((symbol, (float(onset), float(sample), float(end))))
    beats: Marks = []
    p = None
    for symbol, wave in waves:
        if symbol == "p":
            p = wave
        elif symbol == "N":
            beats.append({"N": wave} | ({"p": p} if p else {}))
            p = None
        elif beats and "t" not in beats[-1]:
            beats[-1]["t"] = wave
    return beats


def around(marks: list[Marks], place: float) -> list[dict[str, tuple[float, float, float]]]:
    """Of each lead that has a QRS complex there, its beat."""
    return [beat for lead in marks for beat in lead if abs(beat["N"][1] - place) <= NEAR]


def shared(values: list[float], side: int, within: float) -> float:
    """The earliest (side -1) or latest (1) value that two others share; their median where none is shared."""
    ordered = np.sort(-side * np.array([value for value in values if np.isfinite(value)]))
    if len(ordered) == 0:
        return np.nan
    for value in ordered:
        if np.sum((ordered >= value) & (ordered <= value + within)) >= LEADS_AGREE:
            return float(-side * value)
    return float(-side * np.median(ordered))


def reference(marks: list[Marks], at: np.ndarray, name: str, least: int = LEAST_LEADS) -> float:
    """ms from where meit's median beat has its middle, the median over beats; NaN where fewer leads show the wave."""
    wave, which, side, _ = BOUNDARIES[name]
    globals_ = []
    for place in at:
        values = [beat[wave][which] - place for beat in around(marks, place) if wave in beat]
        if len(values) >= least:
            globals_.append(shared(values, side, SHARED[wave]))
    return float(np.nanmedian(globals_)) * MS if np.isfinite(globals_).any() else np.nan


def ours(case: Case, name: str) -> float:
    """As reference; NaN where meit gives no duration that begins or ends there."""
    given = [one for one, ends in DURATIONS.items() if name in ends and case.found[one].value is not None]
    place = getattr(case.seen.waves, name) if case.seen.waves is not None and given else None
    return np.nan if place is None else (place - case.seen.beat.middle) * MS


def ours_of_lead(case: Case, lead: str) -> dict[str, float]:
    """As ours, from this lead alone."""
    seen = case.seen
    if lead not in seen.leads.names:
        return {}
    one = median_beat(seen.leads.only(np.array(seen.leads.names) == lead), seen.beat.at, seen.beat.rr_ms)
    waves = find_waves(one)
    has_p = case.found["p_present"].value == 1
    places = {} if waves is None else {name: getattr(waves, name) for name in BOUNDARIES if has_p or name[0] != "p"}
    return {name: (place - one.middle) * MS for name, place in places.items() if place is not None}


def of_neurokit(name: str, recording: Recording, at: np.ndarray) -> list[Marks] | None:
    """What neurokit2's wavelet delineation marks in each lead, told by meit's beats; None where it is not installed."""
    try:
        import neurokit2
    except ImportError:
        return None
    names = {
        "p": ("P_Onsets", "P_Peaks", "P_Offsets"),
        "N": ("R_Onsets", "R_Peaks", "R_Offsets"),
        "t": ("T_Onsets", "T_Peaks", "T_Offsets"),
    }
    every = []
    for lead in LEADS:
        try:
            clean = neurokit2.ecg_clean(recording.lead(lead), sampling_rate=recording.rate)
            _, peaks = neurokit2.ecg_peaks(clean, sampling_rate=recording.rate)
            _, found = neurokit2.ecg_delineate(clean, peaks["ECG_R_Peaks"], sampling_rate=recording.rate, method="dwt")
        except Exception as error:  # of its many kinds
            print(f"neurokit2 on {name} {lead}: {error}", file=sys.stderr)
            every.append([])
            continue
        sides = {"P": -1, "T": 1}
        columns = {
            wave: [
                at.astype(float) if key == "R_Peaks" else at_beats(found[f"ECG_{key}"], at, sides.get(key[0], side))
                for key, side in zip(keys, (-1, 0, 1), strict=True)
            ]
            for wave, keys in names.items()
        }
        rows = [{wave: tuple(column[beat] for column in columns[wave]) for wave in names} for beat in range(len(at))]
        every.append([{wave: marks for wave, marks in row.items() if np.isfinite(marks).any()} for row in rows])
    return every


def at_beats(places: list[float], at: np.ndarray, side: int) -> np.ndarray:
    """Of each beat the place nearest before it (side -1) or after it (1), on this side of the next beat; NaN where there is
    none. Its lists are shorter than the beats are many where the first or last one has no such wave."""
    known = np.sort(np.array([place for place in places if np.isfinite(place)], dtype=float))
    ends = np.concatenate([[-np.inf], at, [np.inf]])
    found = []
    for beat, place in enumerate(at):
        low, high = (ends[beat], place) if side < 0 else (place, ends[beat + 2])
        inside = known[(known > low) & (known < high)]
        found.append(inside[-1 if side < 0 else 0] if len(inside) else np.nan)
    return np.array(found)


def differences(pairs: list[tuple[float, float]]) -> np.ndarray:
    apart = np.array([one - other for one, other in pairs])
    return apart[np.isfinite(apart)]


def told(apart: np.ndarray) -> str:
    return f"{apart.mean():+.1f} ± {apart.std(ddof=1):.1f} ({len(apart)})" if len(apart) > 1 else "-"


def boundary_tables(cases: list[Case]) -> None:
    print(
        "| boundary | meit: mean ± SD ms (recordings) | tuned on | held out | neurokit2 | CSE |\n|---|---|---|---|---|---|"
    )
    for name, (_, _, _, tolerated) in BOUNDARIES.items():
        rows = [(ours(case, name), reference(case.marks, case.seen.beat.at, name)) for case in cases]
        halves = [
            differences([row for row, case in zip(rows, cases, strict=True) if int(case.name) % 4 == rest])
            for rest in (1, 3)
        ]
        theirs = [
            (reference(case.theirs, case.seen.beat.at, name), row[1])
            for case, row in zip(cases, rows, strict=True)
            if case.theirs is not None
        ]
        print(
            f"| {name} | {told(differences(rows))} | {' | '.join(map(told, halves))} "
            f"| {told(differences(theirs)) if theirs else 'not installed'} | {tolerated:g} |"
        )
    print("\n| lead alone | " + " | ".join(BOUNDARIES) + " |\n|---|---|---|---|---|---|")
    for column, lead in enumerate(LEADS):
        pairs, theirs = defaultdict(list), defaultdict(list)
        for case in cases:
            marked = {name: reference([case.marks[column]], case.seen.beat.at, name, least=1) for name in BOUNDARIES}
            for name, value in ours_of_lead(case, lead).items():
                pairs[name].append((value, marked[name]))
            for name in BOUNDARIES if case.theirs is not None else ():
                other = reference([case.theirs[column]], case.seen.beat.at, name, least=1)
                theirs[name].append((other, marked[name]))
        for label, found in ((lead, pairs), (f"{lead}, neurokit2", theirs)):
            if found:
                print(f"| {label} | " + " | ".join(told(differences(found[name])) for name in BOUNDARIES) + " |")


def duration_table(cases: list[Case]) -> None:
    print(
        "\n| duration | meit - cardiologists: mean ± SD ms (recordings) | median size | marked, but not given |\n|---|---|---|---|"
    )
    for name, (first, last) in DURATIONS.items():

        def lasting(case: Case, marks: list[Marks], first=first, last=last) -> float:
            at = case.seen.beat.at
            return reference(marks, at, last) - reference(marks, at, first)

        marked = [lasting(case, case.marks) for case in cases]
        given = {name: [np.nan if case.found[name].value is None else case.found[name].value for case in cases]}
        if all(case.theirs is not None for case in cases):
            given[f"{name}, neurokit2"] = [lasting(case, case.theirs) for case in cases]
        for label, values in given.items():
            apart = differences(list(zip(values, marked, strict=True)))
            left_out = int(np.sum(np.isfinite(marked) & np.isnan(values)))
            print(f"| {label} | {told(apart)} | {np.median(np.abs(apart)):.0f} | {left_out} |")


def sensitivity_table(cases: list[Case]) -> None:
    """Of beats between the first and the last that are marked. A P or T wave is meit's where the beat has the shape of
    the median beat, and that has one."""
    detectors = {"QRS, wfdb's xqrs in II": xqrs, "QRS, wfdb's gqrs in II": gqrs}
    counts: dict[str, list[int]] = {wave: [0, 0, 0] for wave in ("QRS", "P", "T", *detectors, *THEIRS.values())}
    for case in cases:
        places = sorted(beat["N"][1] for beat in case.marks[LEADS.index("II")])
        at = case.seen.beats.at
        inside = at[(at >= places[0] - NEAR) & (at <= places[-1] + NEAR)]
        truth = np.array(places)
        tally(counts["QRS"], truth, inside)
        for label, detect in detectors.items():
            detected = detect(case.recording)
            tally(counts[label], truth, detected[(detected >= places[0] - NEAR) & (detected <= places[-1] + NEAR)])
        waves = {"P": ("p", case.found["p_present"].value == 1), "T": ("t", case.seen.waves.t_end is not None)}
        for label, (wave, has) in waves.items():
            for place in places:
                beats = around(case.marks, place)
                shows = sum(wave in beat for beat in beats)
                near = np.abs(at - place) <= NEAR
                seen = bool(has and (near & case.seen.beats.dominant).any())
                if shows == 0 and place == places[0 if label == "P" else -1]:
                    continue  # the marks begin with a QRS complex, and end with one
                counts[label][0] += shows >= LEAST_LEADS and seen
                counts[label][1] += shows >= LEAST_LEADS and not seen
                counts[label][2] += shows == 0 and seen
                if case.theirs is not None:
                    seen = sum(wave in beat for beat in around(case.theirs, place)) >= LEAST_LEADS
                    counts[THEIRS[label]][0] += shows >= LEAST_LEADS and seen
                    counts[THEIRS[label]][1] += shows >= LEAST_LEADS and not seen
                    counts[THEIRS[label]][2] += shows == 0 and seen
    print(
        "\n| wave | marked | sensitivity | found where no lead has a mark | positive predictive value |\n|---|---|---|---|---|"
    )
    for label, (right, missed, false) in counts.items():
        if right:
            print(
                f"| {label} | {right + missed} | {right / (right + missed):.2%} | {false} | {right / (right + false):.2%} |"
            )


def xqrs(recording: Recording) -> np.ndarray:
    return xqrs_detect(recording.lead("II"), recording.rate, verbose=False)


def gqrs(recording: Recording) -> np.ndarray:
    """It takes steps of the amplifier, of which mV are the 200."""
    return gqrs_detect(
        d_sig=np.round(recording.lead("II") * 200).astype(int), fs=recording.rate, adc_gain=200, adc_zero=0
    )


def tally(counts: list[int], truth: np.ndarray, found: np.ndarray) -> None:
    apart = np.abs(truth[:, None] - np.asarray(found)[None, :]) <= NEAR
    counts[0] += int(apart.any(axis=1).sum())
    counts[1] += int((~apart.any(axis=1)).sum())
    counts[2] += int((~apart.any(axis=0)).sum())


def diagnosis_table(cases: list[Case]) -> None:
    print(
        "\n| diagnosis | measured by | recordings | found | not given | falsely, of the others |\n|---|---|---|---|---|---|"
    )
    for label, (words, name, same) in DIAGNOSES.items():
        rows = [(words in case.diagnoses, case.found[name].value) for case in cases]
        has = [value for diagnosed, value in rows if diagnosed]
        others = [value for diagnosed, value in rows if not diagnosed]
        print(
            f"| {label} | {name} | {len(has)} | {sum(value is not None and same(value) for value in has)} "
            f"| {sum(value is None for value in has)} | {sum(value is not None and same(value) for value in others)} of {len(others)} |"
        )


def cases_of(folder: Path) -> list[Case]:
    cases = []
    for header in sorted((folder / "data").glob("*.hea"), key=lambda path: int(path.stem)):
        path = str(header.with_suffix(""))
        recording = read_ecg(header)
        seen = look(recording)
        if seen.waves is None:
            print(f"{header.stem}: {seen.missing}", file=sys.stderr)
            continue
        marks = [read_marks(path, suffix) for suffix in SUFFIXES]
        diagnoses = " ".join(wfdb.rdheader(path).comments).lower()
        theirs = of_neurokit(header.stem, recording, seen.beats.at)
        cases.append(Case(header.stem, recording, diagnoses, marks, seen, measured(recording, seen), theirs))
    return cases


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cases = cases_of(Path(sys.argv[1]))
    if len(cases) < 2:
        sys.exit(f"{sys.argv[1]}: has fewer than two recordings in data/")
    boundary_tables(cases)
    duration_table(cases)
    sensitivity_table(cases)
    diagnosis_table(cases)


if __name__ == "__main__":
    main()
