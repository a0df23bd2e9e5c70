"""Values that mean "not recorded" and are ECG all the same: padding comes in runs, and in all channels at once."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_ecgs import regular
from made_files import write_mfer
from pydicom.data import get_testdata_file

from meit.ecg.files.formats import read_ecg
from meit.ecg.files.vendor.padding import unpadded
from meit.ecg.measure import measure
from meit.ecg.recording import LEADS, Recording, canonical_lead

RATE = 500
STEP_MV = 0.005


@pytest.fixture(scope="module")
def steps() -> np.ndarray:
    """(5000, 12) of a known ECG at 72 beats/min, steps of 5 uV."""
    return np.rint(regular(bpm=72, rate=RATE, noise_mv=0.002).signal / STEP_MV).astype(np.int64)


@pytest.fixture
def write(tmp_path):
    """Writes steps as a DICOM 12-lead waveform with a padding value."""

    def object_(values: np.ndarray, padding: int, name: str = "x.dcm") -> Path:
        dataset = pydicom.dcmread(get_testdata_file("waveform_ecg.dcm", download=False))
        rhythm = dataset.WaveformSequence[0]
        rhythm.NumberOfWaveformSamples, rhythm.SamplingFrequency = len(values), RATE
        order = [str(c.ChannelSourceSequence[0].CodeMeaning).split("(")[0] for c in rhythm.ChannelDefinitionSequence]
        rhythm.WaveformData = values[:, [LEADS.index(canonical_lead(lead)) for lead in order]].astype("<i2").tobytes()
        rhythm.add_new("WaveformPaddingValue", "OW", np.int16(padding).tobytes())
        for channel in rhythm.ChannelDefinitionSequence:
            channel.ChannelSensitivity = STEP_MV * 1000
            channel.ChannelSensitivityCorrectionFactor, channel.ChannelBaseline = "1", "0"
        dataset.save_as(tmp_path / name)
        return tmp_path / name

    return object_


@pytest.mark.parametrize("padding", [0, 1, -3, 20, -32768, 9000])
def test_what_the_signal_reaches_is_ecg(write, steps, padding):
    recording = read_ecg(write(steps, padding))
    np.testing.assert_allclose(recording.signal, steps * STEP_MV, atol=1e-6)


def test_measured_as_without_a_padding_value(write, steps):
    measured = measure(read_ecg(write(steps, 0)))
    plain = measure(read_ecg(write(steps, -32768)))
    for name in ("heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "axis_deg"):
        assert measured[name] == plain[name] and measured[name].value is not None


@pytest.mark.parametrize("padding", [0, 5, -32768])
@pytest.mark.parametrize("where", [slice(0, 400), slice(4600, 5000), slice(2000, 2700)])
def test_runs_in_all_channels_are_padding(write, steps, padding, where):
    padded = steps.copy()
    padded[where] = padding
    recording = read_ecg(write(padded, padding))
    lost = np.zeros(len(steps), dtype=bool)
    lost[where] = True
    found = np.isnan(recording.signal).all(axis=1)
    assert (found & lost).sum() == lost.sum() and (found & ~lost).sum() <= 5  # a neighbour may have the value too
    np.testing.assert_array_equal(np.isnan(recording.signal).any(axis=1), found)


def test_a_short_run_between_jumps_is_padding(write, steps):
    padded = steps + 60  # an offset of 0.3 mV, as of a baseline that wanders
    padded[2100:2130] = 0
    found = np.isnan(read_ecg(write(padded, 0)).signal)
    assert found[2100:2130].all() and found.sum() == 30 * 12


def test_one_channel_alone(write, steps):
    """A second at one value is no ECG; less may be, unless the value is out of the signal's reach."""
    padded = steps.copy()
    padded[1000:1600, 7] = 0
    padded[3000:3100, 7] = 0
    found = np.isnan(read_ecg(write(padded, 0)).signal)
    assert found[1000:1600, 7].all() and not found[3000:3100, 7].any() and not np.delete(found, 7, axis=1).any()
    padded = steps.copy()
    padded[1000:1002, 7] = -32768
    found = np.isnan(read_ecg(write(padded, -32768)).signal)
    assert found[1000:1002, 7].all() and found.sum() == 2


def test_a_channel_of_padding_throughout(write, steps):
    padded = steps.copy()
    padded[:, 9] = 0
    assert read_ecg(write(padded, 0), allow_missing=True).missing == ("V4",)


@pytest.mark.parametrize("null", [0, 3, -32768])
def test_the_null_value_of_mfer(tmp_path, steps, null):
    values = steps.copy()
    values[1000:1600] = null
    plain = read_ecg(write_mfer(tmp_path / "plain", Recording("x", values / 1000, RATE), null=null))
    lost = np.isnan(plain.signal)
    assert lost[1000:1600].all() and lost.sum() <= 605 * 12
    np.testing.assert_allclose(plain.signal[~lost], values[~lost] / 1000, atol=1e-6)


def test_a_real_export_with_padding_zero(shared):
    """The same ECG as SCP-ECG: the cart states PR 148, QRS 120, QT 420, axis -61."""
    vendor = shared("vendor")
    padded = read_ecg(vendor / "dicom" / "ecg_toolkit_example_padding0.dcm")
    scp = read_ecg(vendor / "scp_ecg" / "ecg_toolkit_example.scp")
    np.testing.assert_allclose(padded.signal, scp.signal, atol=1e-6)
    measured = measure(padded)
    assert abs(measured["pr_ms"].value - 148) <= 10 and abs(measured["axis_deg"].value + 61) <= 5


@settings(max_examples=60, deadline=None)
@given(st.integers(-40, 40), st.integers(1, 8), st.randoms(use_true_random=False))
def test_no_ecg_is_ever_taken_for_padding_nor_changed(padding, scale, random):
    values = np.random.default_rng(random.randint(0, 10**6)).normal(0, 4 * scale, (1500, 8)).round()
    given_ = np.where(values == padding, np.nan, values)
    np.testing.assert_array_equal(unpadded(given_, padding, RATE), values)
