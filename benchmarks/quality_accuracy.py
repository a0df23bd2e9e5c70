"""The tables of docs/quality.md: false alarms on real records, and what is found of noise, swaps, faults and non-ECGs.

    python benchmarks/quality_accuracy.py RAW --data data/ptb-xl data/ptb-xl-zscored [--folds 9] [--half 2]

RAW holds ptb-xl, mimic-iv-ecg and cinc2021 as published. Of PTB-XL the given folds are read, of MIMIC-IV-ECG the given
half of the patients (1 served to choose limits, 2 did not), of the Challenge all but what comes from PTB-XL (it served
for nothing). --data: prepared folders, for exchanged electrodes and familiarity. Ten minutes on one core.
"""

import argparse
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from fit_swaps import beat_of
from missing_leads import auroc
from not_ecgs import KINDS, LAYOUTS, not_ecg
from scipy.stats import beta

from meit.data.batches import EcgSet
from meit.data.splits import fold_of
from meit.ecg import LEADS, find_recordings, read_ecg
from meit.ecg.noise import NOISES, swap_electrodes
from meit.ecg.quality import Quality, inspect, swaps
from meit.ecg.quality.disturbances import disturbances
from meit.ecg.quality.excerpt import BAND_RATE, SEEN_S, excerpt_of
from meit.ecg.quality.inspection import signal_reasons
from meit.ecg.quality.verdicts import VERDICTS
from meit.ecg.recording import Recording
from meit.ecg.signal.beats import find_beats
from meit.ecg.signal.usable_leads import RATE, usable_leads
from meit.ecg.signal.windowing import first_windows
from meit.model import default_model
from meit.model.report_model import load_model

NOISE = ("baseline wander", "muscle artefact", "electrode motion", "mains hum", "white")
LEVELS = (24.0, 18.0, 12.0, 6.0, 0.0, -6.0)
EACH = 20  # signals of each kind and layout that are no ECG
FREQUENT = {"RA-LA": 0.01, "RA-LL": 0.003}  # share of recordings taken in practice; of the others:
RARE = 0.002
LABELS = {"baseline_drift": "baseline_wander", "static_noise": "muscle_noise", "burst_noise": "artefacts"}  # PTB-XL's

Signals = list[tuple[np.ndarray, float, str]]


def table(head: Iterable, rows: Iterable[Iterable]) -> None:
    head = list(head)
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def percent(share: float) -> str:
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"


def shares(found: list[Quality], names: Iterable[str]) -> list[str]:
    counts = Counter(name for one in found for name in {one.verdict, *(reason.reason for reason in one.reasons)})
    return [percent(counts[name] / max(len(found), 1)) for name in names]


def real_records(raw: Path, folds: list[int], half: int) -> dict[str, list[Recording]]:
    listed = pd.read_csv(raw / "ptb-xl" / "ptbxl_database.csv").set_index("ecg_id")
    ptb_xl = [h for h in find_recordings(raw / "ptb-xl" / "records500") if listed.strat_fold[int(h.stem[:5])] in folds]
    mimic = [h for h in find_recordings(raw / "mimic-iv-ecg") if (fold_of(h.parts[-3][1:]) > 5) == (half == 2)]
    cinc = [h for h in find_recordings(raw / "cinc2021") if not h.stem.startswith("HR")]
    groups = {"PTB-XL": ptb_xl, "MIMIC-IV-ECG": mimic, "CinC 2021": cinc}
    return {name: [read_ecg(header, allow_missing=True) for header in headers] for name, headers in groups.items()}


def false_alarms(records: dict[str, list[Recording]]) -> None:
    print("### Real records as they are\n")
    found = {name: [inspect(one) for one in group] for name, group in records.items()}
    names = {reason.reason for group in found.values() for one in group for reason in one.reasons}
    columns = [*VERDICTS, *sorted(names)]
    table(["source", "n", *columns], ([name, len(group), *shares(group, columns)] for name, group in found.items()))


def annotated(raw: Path, records: list[Recording]) -> None:
    print("### Beside the noise that PTB-XL's annotators marked\n")
    listed = pd.read_csv(raw / "ptb-xl" / "ptbxl_database.csv").set_index("ecg_id")
    found = [{reason.reason for reason in inspect(one).reasons} for one in records]
    seen = [excerpt_of(one, inspect(one).flat) for one in records]
    amounts = [
        {kind: (values / one.size)[one.usable].max() for kind, values in disturbances(one).items()} for one in seen
    ]
    rows = []
    for column, reason in LABELS.items():
        marked = listed.loc[[int(one.name[:5]) for one in records], column].notna().to_numpy()
        named = np.array([reason in reasons for reasons in found])
        rows.append([column, int(marked.sum()), reason, percent(named[marked].mean()), percent(named[~marked].mean())])
        rows[-1].append(f"{auroc(marked, np.array([one[reason] for one in amounts])):.2f}" if marked.any() else "-")
    table(["marked", "n", "reason", "named of those", "named of the others", "AUROC of the amount"], rows)


def noises(records: list[Recording]) -> None:
    print(f"### Noise added ({len(records)} records): good / limited / unusable\n")
    rows = []
    for kind in NOISE:
        cells = []
        for level in LEVELS:
            found = [inspect(_noisy(one, kind, level, seed)) for seed, one in enumerate(records)]
            cells.append(" / ".join(shares(found, VERDICTS)))
        rows.append([kind, *cells])
    table(["noise", *(f"{level:g} dB" for level in LEVELS)], rows)


def _noisy(record: Recording, kind: str, level: float, seed: int) -> Recording:
    return replace(record, signal=NOISES[kind].add(record.signal, record.rate, level, np.random.default_rng(seed)))


def beats(records: list[Recording]) -> None:
    print(f"### Beats of the band and beats as measuring finds them ({len(records)} records)\n")
    rows = []
    for kind, level in ((None, 0.0), ("muscle artefact", 6.0), ("electrode motion", 6.0)):
        same = Counter()
        for seed, record in enumerate(records):
            noisy = record if kind is None else _noisy(record, kind, level, seed)
            ours = excerpt_of(noisy, inspect(noisy).flat)
            leads = usable_leads(replace(noisy, signal=noisy.signal[: round(SEEN_S * noisy.rate)]))
            if ours is None or leads is None:
                continue
            at = np.round(find_beats(leads).at * BAND_RATE / RATE).astype(int)
            other = replace(ours, beats=np.clip(at, 0, len(ours.band) - 1))
            texts = [[reason.text for reason in signal_reasons(one, True)] for one in (ours, other)]
            same["n"] += 1
            same["beats"] += len(ours.beats) == len(other.beats)
            same["reasons"] += texts[0] == texts[1]
        rows.append([f"{kind}, {level:g} dB" if kind else "none", same["n"], same["beats"], same["reasons"]])
    table(["noise", "n", "as many beats", "the same reasons"], rows)


def faults(records: list[Recording]) -> None:
    print("### Faults put into records\n")
    made: dict[str, tuple[Callable, str]] = {
        "V3 not recorded": (lambda x, r: _set(x, ["V3"], np.nan), "V3"),
        "V3 flat": (lambda x, r: _set(x, ["V3"], 0.1), "V3"),
        "V3 of 6 mV cut off at 2.1 mV": (_cut, "V3"),
        "RA loose: I, II, aVR, aVL, aVF flat": (lambda x, r: _set(x, ["I", "II", "aVR", "aVL", "aVF"], 0.0), "I"),
        "seven leads flat": (lambda x, r: _set(x, LEADS[5:], 0.0), "V1"),
        "first 6 s": (lambda x, r: x[: round(6 * r)], ""),
        "first 4 s": (lambda x, r: x[: round(4 * r)], ""),
        "x 100": (lambda x, r: x * 100, ""),
        "x 1000": (lambda x, r: x * 1000, ""),
        "x 0.001": (lambda x, r: x * 0.001, ""),
        "I and II exchanged in the file": (lambda x, r: x[:, [1, 0, *range(2, 12)]], "I"),
        "III upside down": (lambda x, r: x * np.where(np.array(LEADS) == "III", -1, 1), "III"),
        "limb and chest leads exchanged": (lambda x, r: x[:, [*range(6, 12), *range(6)]], ""),
    }
    rows = []
    for name, (change, _) in made.items():
        found = [inspect(replace(one, signal=np.float32(change(one.signal, one.rate)))) for one in records]
        most = Counter(reason.reason for one in found for reason in one.reasons).most_common(2)
        said = ", ".join(f"{reason} {percent(n / len(found))}" for reason, n in most)
        rows.append([name, *shares(found, VERDICTS), said])
    table(["fault", *VERDICTS, "reasons most often given"], rows)


def _set(signal: np.ndarray, leads: Iterable[str], value: float) -> np.ndarray:
    out = signal.copy()
    out[:, [LEADS.index(lead) for lead in leads]] = value
    return out


def _cut(signal: np.ndarray, rate: float) -> np.ndarray:
    out, lead = signal.copy(), signal[:, LEADS.index("V3")]
    lead = lead * max(1, 6.0 / max(np.ptp(lead), 1e-3))
    out[:, LEADS.index("V3")] = np.clip(lead, np.median(lead) - 2.1, np.median(lead) + 2.1)
    return out


def exchanged(signals: Signals, title: str) -> None:
    print(f"### Electrodes exchanged ({title}, {len(signals)} records)\n")
    beats = [beat for beat in (beat_of(*one) for one in signals) if beat is not None]
    clean = [swaps.exchanged(beat) for beat in beats]
    rows = []
    for name in swaps.LEAST_ODDS:
        found = [swaps.exchanged(swap_electrodes(beat, 100.0, name, None)) for beat in beats]
        hit, other = np.mean([one == name for one in found]), np.mean([one not in (None, name) for one in found])
        false = np.mean([one == name for one in clean])
        often = FREQUENT.get(name, RARE)
        worst = beta.ppf(0.95, false * len(clean) + 1, len(clean) - false * len(clean))  # Clopper-Pearson, one-sided
        right, least = (often * hit / max(often * hit + (1 - often) * rate, 1e-12) for rate in (false, worst))
        never = swaps.LEAST_ODDS[name] == swaps.NEVER
        rows.append(
            [
                name,
                percent(hit),
                percent(other),
                f"{sum(one == name for one in clean)} ({false:.2%})",
                "-" if never else f"{right:.0%} (at least {least:.0%}) at {often:.1%}",
            ]
        )
    named = [one is not None for one in clean]
    rows.append(["any", "", "", f"{sum(named)} ({np.mean(named):.2%})", ""])
    table(
        ["exchanged", "named rightly", "another named", "false alarms", "alarms that are right, at that frequency"],
        rows,
    )
    print(f"no median beat: {len(signals) - len(beats)} of {len(signals)}\n")


def foreign(familiar: Callable) -> None:
    print(f"### Not an ECG ({EACH} each): unusable\n")
    rng, rows = np.random.default_rng(0), []
    for kind in KINDS:
        cells = []
        for layout in LAYOUTS:
            made = [not_ecg(kind, layout, rng) for _ in range(EACH)]
            found = [inspect(one) for one in made]
            far = familiar([(one.signal, one.rate, "mV") for one in made])
            caught = np.mean([one.verdict != "good" or one_far for one, one_far in zip(found, far, strict=True)])
            cells += [shares(found, ["unusable"])[0], percent(far.mean()), percent(caught)]
        rows.append([kind, *cells])
    heads = [f"{layout}: {what}" for layout in LAYOUTS for what in ("unusable", "unfamiliar", "not good")]
    table(["signal", *heads], rows)


def familiarity(familiar: Callable, groups: dict[str, Signals], noisy: Signals) -> None:
    print("### Unlike the training set\n")
    table(
        ["recordings", "n", "beyond the limit"],
        ([name, len(some), percent(familiar(some).mean())] for name, some in groups.items()),
    )
    rows = []
    for kind in NOISE:
        cells = []
        for level in LEVELS:
            made = [
                (NOISES[kind].add(x, rate, level, np.random.default_rng(seed), unit), rate, unit)
                for seed, (x, rate, unit) in enumerate(noisy)
            ]
            cells.append(percent(familiar(made).mean()))
        rows.append([kind, *cells])
    table(["noise", *(f"{level:g} dB" for level in LEVELS)], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw", type=Path)
    parser.add_argument("--data", nargs="+", type=Path, required=True)
    parser.add_argument("--folds", nargs="+", type=int, default=[9])
    parser.add_argument("--half", type=int, choices=(1, 2), default=2)
    parser.add_argument("--every", type=int, default=1, help="take every n-th record where noise and faults are added")
    parser.add_argument(
        "--only", nargs="+", choices=("real", "noise", "beats", "faults", "swaps", "foreign", "familiar")
    )
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    wanted = args.only or ["real", "noise", "beats", "faults", "swaps", "foreign", "familiar"]
    records = real_records(args.raw, args.folds, args.half)
    together = [one for group in records.values() for one in group if not one.missing][:: args.every]
    if "real" in wanted:
        false_alarms(records)
        annotated(args.raw, records["PTB-XL"])
    if "noise" in wanted:
        noises(together)
    if "beats" in wanted:
        beats(together)
    if "faults" in wanted:
        faults(together)
    if set(wanted) <= {"real", "noise", "beats", "faults"}:
        return
    data = EcgSet(args.data, args.folds, 100.0, 10.0)
    prepared = data.signals(range(len(data)))
    other = {
        name: [(one.signal, one.rate, "mV") for one in group if not one.missing] for name, group in records.items()
    }
    if "swaps" in wanted:
        exchanged(prepared, f"PTB-XL, folds {args.folds}")
        exchanged(other["MIMIC-IV-ECG"] + other["CinC 2021"], "MIMIC-IV-ECG and CinC 2021")
    if not {"foreign", "familiar"} & set(wanted):
        return
    model = load_model(default_model())

    @torch.inference_mode()
    def familiar(signals: Signals) -> np.ndarray:
        ecgs, masks = first_windows(signals, model.spec.encoder.rate, model.spec.encoder.seconds)
        features = model.encode(torch.from_numpy(ecgs), torch.from_numpy(masks.astype(np.float32)))[2]
        return model.familiarity.distances(features).numpy() > 1

    if "foreign" in wanted:
        foreign(familiar)
    if "familiar" in wanted:
        groups = {
            f"PTB-XL, folds {args.folds}": prepared,
            "MIMIC-IV-ECG": other["MIMIC-IV-ECG"],
            "CinC 2021": other["CinC 2021"],
        }
        familiarity(familiar, groups, prepared)


if __name__ == "__main__":
    main()
