"""Noise has the ratio it is said to have, obeys the leads' laws, and leaves alone what it must."""

from functools import partial

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks, welch

from meit.ecg import noise
from meit.ecg.files.formats import read_ecg
from meit.ecg.noise import NOISES, SNR_DB, SWAPS, nstdb_noises
from meit.ecg.recording import LEADS
from meit.ecg.signal.normalising import band_pass, normalise
from meit.ecg.signal.resampling import resample
from meit.errors import RecordingError

AT_SNR = [name for name, kind in NOISES.items() if kind.levels == SNR_DB]
RATE = 500.0


@pytest.fixture(scope="module")
def ecg(example):
    return read_ecg(example).signal


def noisy(name, signal, level, seed=0, rate=RATE, unit="mV", table=NOISES):
    return table[name].add(signal, rate, level, np.random.default_rng(seed), unit)


def added(name, signal, level, **options):
    return (noisy(name, signal, level, **options) - signal).astype(np.float64)


def nst_noise_db(difference, rate):
    """N of nst's manual page, written out lead by lead."""
    second = int(rate)
    powers = []
    for lead in difference.T:
        parts = [lead[start : start + second] for start in range(0, len(lead) - second + 1, second)]
        powers.append(np.mean([np.sqrt(np.mean((part - part.mean()) ** 2)) for part in parts]) ** 2)
    return 10 * np.log10(powers)


def beats(amplitudes, seconds=10, rate=RATE, bpm=75):
    """(n, 12) beats whose QRS is a wave of known peak-to-peak mV, well inside 0.5-40 Hz, on nothing."""
    time = np.arange(round(seconds * rate)) / rate
    since = (time % (60 / bpm)) - 0.4
    wave = -since * np.exp(-0.5 * (since / 0.02) ** 2)
    return (wave[:, None] / np.ptp(wave) * np.asarray(amplitudes)).astype(np.float32)


@pytest.mark.parametrize("level", SNR_DB)
@pytest.mark.parametrize("name", AT_SNR)
def test_the_ratio_is_the_one_asked_for(name, level):
    amplitudes = np.array([0.6, 1.0, 0.4, 0.8, 0.1, 0.7, 0.5, 2.0, 2.5, 1.5, 1.0, 0.7])
    difference = added(name, beats(amplitudes), level)
    signal_db = 10 * np.log10(amplitudes**2 / 8)
    assert signal_db[6:] - nst_noise_db(difference, RATE)[6:] == pytest.approx(np.full(6, level), abs=0.5)
    limb = 10 * np.log10(np.mean(amplitudes[:6] ** 2) / 8) - 10 * np.log10(
        np.mean(10 ** (nst_noise_db(difference, RATE)[:6] / 10))
    )
    assert limb == pytest.approx(level, abs=0.5)


def test_the_qrs_is_measured_as_between_50_ms_around_its_peak(ecg):
    """nst's S of annotated beats; here found as the peaks of lead II's slope."""
    filtered = band_pass(ecg.astype(float), RATE)
    slope = np.abs(np.gradient(filtered[:, LEADS.index("V3")]))
    peaks, _ = find_peaks(slope, height=0.5 * slope.max(), distance=200)
    assert 8 <= len(peaks) <= 16
    ranges = [np.ptp(filtered[peak - 25 : peak + 25], axis=0) for peak in peaks if 25 <= peak < len(ecg) - 25]
    ours = noise.qrs_amplitude(ecg, RATE)
    assert np.abs(20 * np.log10(ours / np.median(ranges, axis=0))).max() < 2.5  # dB; a T wave above the QRS adds some
    assert np.median(np.abs(20 * np.log10(ours / np.median(ranges, axis=0)))) < 1


@pytest.mark.parametrize("name", AT_SNR)
def test_a_lower_level_is_the_same_noise_larger(name, ecg):
    loud, soft = added(name, ecg, -6.0), added(name, ecg, 24.0)
    assert loud == pytest.approx(soft * 10 ** (30 / 20), abs=1e-4 * np.abs(loud).max())
    sizes = [np.std(added(name, ecg, level)) for level in SNR_DB]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("name", AT_SNR)
def test_noise_obeys_the_laws_of_the_limb_leads(name, ecg):
    one, two, three, avr, avl, avf = added(name, ecg, 0.0)[:, :6].T
    assert one + three == pytest.approx(two, abs=1e-5)
    assert avr == pytest.approx(-(one + two) / 2, abs=1e-5)
    assert avl == pytest.approx(one - two / 2, abs=1e-5)
    assert avf == pytest.approx(two - one / 2, abs=1e-5)


def test_what_all_electrodes_share_no_lead_sees():
    assert noise.TO_LEADS.sum(axis=1) == pytest.approx(np.zeros(12))


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("baseline wander", 0.04, 0.55),
        ("muscle artefact", 17, 153),
        ("mains hum", 49, 151),
        ("white", 0.04, 150.5),
    ],
)
def test_noise_lies_where_it_should(name, low, high):
    signal = beats(np.ones(12), seconds=60)
    frequency, power = welch(added(name, signal, 0.0), RATE, nperseg=15000, axis=0)
    inside = power[(frequency >= low) & (frequency <= high)].sum(0) / power.sum(0)
    assert inside.min() > 0.97


def test_white_is_flat_and_hum_is_a_line_of_the_mains():
    signal = beats(np.ones(12), seconds=60)
    frequency, power = welch(added("white", signal, 0.0), RATE, nperseg=1000, axis=0)
    bands = [power[(frequency >= low) & (frequency < low + 25)].mean() for low in range(0, 150, 25)]
    assert max(bands) < 1.1 * min(bands)
    peaks = set()
    for seed in range(8):
        frequency, power = welch(added("mains hum", signal, 0.0, seed=seed), RATE, nperseg=5000, axis=0)
        peaks |= set(np.rint(frequency[power.argmax(0)]))
    assert peaks == {50, 60}


def test_electrodes_move_one_by_one():
    """A knock at one chest electrode is seen in that lead alone; one at a limb electrode in several."""
    moved = np.abs(noise.electrode_motion(5000, RATE, np.random.default_rng(0)))
    assert (moved.max(axis=0) > 0.2).all()
    quiet = moved < 0.02 * moved.max(axis=0)
    assert quiet.mean() > 0.2


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(sorted(NOISES)),
    rate=st.sampled_from([50.0, 100.0, 257.3, 500.0, 1000.0]),
    seconds=st.floats(0.5, 12),
    unit=st.sampled_from(["mV", "z"]),
    seed=st.integers(0, 1000),
    gaps=st.integers(0, 4),
    which=st.integers(0, 5),
)
def test_gaps_stay_gaps_and_the_same_seed_gives_the_same(name, rate, seconds, unit, seed, gaps, which):
    rng = np.random.default_rng(seed)
    signal = rng.normal(0, 1, (round(seconds * rate), 12)).astype(np.float32)
    for _ in range(gaps):
        start = rng.integers(len(signal))
        signal[start : start + rng.integers(1, len(signal)), rng.integers(12)] = np.nan
    if gaps == 4:
        signal[:, rng.integers(12)] = np.nan
    before, level = signal.copy(), NOISES[name].levels[which % len(NOISES[name].levels)]
    once, again = (noisy(name, signal, level, seed, rate, unit) for _ in range(2))
    assert once.shape == signal.shape and once.dtype == np.float32
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(signal, before)
    if name not in ("missing lead", "swapped electrodes"):
        np.testing.assert_array_equal(np.isnan(once), np.isnan(signal))
    if name in AT_SNR:
        assert not np.array_equal(once, noisy(name, signal, level, seed + 1, rate, unit), equal_nan=True)


def zscored(signal):
    """As the arrays of unit z are made: band-passed, each lead z-scored, one in five kept."""
    filtered = band_pass(signal.astype(np.float64), RATE)
    return ((filtered - filtered.mean(0)) / filtered.std(0)).astype(np.float32)[::5]


@pytest.fixture(scope="module")
def unlike_limbs(ecg):
    """A horizontal heart: lead III is a tenth of lead I, so that z-scoring by lead bends the frontal plane."""
    out, one, three = ecg.copy(), ecg[:, 0], 0.1 * ecg[:, 2]
    two = one + three
    out[:, :6] = np.stack([one, two, three, -(one + two) / 2, one - two / 2, two - one / 2], axis=1)
    return out


@pytest.mark.parametrize("level", [12.0, 0.0])
@pytest.mark.parametrize("name", AT_SNR)
def test_zscored_recordings_meet_the_noise_of_their_originals(name, level, unlike_limbs):
    ecg = unlike_limbs
    from_mv = normalise(resample(noisy(name, ecg, level), RATE, 100.0), 100.0, "mV")
    from_z = normalise(noisy(name, zscored(ecg), level, rate=100.0, unit="z"), 100.0, "z")
    clean = normalise(resample(ecg, RATE, 100.0), 100.0, "mV")
    inner = slice(50, -50)
    alike = [np.corrcoef(from_mv[inner, lead], from_z[inner, lead])[0, 1] for lead in range(12)]
    assert min(alike) > 0.85 and np.median(alike) > 0.96  # less than 1, as the two are filtered at unlike rates
    assert from_z[inner].std(0) == pytest.approx(from_mv[inner].std(0), rel=0.2)
    if name in ("electrode motion", "white"):  # the comparison would mean little if the filter had removed the noise
        assert np.corrcoef(from_mv[inner, 7], clean[inner, 7])[0, 1] < 0.97


def test_hum_does_not_survive_anti_aliasing(ecg):
    kept = resample(ecg, RATE, 100.0)
    before, after = added("mains hum", ecg, 0.0), added("mains hum", kept, 0.0, rate=100.0)
    assert np.std(after) < 0.6 * np.std(before)
    sixty = next(s for s in range(8) if np.random.default_rng(s).choice((50.0, 60.0)) == 60.0)
    assert np.std(added("mains hum", kept, 0.0, rate=100.0, seed=sixty)) < 0.02


@pytest.mark.parametrize("share", NOISES["segments"].levels)
def test_segments_take_no_more_than_their_share(share, ecg):
    shares = []
    for seed in range(60):
        difference = added("segments", ecg, share, seed=seed)
        touched = (difference != 0).any(axis=1)
        shares.append(touched.mean())
        drawn = np.random.default_rng(seed).uniform()
        assert touched.sum() == pytest.approx(share * drawn * len(ecg), abs=1)  # none of it lost where segments meet
        edges = np.count_nonzero(np.diff(np.pad(touched, 1).astype(int)) == 1)
        assert edges <= 5
    assert max(shares) <= share + 1e-3
    assert max(shares) > 0.85 * share


def test_segments_are_as_large_as_the_lead(ecg):
    inside = np.concatenate(
        [
            difference[(difference != 0).any(axis=1)]
            for difference in (added("segments", ecg, 0.2, seed=seed) for seed in range(20))
        ]
    )
    assert inside.std(0) == pytest.approx(band_pass(ecg.astype(float), RATE).std(0), rel=0.06)
    assert np.abs(np.corrcoef(inside.T) - np.eye(12)).max() < 0.1


@pytest.mark.parametrize("share", NOISES["meit"].levels)
def test_meits_noise_is_one_segment_the_same_in_all_leads(share, ecg):
    most, deviations = 0.0, []
    for seed in range(60):
        difference = added("meit", ecg, share, seed=seed)
        touched = (np.abs(difference) > 1e-6).all(axis=1)
        if touched.sum() > 20:
            first, last = np.flatnonzero(touched)[[0, -1]]
            assert (
                touched[first : last + 1].mean() > 0.9
                and not difference[:first].any()
                and not difference[last + 1 :].any()
            )
            np.testing.assert_allclose(difference, difference[:, :1].repeat(12, 1), atol=1e-5)
            deviations.append(difference[touched].std() / np.ptp(ecg))
        most = max(most, touched.mean())
    assert 0.8 * share < most <= share + 1e-3
    assert max(deviations) == pytest.approx(0.1, abs=0.02) and np.mean(deviations) == pytest.approx(0.05, abs=0.015)


def test_exchanged_arms_are_what_textbooks_say(ecg):
    swapped = noisy("swapped electrodes", ecg, "RA-LA")
    wanted = {"I": ("I", -1), "II": ("III", 1), "III": ("II", 1), "aVR": ("aVL", 1), "aVL": ("aVR", 1)}
    for lead, name in enumerate(LEADS):
        other, sign = wanted.get(name, (name, 1))
        np.testing.assert_array_equal(swapped[:, lead], sign * ecg[:, LEADS.index(other)])


@pytest.mark.parametrize("pair", SWAPS)
def test_any_swap_is_that_of_the_electrodes(pair, ecg):
    """Potentials over an arbitrary reference, exchanged, and the leads derived anew by hand."""
    one, two = ecg[:, 0].astype(float), ecg[:, 1].astype(float)
    at = {"RA": np.zeros_like(one), "LA": one, "LL": two}
    at |= {f"V{n}": ecg[:, 5 + n] + (one + two) / 3 for n in range(1, 7)}
    a, b = pair.split("-")
    at[a], at[b] = at[b], at[a]
    terminal = (at["RA"] + at["LA"] + at["LL"]) / 3
    leads = [at["LA"] - at["RA"], at["LL"] - at["RA"], at["LL"] - at["LA"]]
    leads += [1.5 * (at[name] - terminal) for name in ("RA", "LA", "LL")]
    leads += [at[f"V{n}"] - terminal for n in range(1, 7)]
    swapped = noisy("swapped electrodes", ecg, pair)
    assert swapped == pytest.approx(np.stack(leads, axis=1), abs=0.006)  # mV; stored leads are rounded
    np.testing.assert_array_equal(noisy("swapped electrodes", swapped, pair), ecg)


def test_a_missing_lead_is_missing_and_no_other(ecg):
    lost = noisy("missing lead", ecg, "V3")
    assert np.isnan(lost[:, 8]).all()
    np.testing.assert_array_equal(np.delete(lost, 8, axis=1), np.delete(ecg, 8, axis=1))


@pytest.fixture
def nstdb(tmp_path):
    """Records like NSTDB's, each with a sine of its own on two channels of unlike frequency."""
    time = np.arange(360 * 60) / 360
    for record, hertz in (("bw", (1.0, 2.0)), ("ma", (31.0, 37.0)), ("em", (5.0, 7.0))):
        values = np.stack([np.sin(2 * np.pi * f * time) for f in hertz], axis=1) + 3.0
        wfdb.wrsamp(
            record,
            fs=360,
            units=["mV", "mV"],
            sig_name=["noise1", "noise2"],
            p_signal=values,
            fmt=["212"] * 2,
            adc_gain=[200, 200],
            baseline=[0, 0],
            write_dir=str(tmp_path),
        )
    return tmp_path


@pytest.mark.parametrize(
    ("name", "hertz"),
    [
        ("baseline wander", {1, 2}),
        ("muscle artefact", {31, 37}),
        ("electrode motion", {5, 7}),
    ],
)
def test_real_noise_comes_from_its_record(nstdb, name, hertz):
    signal = beats(np.ones(12))
    difference = added(name, signal, 6.0, seed=1, table=NOISES | nstdb_noises(nstdb))
    frequency, power = welch(difference, RATE, nperseg=5000, axis=0)
    assert set(np.rint(frequency[power.argmax(0)])) == hertz
    assert 10 * np.log10(1 / 8) - nst_noise_db(difference, RATE)[6:] == pytest.approx(np.full(6, 6.0), abs=0.5)
    assert difference[:, 0] + difference[:, 2] == pytest.approx(difference[:, 1], abs=1e-5)


def test_a_record_that_is_not_there_is_named(nstdb):
    (nstdb / "ma.hea").unlink()
    with pytest.raises(RecordingError, match=r"ma\.hea.*physionet\.org/content/nstdb"):
        nstdb_noises(nstdb)


def test_a_damaged_record_is_named(nstdb):
    (nstdb / "em.dat").write_bytes((nstdb / "em.dat").read_bytes()[:100])
    with pytest.raises(RecordingError, match=r"em\.hea"):
        nstdb_noises(nstdb)["electrode motion"].add(beats(np.ones(12)), RATE, 0.0, np.random.default_rng(0))


def test_a_record_shorter_than_the_ecg_is_refused(nstdb):
    with pytest.raises(RecordingError, match="shorter"):
        noisy("baseline wander", beats(np.ones(12), seconds=70), 0.0, table=nstdb_noises(nstdb))


def test_a_flat_lead_stays_flat(ecg):
    flat = ecg.copy()
    flat[:, 9] = 0.0
    assert not added("white", flat, -6.0)[:, 9].any()


def test_every_noise_can_go_to_another_process():
    import pickle

    for kind in NOISES.values():
        assert isinstance(pickle.loads(pickle.dumps(kind)).add, (partial, type(noise.lose_lead)))


def test_real_recordings_of_all_sources(shared):
    paths = [sorted(shared(folder).rglob("*.hea"))[:4] for folder in ("ptb-xl/records100", "mimic-iv-ecg", "cinc2021")]
    for path in (path for some in paths for path in some):
        recording = read_ecg(path)
        for name, kind in NOISES.items():
            out = kind.add(recording.signal, recording.rate, kind.levels[-1], np.random.default_rng(0))
            lost = out[:, LEADS.index("V6")] if name == "missing lead" else None
            assert np.isfinite(out).sum() == np.isfinite(recording.signal).sum() - (0 if lost is None else len(lost))
