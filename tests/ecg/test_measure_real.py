"""Measurements of real recordings: of the examples what a reader sees, of MIMIC-IV-ECG what the carts measured, of
PTB-XL what the annotators wrote."""

import csv
from ast import literal_eval
from collections import Counter

import numpy as np
import pytest

from meit.data.sources.mimic_iv_ecg import planned
from meit.data.splits import SPLITS, fold_of
from meit.ecg import read_ecg
from meit.ecg.measure import measure
from meit.ecg.signal.resampling import resample

CODES = {"NORM", "AFIB", "CLBBB", "1AVB", "SBRAD", "STACH", "PVC", "PACE"}
EACH = 15  # recordings of a kind, of which there are hundreds


def test_the_examples(example):
    """Sinus rhythm in all; 00041 with left anterior fascicular block, 00178 normal, 00195 with right bundle branch
    block and left axis."""
    names = ("00041_lr", "00178_lr", "00195_hr")
    fascicular, normal, wide = (measure(read_ecg(example.parent / name)) for name in names)
    for found in (fascicular, normal, wide):
        assert found["p_present"].value == 1 and 120 <= found["pr_ms"].value <= 200
        assert found["premature_ventricular"].value == found["premature_supraventricular"].value == 0
        assert 60 <= found["heart_rate_bpm"].value <= 80 and 380 <= found["qtc_ms"].value <= 430
    assert -90 < fascicular["axis_deg"].value < -45 and fascicular["qrs_ms"].value < 110
    assert 0 < normal["axis_deg"].value < 90 and normal["qrs_ms"].value < 100
    assert wide["qrs_ms"].value > 120 and wide["axis_deg"].value < 0 and wide["paced_beats"].value == 0


def test_both_rates_of_a_recording_agree(ptb_xl_500, ptb_xl_100):
    one, other = measure(read_ecg(ptb_xl_500)), measure(read_ecg(ptb_xl_100))
    for name, most in {"heart_rate_bpm": 0.3, "pr_ms": 6, "qrs_ms": 6, "qt_ms": 8, "axis_deg": 4}.items():
        assert other[name].value == pytest.approx(one[name].value, abs=most), name


def test_as_carts_measure(shared):
    """Of the patients that the thresholds were not set on."""
    differences = {name: [] for name in ("heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "axis_deg")}
    for report, header in planned(shared("mimic-iv-ecg"), Counter()):
        if header is None or fold_of(report.patient_id) % 2:
            continue
        found, cart = measure(read_ecg(header)), report.measurements
        of_cart = {
            "heart_rate_bpm": 60_000 / cart.get("rr_interval_ms", np.nan),
            "pr_ms": cart.get("qrs_onset_ms", np.nan) - cart.get("p_onset_ms", np.nan),
            "qrs_ms": cart.get("qrs_end_ms", np.nan) - cart.get("qrs_onset_ms", np.nan),
            "qt_ms": cart.get("t_end_ms", np.nan) - cart.get("qrs_onset_ms", np.nan),
            "axis_deg": cart.get("qrs_axis_deg", np.nan),
        }
        for name, value in of_cart.items():
            if np.isfinite(value):
                differences[name].append(np.nan if found[name].value is None else found[name].value - value)
    for name, most in {"heart_rate_bpm": 1, "pr_ms": 15, "qrs_ms": 10, "qt_ms": 20, "axis_deg": 6}.items():
        wrong = np.array(differences[name])
        given = wrong[np.isfinite(wrong)]
        size = np.abs((given + 180) % 360 - 180) if name == "axis_deg" else np.abs(given)
        assert len(given) >= 0.85 * len(wrong) >= 30
        assert np.median(size) <= 0.6 * most and np.mean(size > 5 * most) <= 0.05, name


@pytest.fixture(scope="module")
def annotated(shared):
    """SCP code -> measurements of up to EACH recordings of the training folds that have it."""
    folder, found = shared("ptb-xl"), {}
    with open(folder / "ptbxl_database.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            header = folder / f"{row['filename_hr']}.hea"
            wanted = {code for code in CODES & set(literal_eval(row["scp_codes"])) if len(found.get(code, ())) < EACH}
            if wanted and int(row["strat_fold"]) in SPLITS["train"] and header.exists():
                measured = measure(read_ecg(header))
                for code in wanted:
                    found.setdefault(code, []).append(measured)
    return found


def test_as_annotators_wrote(annotated):
    def median(code, name):
        return np.median([found[name].value for found in annotated[code] if found[name].value is not None])

    def share(code, name, value):
        return np.mean([found[name].value == value for found in annotated[code]])

    assert median("NORM", "pr_ms") < 170 < 210 < median("1AVB", "pr_ms")
    assert median("NORM", "qrs_ms") < 95 < 120 < median("CLBBB", "qrs_ms")
    assert all(found["heart_rate_bpm"].value < 60 for found in annotated["SBRAD"])
    assert all(found["heart_rate_bpm"].value > 100 for found in annotated["STACH"])
    assert share("AFIB", "p_present", 0) >= 0.85 and share("NORM", "p_present", 1) >= 0.95
    assert share("PVC", "premature_ventricular", 0) <= 0.3 and share("NORM", "premature_ventricular", 0) >= 0.95
    assert share("PACE", "paced_beats", 1) == 1 and share("NORM", "paced_beats", 0) == 1


def test_what_is_normal_lies_within_the_usual_limits(annotated):
    """98 % limits of adults with normal ECGs (Rijnbeek et al., J Electrocardiol 47:914-921, 2014), a little wider."""
    for name, least, most in (("pr_ms", 105, 225), ("qrs_ms", 65, 120), ("qtc_ms", 350, 480)):
        values = [found[name].value for found in annotated["NORM"] if found[name].value is not None]
        assert len(values) >= 0.9 * EACH and np.mean([least <= value <= most for value in values]) >= 0.95, name


def test_the_rate_of_sampling_hardly_matters(ptb_xl_500):
    recording = read_ecg(ptb_xl_500)
    one = measure(recording)
    for rate in (100.0, 250.0, 360.0, 1000.0):
        other = measure(type(recording)("again", resample(recording.signal, recording.rate, rate), rate))
        for name, most in {"heart_rate_bpm": 0.3, "pr_ms": 6, "qrs_ms": 6, "qt_ms": 8, "axis_deg": 5}.items():
            assert other[name].value == pytest.approx(one[name].value, abs=most), (rate, name)
