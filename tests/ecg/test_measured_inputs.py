"""Measurements as a row of numbers."""

import numpy as np

from meit.ecg.files.formats import read_ecg
from meit.ecg.measure import measure
from meit.ecg.measure.measured_inputs import measure_names, measured_inputs


def test_values_are_those_of_measure_and_nan_where_there_is_none():
    recording = read_ecg("examples/ptb-xl/00041_lr")
    ecgs, masks = np.stack([recording.signal] * 2), np.ones((2, len(recording.signal)), bool)
    masks[1] = False
    names = measure_names()
    found = measured_inputs(ecgs, masks, recording.rate, names)
    expected = measure(recording)
    assert found.shape == (2, len(names)) and np.isnan(found[1]).all()
    assert found[0, names.index("pr_ms")] == expected["pr_ms"].value
    assert found[0, names.index("V5 r_mv")] == np.float32(expected.lead("V5", "r_mv").value)
    assert np.isnan(found[0, names.index("paced_beats")])  # needs 250 Hz
    assert measured_inputs(ecgs, masks, recording.rate, ()).shape == (2, 0)
