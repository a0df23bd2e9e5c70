"""Against sines of known frequency, against PTB-XL's own 100 Hz records, and the rule for windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meit.ecg import find_recordings, read_ecg
from meit.ecg.signal.resampling import resample
from meit.ecg.signal.windowing import windows


def sine(hz, rate, seconds=10.0):
    t = np.arange(round(rate * seconds)) / rate
    return np.repeat(np.sin(2 * np.pi * hz * t)[:, None], 12, axis=1).astype(np.float32)


@pytest.mark.parametrize("rate_from", [128, 250, 257, 360, 400, 500, 977.3, 1000])
@pytest.mark.parametrize("rate_to", [100, 250, 500])
def test_a_sine_stays_itself(rate_from, rate_to):
    out = resample(sine(8, rate_from), rate_from, rate_to)
    assert abs(len(out) - 10 * rate_to) <= 2 and out.dtype == np.float32
    wanted = np.sin(2 * np.pi * 8 * np.arange(len(out)) / rate_to)
    middle = slice(rate_to // 2, -rate_to // 2)
    np.testing.assert_allclose(out[middle, 0], wanted[middle], atol=0.01)


def test_what_the_new_rate_cannot_hold_vanishes():
    for hz in (70, 95, 130, 240):  # would fold onto 30, 5, 30 and 40 Hz
        out = resample(sine(hz, 500), 500, 100)
        assert np.abs(out[50:-50]).max() < 0.005
    assert np.abs(sine(70, 500)[::5]).max() > 0.9  # as it does without a filter


def test_an_offset_does_not_ring_at_the_ends():
    signal = np.full((5000, 12), 3.0, np.float32) + np.linspace(0, 1, 5000, dtype=np.float32)[:, None]
    out = resample(signal, 500, 100)
    np.testing.assert_allclose(out[:, 0], np.interp(np.arange(1000) * 5, np.arange(5000), signal[:, 0]), atol=0.01)


def test_gaps_stay_gaps_and_do_not_spread():
    signal = sine(2, 500)
    whole = resample(signal, 500, 100)
    signal[2000:2250, 3] = np.nan
    signal[:, 5] = np.nan
    out = resample(signal, 500, 100)
    assert np.isnan(out[400:450, 3]).all() and np.isnan(out[:, 3]).sum() <= 51
    assert np.isnan(out[:, 5]).all() and np.isfinite(np.delete(out, [3, 5], axis=1)).all()
    np.testing.assert_allclose(out[np.r_[:380, 470:1000], 3], whole[np.r_[:380, 470:1000], 3], atol=0.01)


def test_same_rate_and_wrong_rates():
    signal = sine(5, 100)
    np.testing.assert_array_equal(resample(signal, 100, 100), signal)
    assert resample(signal[:0], 500, 100).shape == (0, 12)
    for rates in ((0, 100), (100, 0), (-1, 100), (float("nan"), 100), (1e9, 1)):
        with pytest.raises(ValueError):
            resample(signal, *rates)


def test_ptb_xl_500_becomes_its_100(ptb_xl_100, ptb_xl_500):
    assert_alike(ptb_xl_500, ptb_xl_100)


def test_all_of_ptb_xl_500_becomes_its_100(shared):
    for fine in find_recordings(shared("ptb-xl") / "records500")[::10]:
        coarse = shared("ptb-xl") / "records100" / fine.parent.name / fine.name.replace("_hr", "_lr")
        assert_alike(fine, coarse)


def assert_alike(fine, coarse):
    # PTB-XL's 100 Hz records lie 1 to 2 ms late against its 500 Hz ones; ours are in time, as the sines show
    late = np.roll(read_ecg(fine).signal, -1, axis=0)
    ours, theirs = resample(late, 500, 100), read_ecg(coarse).signal
    assert ours.shape == theirs.shape
    correlations = [np.corrcoef(ours[20:-20, n], theirs[20:-20, n])[0, 1] for n in range(12)]
    assert np.median(correlations) > 0.99 and min(correlations) > 0.95, correlations


@settings(deadline=None)
@given(n=st.integers(1, 6000), rate=st.sampled_from([50.0, 100.0, 128.0]), seconds=st.sampled_from([2.5, 10.0]))
def test_windows_follow_the_rule(n, rate, seconds):
    signal = np.repeat(np.arange(n, dtype=np.float32)[:, None], 12, axis=1)
    length = round(rate * seconds)
    found = windows(signal, rate, seconds)
    assert all(w.signal.shape == (length, 12) and w.mask.shape == (length,) for w in found)
    assert [w.start_s for w in found] == [k * length / rate for k in range(len(found))]
    kept = np.concatenate([w.signal[w.mask, 0] for w in found])
    np.testing.assert_array_equal(kept, np.arange(len(kept)))  # all there, once, in order
    assert all(np.isnan(w.signal[~w.mask]).all() for w in found)
    if n <= 1.05 * length:
        assert len(found) == 1 and len(kept) == min(n, length)
    else:
        assert 0 <= n - len(kept) < length / 2
        assert found[-1].mask.mean() >= 0.5 and all(w.mask.all() for w in found[:-1])


@pytest.mark.parametrize(("seconds", "count"), [(0.5, 1), (9, 1), (10, 1), (10.5, 1), (10.6, 1), (15, 2), (30, 3)])
def test_windows_of_usual_lengths(seconds, count):
    assert len(windows(np.zeros((round(seconds * 100), 12), np.float32), 100)) == count


def test_a_gap_in_one_lead_is_not_masked_and_a_gap_in_all_is():
    signal = np.zeros((1000, 12), np.float32)
    signal[:100, 3] = np.nan
    signal[200:300] = np.nan
    (window,) = windows(signal, 100)
    assert window.mask.sum() == 900 and not window.mask[200:300].any()


def test_windows_of_nothing():
    assert windows(np.zeros((0, 12), np.float32), 100) == []
    with pytest.raises(ValueError):
        windows(np.zeros((10, 12), np.float32), 100, seconds=0)
