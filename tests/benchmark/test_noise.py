"""The noise task on a tiny model: what it writes, that it resumes, and that the noise reaches the encoder."""

import json
import shutil

import numpy as np
import pytest
from report_texts import score
from support import write_prepared

from meit.benchmark.finding_scores import score_findings
from meit.benchmark.tasks.noise_robustness import CLEAN, NoisyEcgs, choose_noises, curves, evaluate_noise
from meit.data.batches import EcgSet
from meit.data.shards import read_examples
from meit.data.splits import SPLITS
from meit.ecg.noise import NOISES
from meit.errors import DataError
from meit.patient_bootstrap import Metric

CHOSEN = {"white": (24.0, -6.0), "segments": (0.2,), "missing lead": ("V3",), "swapped electrodes": ("RA-LA",)}
LABELS = ["white, 24 dB", "white, -6 dB", "segments, 0.2", "missing lead, V3", "swapped electrodes, RA-LA"]


@pytest.fixture(scope="module")
def model_folder(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("noise") / "model"
    build("llama").save(folder)
    return folder


@pytest.fixture(scope="module")
def whole(model_folder, simulated):
    """The folder of a run of all that is chosen, and its table."""
    out = model_folder.with_name("whole")
    return out, evaluate_noise(model_folder, [simulated], out, chosen=CHOSEN)


@pytest.fixture
def run(model_folder, simulated, tmp_path):
    def evaluate(chosen=CHOSEN, out="out", **options):
        return evaluate_noise(model_folder, [simulated], tmp_path / out, chosen=chosen, **options)

    evaluate.out = tmp_path / "out"
    return evaluate


def rows(folder):
    return [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]


def test_tables_numbers_and_pictures(whole):
    out, table = whole
    assert (out / "table.md").read_text() == table + "\n"
    assert "n = 3 recordings (0 of them z-scored)" in table
    for label in (CLEAN, *LABELS):
        assert f"| {label} |" in table
    predictions, result = rows(out), json.loads((out / "results.json").read_text())
    assert [row["record_id"] for row in predictions] == ["27", "28", "29"]
    references = [row["reference"] for row in predictions]
    conditions = {
        f"{c['noise']}, {c['level'] if isinstance(c['level'], str) else format(c['level'], 'g')}": c
        for c in result["conditions"]
    }
    assert len(conditions) == len(LABELS) and result["task"] == "noise"
    for label in LABELS:
        drafts = [row[label] for row in predictions]
        anew = score(drafts, references, ["27", "28", "29"], ["slow", "fast"] * 12)
        kept = conditions[label.removesuffix(" dB")]
        for name, metric in anew.items():
            assert kept["metrics"][name]["value"] == pytest.approx(metric.value)
            gain = metric.value - result["metrics"][name]["value"]
            assert kept["differences"][name]["value"] == pytest.approx(gain)
        same = np.mean([row[label] == row[CLEAN] for row in predictions])
        assert kept["unchanged_drafts"] == pytest.approx(same)
        found = score_findings(drafts, references, ["27", "28", "29"])
        assert found.keys() <= kept["metrics"].keys() and "omitted" in found
        assert all(kept["metrics"][name]["value"] == pytest.approx(metric.value) for name, metric in found.items())
    assert "| omitted |" in table
    for name in ("curves.png", "curves.svg"):
        assert (out / name).stat().st_size > 5000
    curves = (out / "curves.svg").read_text()
    for word in ("white", "segments", "missing lead", "swapped electrodes", "V3", "RA-LA", "SNR, dB"):
        assert f">{word}<" in curves


def test_finished_conditions_are_kept_and_give_the_same(whole, run):
    out, first = whole
    shutil.copytree(out, run.out)
    before = {path: path.stat().st_mtime_ns for path in (run.out / "conditions").rglob("drafts.json")}
    marked = run.out / "conditions" / "white_24-dB" / "drafts.json"
    marked.write_text(json.dumps(["marked"] * 3))  # would be lost if it were drafted again
    (run.out / "conditions" / "segments_0.2" / "drafts.json").unlink()
    run(CHOSEN | {"mains hum": (0.0,)})
    assert {row["white, 24 dB"] for row in rows(run.out)} == {"marked"}
    assert all(
        path.stat().st_mtime_ns == time
        for path, time in before.items()
        if path.parent.name not in ("white_24-dB", "segments_0.2")
    )
    marked.unlink()
    assert run() == first


def test_a_folder_belongs_to_one_run(run):
    run({"white": (24.0,)})
    with pytest.raises(DataError, match="another model, device, precision, data, split or seed"):
        run({"white": (24.0,)}, seed=1)
    with pytest.raises(DataError, match="another model, device, precision"):
        run({"white": (24.0,)}, dtype="bfloat16")


def test_a_model_that_sees_the_ecg_is_changed_by_noise(whole):
    """The tiny model's drafts hang on its tokens: were noise not fed to it, nothing would change."""
    assert any(row["white, -6 dB"] != row[CLEAN] for row in rows(whole[0]))


@pytest.mark.parametrize(("name", "level"), [("white", 0.0), ("electrode motion", -6.0), ("missing lead", "V2")])
def test_the_stored_recording_gets_the_noise(simulated, name, level):
    clean = EcgSet([simulated], SPLITS["test"], 100, 10)
    noisy = NoisyEcgs(clean, name, NOISES[name], level, seed=0)
    ecgs, masks = noisy.inputs(range(3))
    assert ecgs.shape == (3, 1000, 12) and ecgs.dtype == np.float32 and masks.all()
    quiet, _ = clean.inputs(range(3))
    changed = np.abs(ecgs - quiet).max(axis=1) > 1e-3
    assert changed.all() if name != "missing lead" else (np.flatnonzero(changed.any(0)) == [7]).all()
    again = NoisyEcgs(clean, name, NOISES[name], level, seed=0)
    np.testing.assert_array_equal(again.inputs([2, 0])[0], ecgs[[2, 0]])  # whatever else is in the batch
    other = NoisyEcgs(clean, name, NOISES[name], level, seed=1).inputs(range(3))[0]
    assert np.array_equal(other, ecgs) == (name == "missing lead")


def test_recordings_do_not_share_their_noise(simulated):
    clean = EcgSet([simulated], SPLITS["test"], 100, 10)
    noisy = NoisyEcgs(clean, "white", NOISES["white"], 0.0, 0)
    first, second = (noisy.signals([index])[0][0] - clean.signals([index])[0][0] for index in (0, 2))
    assert np.abs(np.diag(np.corrcoef(first.T, second.T)[:12, 12:])).max() < 0.2


def test_levels_share_their_noise(simulated):
    clean = EcgSet([simulated], SPLITS["test"], 100, 10)
    ((before, _, _),) = clean.signals([0])
    soft, loud = (NoisyEcgs(clean, "white", NOISES["white"], level, 0).signals([0])[0][0] for level in (24.0, -6.0))
    soft, loud = soft - before, loud - before
    assert loud == pytest.approx(soft * 10**1.5, abs=2e-3)


def test_zscored_recordings_are_counted_and_disturbed(model_folder, simulated, tmp_path):
    from dataclasses import replace

    examples = [
        replace(example, signal=((example.signal - example.signal.mean(0)) / example.signal.std(0)), unit="z")
        for example in read_examples(simulated)
    ]
    folder = write_prepared(tmp_path / "z", examples)
    table = evaluate_noise(model_folder, [folder], tmp_path / "out", chosen={"white": (0.0,)})
    assert "n = 3 recordings (3 of them z-scored)" in table
    clean = EcgSet([folder], SPLITS["test"], 100, 10)
    noisy = NoisyEcgs(clean, "white", NOISES["white"], 0.0, 0)
    assert np.abs(noisy.inputs([0])[0] - clean.inputs([0])[0]).max() > 0.1


def test_noise_of_nstdb(run, tmp_path):
    import wfdb

    folder = tmp_path / "nstdb"
    folder.mkdir()
    values = np.random.default_rng(0).normal(0, 1, (360 * 30, 2))
    for record in ("bw", "ma", "em"):
        wfdb.wrsamp(
            record,
            fs=360,
            units=["mV"] * 2,
            sig_name=["a", "b"],
            p_signal=values,
            fmt=["16"] * 2,
            write_dir=str(folder),
        )
    table = run({"baseline wander": (-6.0,)}, nstdb=folder)
    assert "NSTDB records" in table
    assert set(json.loads((run.out / "results.json").read_text())["nstdb"]) == {
        f"{record}.{suffix}" for record in ("bw", "ma", "em") for suffix in ("dat", "hea")
    }
    drafts = "conditions/baseline-wander_-6-dB/drafts.json"
    real = json.loads((run.out / drafts).read_text())
    run({"baseline wander": (-6.0,)}, out="generated")
    generated = json.loads((tmp_path / "generated" / drafts).read_text())
    assert real != generated


def test_the_table_of_many_runs_has_a_row_a_condition(whole):
    from meit.benchmark.tables.paper_tables import collect, table_rows

    lines = [line[2:4] for line in table_rows("noise", collect([whole[0]]))[1:]]
    assert sorted(lines) == sorted([["clean", ""], *([*label.rsplit(", ", 1)] for label in LABELS)])


def test_curves_show_what_was_scored():
    metric = {"rouge_l": Metric(0.5, (0.4, 0.6)), "cider_d": Metric(3.0, (2.0, 4.0))}
    low = {"rouge_l": Metric(0.2, (0.1, 0.3)), "cider_d": Metric(1.0, (0.5, 1.5))}
    scores = {
        CLEAN: metric,
        ("white", -6.0): low,
        ("white", 24.0): metric,
        ("segments", 0.2): low,
        ("missing lead", "V2"): low,
    }
    panels = np.reshape(curves(scores, NOISES).axes, (2, 3))
    assert [axes.get_title() for axes in panels[0]] == ["white", "segments", "missing lead"]
    assert [axes.get_ylabel() for axes in panels[:, 0]] == ["rouge_l", "cider_d"]
    assert panels[1, 0].get_ylim()[0] == 0 and panels[1, 0].get_ylim()[1] >= 4
    left, right = panels[1, 0].get_xlim()
    assert left > 24 and right < -6  # noise grows to the right
    left, right = panels[1, 1].get_xlim()
    assert left < right
    line = panels[1, 0].lines[1]
    assert line.get_xdata().tolist() == [-6, 24] and line.get_ydata().tolist() == [1, 3]


def test_choosing():
    every = NOISES["missing lead"].levels
    assert choose_noises(["white=24,-6", "missing lead"]) == {"white": (24.0, -6.0), "missing lead": every}
    assert choose_noises(["missing lead=I,V1", "segments=0.5"]) == {"missing lead": ("I", "V1"), "segments": (0.5,)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rain", "no noise is called 'rain'; known are segments, meit, baseline wander"),
        ("white=loud", "'loud' is no level of white"),
        ("missing lead=V7", "cannot be 'V7'; it is one of I, II"),
        ("swapped electrodes=LA-V1", "cannot be 'LA-V1'"),
        ("segments=1.5", "1.5 is no share"),
        ("segments=nan", "nan is no level"),
        ("mains hum=inf", "inf is no level"),
    ],
)
def test_what_cannot_be_chosen(text, words):
    with pytest.raises(DataError, match=words):
        choose_noises([text])


def test_a_wrong_level_is_found_before_the_model_is_loaded(tmp_path, simulated):
    with pytest.raises(DataError, match="cannot be 'V9'"):
        evaluate_noise(tmp_path / "none", [simulated], tmp_path / "out", chosen={"missing lead": ("V9",)})


def test_a_loss_is_below_zero(run):
    run({"white": (24.0,)})
    (run.out / "conditions" / "clean" / "drafts.json").write_text(json.dumps(["fast", "slow", "fast"]))
    (run.out / "conditions" / "white_24-dB" / "drafts.json").write_text(json.dumps(["fast", "fast", "fast"]))
    table = run({"white": (24.0,)})
    condition = json.loads((run.out / "results.json").read_text())["conditions"][0]
    assert condition["metrics"]["rouge_1"]["value"] == pytest.approx(2 / 3)
    assert condition["differences"]["rouge_1"]["value"] == pytest.approx(-1 / 3)
    assert condition["unchanged_drafts"] == pytest.approx(2 / 3)
    assert "| white, 24 dB (67% the same) |" in table
