"""A normal report over a recording that the encoder finds abnormal is doubted."""

import pytest

from meit.drafting.checks.draft_doubts import hidden_rhythm, partly_read, unlikely_normal
from meit.reports.word_tables import scp_codes

ABNORMAL = {"NORM": 0.1, "SR": 0.9, "CRBBB": 0.9, "IRBBB": 0.1, "axis:LAD": 0.1}


def test_the_doubt_names_its_reasons_likeliest_first():
    probabilities = {"NORM": 0.19, "SR": 0.98, "CRBBB": 0.28, "IRBBB": 0.54, "axis:LAD": 0.6}
    (line,) = unlikely_normal("Sinus rhythm. Normal ECG.", probabilities)
    assert line == (
        "the draft says normal, but the encoder's probability of a normal ECG is 19% "
        "(incomplete right bundle branch block 54%, complete right bundle branch block 28%)"
    )


def test_without_a_likely_finding_it_says_so():
    (line,) = unlikely_normal("No definite pathology.", {"NORM": 0.3, "SR": 0.9, "CRBBB": 0.1, "axis:LAD": 0.9})
    assert "no single finding stands out" in line


@pytest.mark.parametrize(
    "report",
    [
        "Sinus rhythm. Normal ECG.",
        "Sinus rhythm, normal ECG",
        "Normal ECG",
        "The ECG is normal.",
        "Possibly normal ECG.",
    ],
)
def test_whatever_calls_an_abnormal_ecg_normal_is_doubted(report):
    assert len(unlikely_normal(report, ABNORMAL)) == 1


@pytest.mark.parametrize(
    "report",
    [
        "Sinus rhythm. Right bundle branch block.",
        "Sinus rhythm. Abnormal ECG.",
        "Sinus rhythm. Not a normal ECG.",
        "Sinus rhythm. Left axis. Otherwise normal ECG.",
        "Sinus rhythm. Left axis, otherwise normal ECG",
        "Normal ECG except for sinus bradycardia.",
        "Sinus rhythm. Normal PR interval.",
        "",
    ],
)
def test_what_calls_nothing_normal_is_not(report):
    assert unlikely_normal(report, ABNORMAL) == []


def test_a_normal_ecg_is_not_doubted():
    assert unlikely_normal("Sinus rhythm. Normal ECG.", ABNORMAL | {"NORM": 0.8}) == []


@pytest.mark.parametrize("probabilities", [{"AFIB": 0.9}, {}])
def test_an_encoder_that_knows_no_normal_doubts_nothing(probabilities):
    assert unlikely_normal("Normal ECG.", probabilities) == []


@pytest.mark.parametrize(
    ("seen_s", "windows", "reasons", "words"),
    [
        (10.0, 1, (), ""),
        (10.0, 3, (), "the recording has 30 s; the draft reads its first 10 s"),
        (7.5, 1, (), "only 7.5 s of 10 s are recorded"),
        (7.5, 1, ("short",), ""),  # the signal quality has said so
    ],
)
def test_a_draft_of_less_signal_than_one_would_think(seen_s, windows, reasons, words):
    assert partly_read(10.0 * windows, seen_s, 10.0, windows, reasons) == ([words] if words else [])


def test_the_codes_are_worded_as_the_reports_are():
    codes = scp_codes()
    assert len(codes) == 71 and codes["AFIB"] == "atrial fibrillation"


def test_every_code_of_the_official_table_is_there(shared):
    import pandas as pd

    assert set(scp_codes()) == set(pd.read_csv(shared / "ptb-xl" / "scp_statements.csv", index_col=0).index)


@pytest.mark.parametrize(
    ("report", "reasons", "warned"),
    [
        ("Atrial fibrillation. Right bundle branch block.", ["muscle_noise"], True),
        ("Possible atrial flutter.", ["flat", "noisy_beats"], True),
        ("Atrial fibrillation.", ["flat", "baseline_wander"], False),
        ("Sinus rhythm. No atrial fibrillation.", ["artefacts"], False),
        ("Sinus rhythm.", ["artefacts"], False),
    ],
)
def test_a_rhythm_without_p_waves_is_doubted_over_noise(report, reasons, warned):
    found = hidden_rhythm(report, reasons)
    assert bool(found) == warned and all("look for P waves" in one for one in found)


def test_noise_is_not_drafted_as_fibrillation_in_silence(shipped, example):
    """A real recording under muscle noise at 0 dB: unusable, or the rhythm is doubted wherever it is drafted."""
    import numpy as np

    import meit
    from meit.drafting.draft import draft_reports
    from meit.ecg.noise import NOISES
    from meit.ecg.recording import Recording

    clean, add = meit.read_ecg(example.with_name("00178_lr")), NOISES["muscle artefact"].add
    noisy = [add(clean.signal.copy(), clean.rate, 0.0, np.random.default_rng(seed)) for seed in range(4)]
    for draft in draft_reports(shipped, [Recording("noisy", signal, clean.rate) for signal in noisy]):
        assert (
            draft.unusable
            or "ibrillation" not in draft.report
            or any("look for P waves" in one for one in draft.warnings)
        )
