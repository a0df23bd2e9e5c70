"""What is not recorded: a gap weighs by its length and its leads, and leads that stand still were not recorded."""

from dataclasses import replace

import numpy as np
import pytest
from known_ecgs import Heart, recording, regular

from meit.ecg.measure import measure
from meit.ecg.quality import inspect
from meit.ecg.recording import LEADS
from meit.ecg.signal.gaps import as_recorded, not_recorded, recorded_signal
from meit.ecg.signal.windowing import model_input

RATE, FROM, TO = 500, 4.0, 7.0
V6 = LEADS.index("V6")
RIGHT = {"heart_rate_bpm": (70, 0.5), "pr_ms": (160, 12), "qrs_ms": (90, 10), "qt_ms": (400, 15), "axis_deg": (50, 3)}


def changed(change, plain=None):
    """regular() with what `change` does to its samples."""
    plain = plain or regular()
    signal = plain.signal.copy()
    change(signal)
    return replace(plain, signal=signal)


def stretch(values, start=FROM, stop=TO, leads=slice(None)):
    """A change that puts values in a stretch of some leads."""

    def change(signal):
        place = slice(round(start * RATE), round(stop * RATE))
        signal[place, leads] = values(signal[place, leads]) if callable(values) else values

    return change


def is_right(found, **but):
    for name, (value, tolerated) in (RIGHT | but).items():
        assert found[name].value == pytest.approx(value, abs=tolerated), name


STILL = {
    "zeros": stretch(0),
    "another value": stretch(0.7),
    "the last value": stretch(lambda part: part[0]),
    "a rail": stretch(5.0),
    "rails": stretch(np.where(np.arange(12) % 2, 32.767, -32.768)),
    "one step to and fro": stretch(lambda part: 0.005 * (np.arange(len(part)) % 2)[:, None]),
    "one step, at random": stretch(lambda part: 0.005 * np.random.default_rng(1).integers(0, 2, part.shape)),
    "NaN": stretch(np.nan),
    "at the beginning": stretch(0, 0, 3),
    "at the end": stretch(0, 7, 10),
}


@pytest.mark.parametrize("what", STILL)
def test_leads_that_stand_still_together_were_not_recorded(what):
    stopped = changed(STILL[what])
    found, quality = measure(stopped), inspect(stopped)
    is_right(found)
    assert found["longest_rr_ms"].value == pytest.approx(857, abs=8)
    assert quality.verdict == "limited" and "not recorded for 3 s" in " ".join(quality.warnings())
    assert set(quality.gaps) == set(LEADS) and not quality.flat and not quality.saturated


def test_several_drop_outs():
    def change(signal):
        for start, stop in ((1.2, 1.9), (4.1, 4.9), (6.6, 7.8)):
            stretch(0, start, stop)(signal)

    found = measure(changed(change))
    is_right(found)
    assert found["longest_rr_ms"].value == pytest.approx(857, abs=12)


@pytest.mark.parametrize("leads", [slice(0, 6), [1, 8], [V6]])
def test_some_leads_that_stand_still_were_not_recorded(leads):
    stopped = changed(stretch(0, leads=leads))
    is_right(measure(stopped))
    names = set(np.array(LEADS)[leads])
    assert set(inspect(stopped).gaps) == names and inspect(stopped).verdict == "limited"


@pytest.mark.parametrize("quantum", [1e-6, 0.005])
def test_a_pause_with_noise_stays_a_pause(quantum):
    noise = np.random.default_rng(0).normal(0, 0.005, (round((TO - FROM) * RATE), 12))
    silent = changed(stretch(np.round(noise / quantum) * quantum))
    assert measure(silent)["longest_rr_ms"].value > 3000 and not inspect(silent).gaps


@pytest.mark.parametrize("rate", [100.0, 500.0])
@pytest.mark.parametrize("heart", [Heart(), Heart(p_mv=0)])
def test_without_any_noise_a_pause_stays_a_pause(heart, rate):
    onsets = np.delete(np.arange(300.0, 9500, 834), [5, 6])
    paused = recording(onsets, heart, rate=rate, noise_mv=0.0)
    assert measure(paused)["longest_rr_ms"].value == pytest.approx(3 * 834, abs=8)
    assert not inspect(paused).gaps and not not_recorded(regular(bpm=40, noise_mv=0.0).signal, 500.0).any()


def test_without_any_noise_a_drop_out_jumps():
    stopped = changed(stretch(0, 4.2, 7.2), regular(noise_mv=0.0))
    is_right(measure(stopped))
    assert "not recorded for" in " ".join(inspect(stopped).warnings())


def test_flat_leads_are_flat_and_not_gaps():
    def change(signal):
        signal[:, 3] = 0
        signal[:3500, 7] = 0.2

    quality = inspect(changed(change))
    assert quality.flat == ("aVR", "V2") and not quality.gaps


@pytest.mark.parametrize("leads", [V6, slice(None)])
@pytest.mark.parametrize("ms", [2, 20, 60, 150, 2000])
def test_a_gap_weighs_by_its_length_and_its_leads(ms, leads):
    gap = changed(stretch(np.nan, 4.56, 4.56 + ms / 1000, leads))
    found, quality = measure(gap), inspect(gap)
    is_right(found)
    assert found["longest_rr_ms"].value == pytest.approx(857, abs=8)
    assert found["premature_ventricular"].value == 0
    assert found.lead("V6", "r_mv").value == pytest.approx(1.1, abs=0.05)
    assert quality.verdict == ("limited" if ms == 2000 else "good")
    assert quality.gaps["V6"] == pytest.approx(ms / 1000, abs=0.003)


@pytest.mark.parametrize("what", ["single samples", "50 ms", "whole lead"])
def test_gaps_in_other_places_in_every_lead(what):
    rng = np.random.default_rng(0)

    def change(signal):
        if what == "single samples":
            signal[rng.random(signal.shape) < 0.01] = np.nan
        elif what == "50 ms":
            for lead in range(12):
                for start in rng.uniform(0, 9.9, 6):
                    stretch(np.nan, start, start + 0.05, lead)(signal)
        else:
            signal[:, V6] = np.nan

    gappy = changed(change)
    is_right(measure(gappy))
    assert inspect(gappy).verdict == ("limited" if what == "whole lead" else "good")


def test_thirteen_missing_samples_of_one_lead():
    def change(signal):
        signal[np.random.default_rng(3).choice(5000, 13, replace=False), V6] = np.nan

    plain = measure(regular())
    found = measure(changed(change))
    for name in (*RIGHT, "sokolow_lyon_mv"):
        assert found[name].value == pytest.approx(plain[name].value, abs=2), name


def test_the_model_sees_short_gaps_bridged_and_long_ones_as_nothing():
    plain = regular()
    short = changed(stretch(np.nan, 4.30, 4.302))
    (one,), (mask,) = model_input(plain.signal, 500.0, "mV", 100.0, 10.0)
    (other,), (gappy,) = model_input(short.signal, 500.0, "mV", 100.0, 10.0)
    assert mask.all() and gappy.all() and np.abs(one - other).max() < 0.5
    (_,), (dropped,) = model_input(changed(stretch(0)).signal, 500.0, "mV", 100.0, 10.0)
    assert dropped.sum() == pytest.approx(700, abs=2)


def test_what_is_whole_is_left_as_it_is():
    plain = regular()
    assert as_recorded(plain) is plain
    assert recorded_signal(plain.signal, plain.rate) is plain.signal
