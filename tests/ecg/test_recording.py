"""Lead names, order, derivation, and what cannot be a 12-lead ECG."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meit.ecg.recording import CHEST_LEADS, LEADS, Recording, assemble, canonical_lead, check_usable
from meit.errors import RecordingError

RATE = 100.0


def some_leads(names=LEADS, seconds=10.0, seed=0):
    """Random leads that obey Einthoven's law; {name: (n_samples,)}."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE)
    one, two = rng.normal(size=(2, n))
    limb = {
        "I": one,
        "II": two,
        "III": two - one,
        "aVR": -(one + two) / 2,
        "aVL": one - two / 2,
        "aVF": two - one / 2,
    }
    every = limb | {lead: rng.normal(size=n) for lead in CHEST_LEADS}
    return {name: every[name] for name in names}


@given(
    lead=st.sampled_from(LEADS),
    recase=st.sampled_from([str, str.upper, str.lower, str.title]),
    prefix=st.sampled_from(["", "Lead ", "lead_", "ECG ", "ECG_", "EKG:", "MDC_ECG_LEAD_"]),
    pad=st.sampled_from(["", " ", "\t"]),
)
def test_every_spelling_of_a_lead_is_found(lead, recase, prefix, pad):
    assert canonical_lead(pad + prefix + recase(lead) + pad) == lead


@pytest.mark.parametrize("name", ["MLII", "-aVR", "vx", "X", "ABP", "V7", "V3R", "V", "", "IV", "I+III", "1", "lead"])
def test_what_is_no_true_equivalent_is_none(name):
    assert canonical_lead(name) is None


@given(st.text(max_size=12))
def test_any_text_gives_a_lead_or_none(name):
    assert canonical_lead(name) in (*LEADS, None)


def test_leads_are_ordered_by_name_whatever_the_order_given():
    leads = some_leads()
    shuffled = {name.upper(): leads[name] for name in reversed(LEADS)}
    recording = assemble(shuffled, RATE, name="x")
    for lead in LEADS:
        np.testing.assert_array_equal(recording.lead(lead), leads[lead].astype(np.float32))
    assert recording.derived == recording.missing == ()
    assert recording.signal.dtype == np.float32 and recording.seconds == 10.0


@pytest.mark.parametrize("given_leads", [("I", "II"), ("I", "III"), ("II", "III"), ("I", "II", "aVF")])
def test_limb_leads_are_derived_from_any_two(given_leads):
    leads = some_leads()
    recording = assemble({name: leads[name] for name in given_leads + CHEST_LEADS}, RATE, name="x")
    assert recording.derived == tuple(lead for lead in LEADS[:6] if lead not in given_leads)
    for lead in LEADS:
        np.testing.assert_allclose(recording.lead(lead), leads[lead], atol=1e-5)


def test_a_lead_that_is_nan_throughout_counts_as_absent():
    leads = some_leads()
    leads["aVL"] = leads["V3"] = np.full(1000, np.nan)
    with pytest.raises(RecordingError, match=r"V3 is missing"):
        assemble(leads, RATE, name="x")
    recording = assemble(leads, RATE, name="x", allow_missing=True)
    assert (recording.missing, recording.derived) == (("V3",), ("aVL",))
    assert np.isnan(recording.lead("V3")).all() and np.isfinite(recording.lead("aVL")).all()


def test_three_leads_only_names_the_missing_ones():
    with pytest.raises(RecordingError, match="aVF, V2, V3, V4, V5, V6 are missing|V2, V3, V4, V5, V6 are missing"):
        assemble(some_leads(("I", "II", "V1")), RATE, name="x")


@pytest.mark.parametrize(
    ("leads", "words"),
    [
        ({}, "none of the 12 leads"),
        ({"MLII": np.zeros(1000)}, "none of the 12 leads"),
        ({lead: np.full(1000, np.nan) for lead in LEADS}, "all are empty or NaN"),
        ({lead: np.zeros(0) for lead in LEADS}, "all are empty or NaN"),
        ({"I": np.zeros(10), "II": np.zeros(11)}, "differ in length"),
        ({"I": np.zeros(10), "Lead I": np.zeros(10)}, "twice"),
    ],
)
def test_what_is_no_recording_is_refused(leads, words):
    with pytest.raises(RecordingError, match=words):
        assemble(leads, RATE, name="x", allow_missing=True)


@pytest.mark.parametrize("rate", [0.0, -1.0, 1.0, 1e9, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(RecordingError, match="sampling rate"):
        assemble(some_leads(), rate, name="x")


def test_wrong_shapes_are_refused():
    for signal in (np.zeros((1000, 11), np.float32), np.zeros((1000, 12)), np.zeros(12, np.float32)):
        with pytest.raises(RecordingError, match="shape"):
            Recording("x", signal, RATE)


def test_too_short_says_how_long_and_what_is_needed():
    with pytest.raises(RecordingError, match="only 2 s recorded; at least 5 s"):
        check_usable(assemble(some_leads(seconds=2), RATE, name="x"))
    leads = some_leads()
    for values in leads.values():
        values[300:] = np.nan  # ten seconds long, three of them recorded
    with pytest.raises(RecordingError, match="only 3 s recorded"):
        check_usable(assemble(leads, RATE, name="x"))
