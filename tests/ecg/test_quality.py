"""Each fault is named when it is put into a real record, and good records give no warning."""

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from meit.ecg import LEADS, find_recordings, read_ecg
from meit.ecg.quality import Quality, Reason, inspect
from meit.ecg.recording import LIMB_LEADS, assemble

# what was seen to be so on these: V4 clipped at 3.025 mV, V4-V6 constant
KNOWN = {"00004_hr": "V4 is cut off", "HR00004": "V4 is cut off", "JS45551": "V4, V5, V6 are flat"}

HAPPENS = {
    "artefacts",
    "restless",
    "baseline_wander",
    "muscle_noise",
    "mains_hum",
    "noisy_beats",
    "arm_electrodes",
    "chest_electrodes",
}


@pytest.fixture
def good(ptb_xl_500):
    return read_ecg(ptb_xl_500)


def changed(recording, leads, values):
    signal = recording.signal.copy()
    for lead, value in zip(leads, values, strict=True):
        signal[:, LEADS.index(lead)] = value
    return replace(recording, signal=signal)


def warning(recording):
    (line,) = inspect(recording).warnings()
    return line


def test_a_good_record_gives_no_warning(good, ptb_xl_100):
    for recording in (good, read_ecg(ptb_xl_100)):
        quality = inspect(recording)
        assert quality.warnings() == [] and 0.05 < quality.amplitude_mv < 5


@pytest.mark.parametrize("folder", ["ptb-xl", "mimic-iv-ecg", "cinc2021"])
def test_false_alarms_on_real_records(shared, folder):
    """Of faults in storing and at the amplifier there are none; noise is tested in test_quality_noise."""
    warned = {}
    for header in find_recordings(shared(folder))[::5]:
        lines = [one.text for one in inspect(read_ecg(header)).reasons if one.reason not in HAPPENS]
        if not (lines and header.stem in KNOWN and lines[0].startswith(KNOWN[header.stem])):
            warned |= {header.stem: lines} if lines else {}
    assert warned == {}


def test_flat_lead(good):
    noise = 0.003 * np.random.default_rng(0).normal(size=5000)
    assert warning(changed(good, ["V3"], [noise])) == (
        "V3 is flat (electrode off?): statements about it can't be trusted"
    )
    assert warning(changed(good, ["V3", "V5"], [0, -1.5])).startswith("V3, V5 are flat")


def test_saturated_lead(good):
    tall = 4 * good.lead("V2")
    clipped = np.clip(tall, -2.5, 2.5)
    assert inspect(changed(good, ["V2"], [tall])).saturated == ()
    assert warning(changed(good, ["V2"], [clipped])).startswith("V2 is cut off at the amplifier's limit")


def test_gaps_are_counted_in_seconds(good):
    signal = good.signal.copy()
    signal[:1000, 6] = np.nan
    quality = inspect(replace(good, signal=signal))
    assert quality.gaps == {"V1": 2.0}
    assert quality.warnings() == ["V1 is not recorded for 2 s of the recording"]


def stored_as(recording, columns):
    """What is read of a file whose columns, named in the usual order, hold these leads; "-": inverted, "?": time."""
    time = np.arange(len(recording.signal)) / recording.rate
    signal = [
        time if lead == "?" else (-1 if lead[0] == "-" else 1) * recording.lead(lead.lstrip("-")) for lead in columns
    ]
    return replace(recording, signal=np.stack(signal, axis=1).astype(np.float32))


def exchanged(one, other):
    return [{one: other, other: one}.get(lead, lead) for lead in LEADS]


PLANTED = {f"{one} and {other} look exchanged": exchanged(one, other) for one, other in combinations(LIMB_LEADS, 2)}
PLANTED |= {f"{one} looks inverted": [f"-{lead}" if lead == one else lead for lead in LEADS] for one in LIMB_LEADS}
PLANTED |= {
    f"the limb leads look as if stored in the order {limb}": [*limb.split(", "), *LEADS[6:]]
    for limb in ("II, III, I, aVR, aVL, aVF", "aVR, aVL, aVF, I, II, III", "III, aVF, II, aVR, I, aVL")
}
PLANTED |= {
    "all leads look one column late (time read as lead I?)": ["?", *LEADS[:11]],
    "all leads look one column early (first column left out?)": [*LEADS[1:], "?"],
    "limb and chest leads look exchanged": [*LEADS[6:], *LEADS[:6]],
    "the leads look as if stored row by row of a printed sheet": (
        ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6"]
    ),
    "the limb leads look as if stored in Cabrera's order": ["aVL", "I", "-aVR", "II", "aVF", "III", *LEADS[6:]],
}


@pytest.mark.parametrize("cause", PLANTED)
def test_leads_in_a_wrong_order_are_named(good, ptb_xl_100, cause):
    for recording in (good, read_ecg(ptb_xl_100)):
        line = inspect(stored_as(recording, PLANTED[cause])).warnings()[0]
        assert line.startswith("limb leads do not add up (") and line.endswith(f": {cause}")


def test_planted_lead_orders_on_real_records(shared):
    headers = find_recordings(shared("mimic-iv-ecg")) + find_recordings(shared("cinc2021"))
    records = [read_ecg(header) for header in headers[::36]]
    found = [inspect(stored_as(record, columns)) for record in records for columns in PLANTED.values()]
    planted = list(PLANTED) * len(records)
    assert np.mean([bool(quality.broken_laws) for quality in found]) > 0.98  # not in the smallest signals
    named = [quality.lead_causes == (cause,) for quality, cause in zip(found, planted, strict=True)]
    assert np.mean(named) > 0.9
    assert not [q.lead_causes for q, right in zip(found, named, strict=True) if q.lead_causes and not right]


def test_mistakes_that_look_the_same_are_all_named(good):
    kept = ("I", "II", "III", *LEADS[6:])
    columns = {lead: good.lead(lead) for lead in kept}
    columns["III"] = -columns["III"]
    line = inspect(assemble(columns, 500, name="x")).warnings()[0]
    assert line.endswith(": I and II look exchanged, or III looks inverted")


def test_limb_leads_that_no_mistake_explains(good):
    line = inspect(changed(good, ["II"], [good.lead("V2")])).warnings()[0]
    assert line.startswith("limb leads do not add up (") and line.endswith(": wrong lead names or order?")


@pytest.fixture(scope="module")
def small_and_large(ptb_xl_500, shared):
    return [read_ecg(header) for header in [ptb_xl_500, *find_recordings(shared("cinc2021"))[::2]]]


@pytest.mark.parametrize(
    ("factor", "cause"),
    [
        (1000, "microvolts or converter steps look read as millivolts, or millivolts as volts"),
        (200, "microvolts or converter steps look read as millivolts, or millivolts as volts"),
        (1e6, "microvolts look read as volts"),
        (0.001, "millivolts look read as microvolts, or volts as millivolts"),
        (1e-6, "volts look read as microvolts"),
    ],
)
def test_wrong_units_on_real_records(small_and_large, factor, cause):
    scaled = [replace(record, signal=record.signal * np.float32(factor)) for record in small_and_large]
    warned = [inspect(record).warnings() for record in scaled]
    lines = [next(line for line in lines if "mV peak to peak in the middle lead" in line) for lines in warned]
    assert np.mean([line.endswith(f": {cause}") for line in lines]) > 0.98


def test_missing_and_derived_leads_are_named(good):
    leads = {lead: good.lead(lead) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V6")}
    quality = inspect(assemble(leads, 500, name="x", allow_missing=True))
    assert quality.warnings() == [
        "V5 is not recorded: nothing can be said about it",
        "III, aVR, aVL, aVF are derived from other limb leads, not recorded",
    ]
    assert json.loads(json.dumps(quality.to_dict()))["missing"] == ["V5"]


def test_values_as_large_as_float32_holds():
    signal = np.full((1000, 12), 3e38, np.float32)
    signal[::2] *= -1
    record = assemble(dict(zip(LEADS, signal.T, strict=True)), 100, name="x")
    assert "6e+38 mV" in json.dumps(inspect(record).to_dict(), allow_nan=False)


def test_whatever_is_recorded_can_be_inspected():
    rng = np.random.default_rng(0)
    for n in (1, 2, 37, 1000):
        signal = rng.normal(size=n)
        signal[rng.random(n) < 0.5] = np.nan
        signal[0] = 0.0
        json.dumps(inspect(assemble({"V1": signal}, 100, name="x", allow_missing=True)).to_dict(), allow_nan=False)


def test_a_quality_comes_back_from_json(good):
    gap = good.signal.copy()
    gap[500:1500, 6:8] = np.nan
    for recording in (good, changed(good, ["I", "V5"], [0, np.nan]), replace(good, signal=gap)):
        quality = inspect(recording)
        report = json.loads(json.dumps(quality.to_dict()))
        assert Quality.from_dict(report) == quality == Quality.from_dict(quality.to_dict())
        assert Quality.from_dict(report).to_dict() == report
        assert [Reason.from_dict(one.to_dict()) for one in quality.reasons] == list(quality.reasons)
