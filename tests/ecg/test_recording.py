"""Lead names, order, derivation, and what cannot be a 12-lead ECG."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meit.ecg.quality import UNUSABLE, inspect
from meit.ecg.recording import (
    CHEST_LEADS,
    LEADS,
    Recording,
    assemble,
    canonical_lead,
    check_leads,
    check_usable,
)
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
    for signal in (
        np.zeros((1000, 11), np.float32),
        np.zeros((1000, 13)),
        np.zeros(12, np.float32),
        np.zeros((1, 1000, 12)),
        np.zeros((1000, 12), complex),
        np.full((1000, 12), "0.1"),
        np.full((1000, 12), None),
        None,
    ):
        with pytest.raises(RecordingError, match=r"must be real numbers of shape \(n_samples, 12\)"):
            Recording("x", signal, RATE)
    with pytest.raises(RecordingError, match=r"signal\.T"):
        Recording("x", np.zeros((12, 1000)), RATE)


@pytest.mark.parametrize("rate", [None, "500", float("nan"), 0, -500.0])
def test_a_rate_by_hand_is_checked_too(rate):
    with pytest.raises(RecordingError, match="sampling rate"):
        Recording("x", np.zeros((1000, 12)), rate)


def by_hand(columns, value):
    signal = np.stack(list(some_leads().values()), axis=1)
    signal[:, [LEADS.index(lead) for lead in columns]] = value
    return Recording("x", signal, RATE)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("columns", [LEADS[:6], ("II",), ("V3", "V4", "V5", "V6")])
def test_leads_without_a_sample_are_missing_whoever_made_the_recording(columns, value):
    recording = by_hand(columns, value)
    assert recording.missing == columns and np.isnan(recording.lead(columns[0])).all()
    with pytest.raises(RecordingError, match=f"{', '.join(columns)} (is|are) missing"):
        check_leads(recording, 1)


def test_a_recording_that_holds_nothing_is_unusable():
    for signal in (np.zeros((0, 12)), np.full((1000, 12), np.nan)):
        recording = Recording("x", signal, RATE)
        assert recording.missing == LEADS and inspect(recording).verdict == UNUSABLE
        with pytest.raises(RecordingError, match="missing"):
            check_leads(recording, 6)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16, np.uint8, ">f8"])
def test_any_real_numbers_are_kept_as_float32_and_apart_from_what_was_given(dtype):
    given_signal = np.arange(12_000).reshape(1000, 12).astype(dtype)
    before = given_signal.astype(np.float32)
    recording = Recording("x", given_signal, 100)
    given_signal[:] = 0
    assert recording.signal.dtype == np.float32 and isinstance(recording.rate, float)
    np.testing.assert_array_equal(recording.signal, before)
    with pytest.raises(ValueError, match="read-only"):
        recording.signal[0] = 1


def test_replacing_the_signal_tells_anew_what_is_missing():
    recording = assemble(some_leads(("I", "II", *CHEST_LEADS)), RATE, name="x")
    assert recording.derived == LEADS[2:6]
    signal = recording.signal.copy()
    signal[:, [2, 7]] = np.nan
    changed = replace(recording, signal=signal)
    assert (changed.missing, changed.derived) == (("III", "V2"), LEADS[3:6])
    assert replace(recording, name="y").signal is recording.signal  # not copied: it cannot be written to


def test_too_short_says_how_long_and_what_is_needed():
    with pytest.raises(RecordingError, match="only 2 s recorded; at least 5 s"):
        check_usable(assemble(some_leads(seconds=2), RATE, name="x"))
    leads = some_leads()
    for values in leads.values():
        values[300:] = np.nan  # ten seconds long, three of them recorded
    with pytest.raises(RecordingError, match="only 3 s recorded"):
        check_usable(assemble(leads, RATE, name="x"))
