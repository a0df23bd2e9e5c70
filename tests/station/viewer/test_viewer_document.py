"""What the viewer is given: the document, the samples, and filters that do what their names say."""

import json

import numpy as np
import pytest
from stations import EXAMPLES

from meit.drafting.examine import examine
from meit.ecg import paper, read_ecg
from meit.ecg.measure import measure
from meit.ecg.recording import LEADS, Recording
from meit.errors import MeitError
from meit.station import viewer_document
from meit.station.viewer_filters import choices, filtered, written


def tone(hz: float, rate: float = 1000.0, seconds: float = 20.0) -> Recording:
    time = np.arange(round(rate * seconds)) / rate
    return Recording("tone", np.tile(np.sin(2 * np.pi * hz * time)[:, None], (1, 12)).astype(np.float32), rate)


def gain(recording: Recording, band: str, mains: str = "off") -> float:
    """How much is left of a tone, away from the ends; negative where it is turned over."""
    middle = slice(len(recording.signal) // 4, -len(recording.signal) // 4)
    before, after = recording.signal[middle, 0], filtered(recording, band, mains)[middle, 0]
    return float(before @ after / (before @ before))


@pytest.mark.parametrize(
    ("band", "hz", "left"),
    [
        ("0.05-150", 0.05, 0.707),
        ("0.05-150", 0.5, 1.0),
        ("0.05-150", 40, 1.0),
        ("0.05-150", 150, 0.707),
        ("0.05-150", 400, 0.01),
        ("0.5-40", 0.5, 0.707),
        ("0.5-40", 0.05, 0.0),
        ("0.5-40", 5, 1.0),
        ("0.5-40", 40, 0.707),
        ("0.5-40", 200, 0.0),
        ("none", 0.05, 1.0),
    ],
)
def test_a_band_is_3_db_down_at_its_corners(band, hz, left):
    assert gain(tone(hz, 400 if hz < 1 else 1000, 160 if hz < 1 else 10), band) == pytest.approx(left, abs=0.02)


@pytest.mark.parametrize("rate", [360.0, 500.0])  # 150 Hz lies near half of 360 Hz, where a corner would be warped
def test_corners_hold_at_other_rates(rate):
    assert gain(tone(150, rate), "0.05-150") == pytest.approx(0.707, abs=0.02)


@pytest.mark.parametrize(
    ("mains", "hz", "left"), [("50", 50, 0.0), ("50", 60, 1.0), ("60", 60, 0.0), ("60", 50, 1.0), ("50", 50.75, 0.707)]
)
def test_the_notch_takes_the_mains_alone(mains, hz, left):
    assert gain(tone(hz), "none", mains) == pytest.approx(left, abs=0.03)


def test_filters_move_no_wave(example):
    recording = read_ecg(example)
    beat = slice(1460, 1540)  # with one R wave
    for band, mains in (("0.05-150", "off"), ("0.5-40", "off"), ("none", "50")):
        before, after = recording.lead("V4")[beat], filtered(recording, band, mains)[beat, LEADS.index("V4")]
        assert abs(int(np.argmax(before)) - int(np.argmax(after))) <= 1


def test_gaps_stay_gaps(example):
    recording = read_ecg(example)
    signal = recording.signal.copy()
    signal[1000:1200, 3] = signal[:, 7] = np.nan
    after = filtered(Recording("gaps", signal, 500.0), "0.5-40", "50")
    assert (np.isnan(after) == np.isnan(signal)).all()


def test_what_a_rate_cannot_bear_is_not_offered():
    slow = tone(5, rate=100.0)
    assert choices(slow)["mains"] == ["off"] and "nothing above 50 Hz" in written(slow, "0.05-150", "off")
    assert gain(slow, "0.05-150") == pytest.approx(1, abs=0.01)
    for band, mains in (("none", "50"), ("1-30", "off"), ("none", "55")):
        with pytest.raises(MeitError, match="no such filter at 100 Hz"):
            viewer_document.signal_bytes(slow, band, mains)


def test_the_document_says_what_was_measured(example):
    recording = read_ecg(example)
    found = viewer_document.document(examine(recording))
    json.dumps(found, allow_nan=False)
    measured = measure(recording)
    rows = {row["name"]: row for row in found["measurements"]}
    assert rows["qrs_ms"]["text"] == f"{measured['qrs_ms'].value:.0f} ms" and rows["axis_deg"]["text"] == "−29°"
    beat = found["median_beat"]
    for name, interval in beat["intervals"].items():
        assert interval["ms"] == measured[name].value
        assert 1000 * (beat["marks"][interval["to"]] - beat["marks"][interval["from"]]) == pytest.approx(interval["ms"])
    assert set(beat["intervals"]) == {"p_ms", "pr_ms", "qrs_ms", "qt_ms"}
    onset = round(-beat["start_s"] * beat["rate_hz"])
    assert all(values[onset] == 0 for values in beat["leads"].values())
    rr = np.diff([one["at_s"] for one in found["beats"] if one["usual"]])
    assert 60 / rr.mean() == pytest.approx(measured["heart_rate_bpm"].value, rel=0.02)
    assert found["by_lead"]["rows"]["V1"][2] == f"{measured.lead('V1', 'r_mv').value:.2f} mV"


def test_a_recording_without_beats_says_why():
    rng = np.random.default_rng(0)
    noise = Recording("noise", rng.normal(0, 0.1, (5000, 12)).astype(np.float32), 500.0)
    found = viewer_document.document(examine(noise))
    json.dumps(found, allow_nan=False)
    assert found["median_beat"]["why_absent"] and not found["median_beat"]["leads"]
    assert all(row["why"] for row in found["measurements"] if not row["text"])


def test_samples_are_the_recording(example):
    recording = read_ecg(example)
    read = np.frombuffer(viewer_document.signal_bytes(recording), "<f4").reshape(12, -1)
    assert (recording.signal == read.T).all()


def test_of_a_long_recording_the_beginning(monkeypatch, example):
    monkeypatch.setattr(viewer_document, "MOST_SAMPLES", 2000)
    recording = read_ecg(example)
    found = viewer_document.document(examine(recording))
    assert (found["samples"], found["seconds"]) == (2000, 10.0)
    assert len(viewer_document.signal_bytes(recording, "0.5-40")) == 4 * 12 * 2000


def test_layouts_hold_every_lead_once():
    assert viewer_document.LAYOUTS["3x4"][1] == paper.ROWS
    for name, (_, rows) in viewer_document.LAYOUTS.items():
        leads = [lead for row in rows for lead in row if len(row) > 1 or name == "12x1"]
        assert sorted(leads) == sorted(LEADS)


def test_a_document_of_another_format_is_made_anew():
    """Kept documents are told by their beginning, and 1 is the beginning of 10."""
    kept = viewer_document.as_json(examine(read_ecg(EXAMPLES / "00041_lr")))
    assert kept.startswith(viewer_document.DOCUMENT_HEAD) and not json.dumps({"format": 10, "name": ""}).startswith(
        viewer_document.DOCUMENT_HEAD
    )
