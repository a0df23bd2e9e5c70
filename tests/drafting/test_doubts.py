"""A normal report over a recording that the encoder finds abnormal is doubted."""

import pytest

from meit.drafting.doubts import doubts, hidden_rhythm
from meit.reports.word_tables import scp_codes

FINDINGS = ("NORM", "SR", "CRBBB", "IRBBB", "axis:LAD")


def test_the_doubt_names_its_reasons_likeliest_first():
    (line,) = doubts("Sinus rhythm. Normal ECG.", FINDINGS, [0.19, 0.98, 0.28, 0.54, 0.6])
    assert line == (
        "the draft says normal, but the encoder's probability of a normal ECG is 19% "
        "(incomplete right bundle branch block 54%, complete right bundle branch block 28%)"
    )


def test_without_a_likely_finding_it_says_so():
    assert "no single finding stands out" in doubts("No definite pathology.", FINDINGS, [0.3, 0.9, 0.1, 0.1, 0.9])[0]


@pytest.mark.parametrize(
    ("report", "normal"),
    [
        ("Sinus rhythm. Normal ECG.", 0.8),
        ("Sinus rhythm. Right bundle branch block.", 0.1),
        ("Sinus rhythm. Left axis. Otherwise normal ECG.", 0.1),
        ("", 0.1),
    ],
)
def test_else_nothing_is_doubted(report, normal):
    assert doubts(report, FINDINGS, [normal, 0.9, 0.9, 0.1, 0.1]) == []


def test_an_encoder_that_knows_no_normal_doubts_nothing():
    assert doubts("Normal ECG.", ("AFIB",), [0.9]) == []


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


def test_noise_is_not_drafted_as_fibrillation_in_silence(example):
    """A real recording under muscle noise at 0 dB: unusable, or the rhythm is doubted wherever it is drafted."""
    import numpy as np

    import meit
    from meit.ecg.noise import NOISES
    from meit.ecg.recording import Recording
    from meit.model.shipped import default_model

    clean = meit.read_ecg(example.with_name("00178_lr"))
    model = meit.load_model(default_model())
    for seed in range(4):
        noisy = NOISES["muscle artefact"].add(clean.signal.copy(), clean.rate, 0.0, np.random.default_rng(seed))
        draft = meit.draft_report(model, Recording("noisy", noisy, clean.rate))
        assert (
            draft.unusable
            or "ibrillation" not in draft.report
            or any("look for P waves" in one for one in draft.warnings)
        )
