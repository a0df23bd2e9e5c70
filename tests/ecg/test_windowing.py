"""What the encoder takes: windows of one length, normalised by name."""

import numpy as np
import pytest
from known_ecgs import regular

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
