"""Flutter waves at every conduction that shows them, and what looks like them and is none."""

from dataclasses import replace

import numpy as np
import pytest
from known_ecgs import Heart, limb, recording, regular

from meit.ecg.files.formats import read_ecg
from meit.ecg.measure import measure
from meit.ecg.noise import ELECTRODES, TO_LEADS
from meit.ecg.recording import Recording

# downwards in II, III and aVF, upwards in V1, as in common flutter
WAVES = np.concatenate([limb(-90, 0.25), [0.12, 0.06, 0.02, -0.03, -0.05, -0.06]])
PLAIN = Heart(p_mv=0, qt=340, t=160, t_mv=0.2)


def fluttering(bpm: float, conducted, heart: Heart = PLAIN, size: float = 1.0, **options) -> Recording:
    """Saw teeth of so many a minute; conducted: how many of them from one QRS complex to the next, in turn."""
    period = 60_000 / bpm
    onsets, number = [300.0], 0
    while onsets[-1] < 9300:
        onsets.append(onsets[-1] + period * conducted[number % len(conducted)])
        number += 1
    plain = recording(onsets[:-1], heart, **options)
    phase = (np.arange(len(plain.signal)) * 1000 / plain.rate - 300 + 140) / period % 1
    teeth = np.interp(phase, [0, 0.65, 1], [-0.5, 0.5, -0.5])
    return replace(plain, signal=(plain.signal + size * teeth[:, None] * WAVES).astype(np.float32))


@pytest.mark.parametrize("conducted", [(4,), (3,), (5,), (2, 4), (4, 3), (2, 2, 3), (6, 4, 5, 3)])
@pytest.mark.parametrize("bpm", [220, 290])
def test_flutter(conducted, bpm):
    found = measure(fluttering(bpm, conducted))
    assert found["flutter_rate_bpm"].value == pytest.approx(bpm, abs=4) and found["flutter_rate_bpm"].reliability > 0.4
    assert found["atrial_rate_bpm"].value == found["flutter_rate_bpm"].value and found["p_present"].value == 0
    for name in ("pr_ms", "p_ms", "p_axis_deg", "p_per_qrs", "av_dissociation"):
        assert found[name].value is None, name
    assert found["premature_supraventricular"].value in (0, None)


@pytest.mark.parametrize("options", [{"rate": 250}, {"rate": 100}, {"noise_mv": 0.03}])
def test_flutter_in_other_files(options):
    assert measure(fluttering(280, (4, 3), **options))["flutter_rate_bpm"].value == pytest.approx(280, abs=4)


def test_two_to_one_is_seen_where_the_t_wave_is_small():
    small, large = replace(PLAIN, qt=300, t_mv=0), replace(PLAIN, qt=280, t_mv=0.6)
    assert measure(fluttering(270, (2,), small, 1.5))["flutter_rate_bpm"].value == pytest.approx(270, abs=4)
    assert measure(fluttering(270, (2,), large))["flutter_rate_bpm"].value is None


def test_waves_that_are_too_small_are_not_taken_for_flutter():
    assert measure(fluttering(290, (4,), size=0.1))["flutter_rate_bpm"].value is None


def none_in(given: Recording) -> None:
    found = measure(given)
    assert found["heart_rate_bpm"].value and found["flutter_rate_bpm"].value is None


@pytest.mark.parametrize("bpm", [45, 60, 75, 100, 130])
@pytest.mark.parametrize("t_mv", [0.1, 0.9])
def test_sinus_rhythm(bpm, t_mv):
    heart = Heart(pr=min(160, 9000 / bpm + 40), p=90, qt=min(400, 220 + 9000 / bpm), t=150, t_mv=t_mv, p_mv=0.25)
    none_in(regular(heart, bpm))


@pytest.mark.parametrize("bpm", [50, 70, 90])
def test_u_waves_and_notched_t_waves(bpm):
    """A P wave, a T wave and one between: three alike between two QRS complexes."""
    given = regular(Heart(t_mv=0.25, p_mv=0.25, qt=340), bpm)
    waves = regular(Heart(qrs_mv=0, p_mv=0, t_mv=0.25, qt=520, t=170), bpm, noise_mv=0)
    none_in(replace(given, signal=given.signal + waves.signal))


@pytest.mark.parametrize("bpm", [200, 215, 240])
def test_a_tachycardia_of_such_a_rate(bpm):
    found = measure(regular(Heart(p_mv=0, qt=230, t=130), bpm))
    assert found["flutter_rate_bpm"].value is None


def band(rng, hz: tuple[float, float], columns: int, rate: float = 500.0) -> np.ndarray:
    """(5000, columns) noise of such frequencies, of root mean square 1."""
    spectrum = np.fft.rfft(rng.normal(size=(5000, columns)), axis=0)
    frequency = np.fft.rfftfreq(5000, 1 / rate)
    spectrum[(frequency < hz[0]) | (frequency > hz[1])] = 0
    noise = np.fft.irfft(spectrum, 5000, axis=0)
    return noise / noise.std(axis=0)


def irregular(seed: int) -> Recording:
    rng = np.random.default_rng(seed)
    onsets = 300 + np.cumsum(rng.uniform(450, 1000, 25))
    return recording(onsets[onsets < 9300], PLAIN)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("mv", [0.04, 0.1])
def test_fibrillation(seed, mv):
    """Waves of 4 to 8 Hz, coarse ones too, that keep no rate."""
    given = irregular(seed)
    waves = band(np.random.default_rng(100 + seed), (4, 8), 2) @ np.stack([WAVES, np.roll(WAVES, 3)]) * mv / 0.25
    none_in(replace(given, signal=(given.signal + waves).astype(np.float32)))


@pytest.mark.parametrize("electrode", ["RA", "LA", "LL"])
@pytest.mark.parametrize("hz", [4.2, 5.0, 6.1])
def test_tremor(electrode, hz):
    """One limb shakes, at a steady rate."""
    given = regular(Heart(), 67)
    time = np.arange(5000) / 500
    shaken = np.zeros((5000, len(ELECTRODES)))
    shaken[:, ELECTRODES.index(electrode)] = 0.1 * np.sin(2 * np.pi * hz * time)
    none_in(replace(given, signal=(given.signal + shaken @ TO_LEADS.T).astype(np.float32)))


@pytest.mark.parametrize("hz", [50, 60, 16.7])
def test_hum(hz):
    given = irregular(3)
    hum = 0.2 * np.sin(2 * np.pi * hz * np.arange(5000) / 500)[:, None] * np.linspace(0.3, 1, 12)
    none_in(replace(given, signal=(given.signal + hum).astype(np.float32)))


def test_real_ones(shared):
    """By its cardiologists' word, and none in fibrillation, nor in sinus rhythm."""
    assert measure(read_ecg(shared("ludb") / "data" / "103.hea"))["flutter_rate_bpm"].value == pytest.approx(273, abs=4)
    for number in ("101", "1"):
        assert measure(read_ecg(shared("ludb") / "data" / f"{number}.hea"))["flutter_rate_bpm"].value is None
