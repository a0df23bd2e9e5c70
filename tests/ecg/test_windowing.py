"""What the encoder takes: windows of one length, normalised by name."""

import numpy as np
import pytest
from known_ecgs import regular

from meit.ecg.signal.gaps import recorded_signal, surely_recorded
from meit.ecg.signal.normalising import NORMALISATIONS, normalise
from meit.ecg.signal.windowing import first_windows, model_input


def test_the_band_is_the_usual_normalisation():
    signal = regular(rate=100.0).signal
    (ecgs, masks), (again, _) = model_input(signal, 100, "mV", 100, 10), model_input(signal, 100, "mV", 100, 10, "band")
    np.testing.assert_array_equal(ecgs, again)
    np.testing.assert_array_equal(ecgs[0], normalise(signal, 100))
    assert masks.all() and ecgs.shape == (1, 1000, 12)


def test_min_max_reaches_from_0_to_1_over_all_leads_together():
    signal = regular().signal
    (ecg,), _ = model_input(signal, 500, "mV", 500, 10, "min-max")
    assert ecg.dtype == np.float32 and ecg.shape == (5000, 12)
    np.testing.assert_allclose(ecg, (signal - signal.min()) / np.ptp(signal), atol=1e-6)


def test_min_max_leaves_out_what_was_not_recorded():
    signal = regular().signal.copy()
    signal[:, 3], signal[1000:1200, 7] = np.nan, np.nan
    ecg = NORMALISATIONS["min-max"](signal, 500.0, "mV")
    assert np.isfinite(ecg).all() and not ecg[:, 3].any() and not ecg[1000:1200, 7].any()
    there = signal[np.isfinite(signal)]
    np.testing.assert_allclose(ecg[np.isfinite(signal)], (there - there.min()) / np.ptp(there), atol=1e-6)


@pytest.mark.parametrize("name", NORMALISATIONS)
@pytest.mark.parametrize("fill", [np.nan, 0.0, 1.5])
def test_a_signal_that_holds_nothing_is_zeros(name, fill):
    assert not NORMALISATIONS[name](np.full((500, 12), fill, np.float32), 100.0, "mV").any()


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_another_unit_is_refused(name):
    with pytest.raises(ValueError, match="unit must be"):
        NORMALISATIONS[name](regular().signal, 500.0, "uV")


def test_another_normalisation_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="'none'.*band, min-max"):
        model_input(regular().signal, 500, "mV", 100, 10, "none")


def test_the_first_windows_of_several():
    signals = [(regular().signal, 500.0, "mV"), (regular(seconds=25.0).signal, 500.0, "mV")]
    ecgs, masks = first_windows(signals, 100, 10, "min-max")
    assert ecgs.shape == (2, 1000, 12) and masks.all()
    np.testing.assert_array_equal(ecgs[1], model_input(*signals[1], 100, 10, "min-max")[0][0])


def at_100_hz(count: int) -> list[np.ndarray]:
    """Noisy recordings of 10 s, far from zero and wandering, as float32 has them."""
    rng = np.random.default_rng(3)
    time = np.arange(1000)[:, None] / 100
    beats = regular(rate=100.0).signal[:1000]
    wander = [rng.normal(0, 2, 12) + np.sin(time * rng.uniform(0.5, 2, 12)) for _ in range(count)]
    return [(beats + away + rng.normal(0, 0.03, beats.shape)).astype(np.float32) for away in wander]


def test_many_windows_are_those_of_each_alone():
    """To float32's rounding what a recording gives when it is drafted; to the bit whatever else is made with it."""
    signals = at_100_hz(21)
    signals[4][:, 7] = 0.25  # flat throughout
    signals[6][:, 2] *= 40  # clipped
    together, masks = first_windows([(signal, 100.0, "mV") for signal in signals], 100, 10)
    assert masks.all()
    for signal, ecg in zip(signals, together, strict=True):
        np.testing.assert_allclose(ecg, model_input(signal, 100, "mV", 100, 10)[0][0], atol=3e-5)
        assert first_windows([(signal, 100.0, "mV")], 100, 10)[0][0].tobytes() == ecg.tobytes()


HOLES = (  # what was not recorded, in one way each; and what was, though it looks nearly so
    (300, 302, slice(3, 4), np.nan),
    (0, 400, slice(None), 0.0),
    (880, 1000, slice(None), 1.5),
    (500, 522, slice(None), -0.25),
    (500, 514, slice(None), -0.25),
    (200, 330, slice(8, 9), 0.75),
    (200, 290, slice(8, 9), 0.75),
    (0, 1000, slice(8, 9), 0.75),
)


@pytest.mark.parametrize("hole", HOLES)
def test_windows_with_something_to_mend_are_mended(hole):
    (start, stop, leads, value), (signal, other) = hole, at_100_hz(2)
    signal[start:stop, leads] = value
    mended = recorded_signal(signal, 100.0) is not signal
    assert surely_recorded(np.stack([other, signal]), 100.0).tolist() in ([True, False], [True, not mended])
    (_, ecg), (_, mask) = first_windows([(other, 100.0, "mV"), (signal, 100.0, "mV")], 100, 10)
    (alone,), (alone_mask,) = model_input(signal, 100, "mV", 100, 10)
    np.testing.assert_allclose(ecg, alone, atol=3e-5)
    np.testing.assert_array_equal(mask, alone_mask)


def test_most_holes_are_told_from_what_only_looks_like_one():
    signals = []
    for start, stop, leads, value in HOLES:
        (signal,) = at_100_hz(1)
        signal[start:stop, leads] = value
        signals.append(signal)
    mended = [recorded_signal(signal, 100.0) is not signal for signal in signals]
    assert mended == [True, True, True, True, False, True, False, False]
    assert not (surely_recorded(np.stack(signals), 100.0) & np.array(mended)).any()
