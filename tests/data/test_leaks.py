"""Leaks are found, and nothing else is taken for one."""

from dataclasses import replace

import numpy as np
import pytest
from forked_meit import run_meit
from support import write_prepared

from meit.data.leaks import find_leaks
from meit.data.shards import read_examples
from meit.data.stats import count_data, draw_stats


@pytest.fixture(scope="module")
def real(example, tmp_path_factory):
    """The examples' recordings, and parts of them moved in time, one in each fold: all different."""
    from meit.data.shards import Example, Report
    from meit.ecg import read_ecg
    from meit.ecg.signal.resampling import resample

    made = []
    for number, path in enumerate(sorted(example.parent.glob("*.hea")) * 4):
        recording = read_ecg(path)
        signal = np.roll(resample(recording.signal, recording.rate, 100), 137 * number, axis=0)
        report = Report(
            str(number), f"p{number}", 1 + number % 10, f"Text {number % 7}.", "", "en", 1.0, age=50.0 + number
        )
        made.append(Example(report, signal, 100.0, "mV"))
    assert len({e.report.fold for e in made}) == 10 and len(made) == 12
    return made


def planted(real, folder, **changed):
    """The same with one more recording: a copy of the one in fold 1, its report changed."""
    first = next(e for e in real if e.report.fold == 1)
    signal = changed.pop("signal", lambda s: s)(first.signal)
    copy = replace(first, report=replace(first.report, record_id="copy", **changed), signal=signal)
    return write_prepared(folder, [*real, copy])


def test_a_clean_set_is_clean(real, tmp_path):
    found = find_leaks([write_prepared(tmp_path / "clean", real)])
    assert not found and sum(found.sizes.values()) == len(real)
    assert found.texts["test", "train"][0] > 0  # equal texts are a figure, no leak


def test_a_patient_in_two_splits(real, tmp_path):
    found = find_leaks([planted(real, tmp_path / "leak", fold=10, signal=lambda s: s[::-1].copy())])
    assert [row[:1] + row[2:3] for row in found.patients] == [("train", "test")] and not found.copies


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s,
        lambda s: s * 1.7,
        lambda s: s + np.float32(0.3),
        lambda s: (np.round(s * 200) / 200).astype(np.float32),
        lambda s: s + np.random.default_rng(0).normal(0, 0.02, s.shape).astype(np.float32),
        lambda s: ((s - s.mean(0)) / s.std(0)).astype(np.float32),
    ],
    ids=["copied", "scaled", "shifted", "rounded", "noisy", "z-scored"],
)
def test_a_recording_in_two_splits(real, tmp_path, change):
    found = find_leaks([planted(real, tmp_path / "leak", patient_id="other", fold=9, signal=change)])
    first = next(e for e in real if e.report.fold == 1).report.record_id
    assert found.copies == [("train", first, "validation", "copy")] and not found.patients


def test_a_recording_in_two_folders(real, tmp_path):
    """Under one id, in another fold of another folder."""
    first = next(e for e in real if e.report.fold == 1)
    other = replace(first, report=replace(first.report, patient_id="other", fold=10))
    folders = write_prepared(tmp_path / "a", real), write_prepared(tmp_path / "b", [other])
    assert len(find_leaks(folders).copies) == 1


def run(*arguments):
    return run_meit("data", *arguments)


def test_the_commands(real, tmp_path):
    clean, leak = write_prepared(tmp_path / "clean", real), planted(real, tmp_path / "leak", fold=10)
    done = run("check", clean)
    assert done.returncode == 0 and "patients in two splits: 0" in done.stdout
    done = run("check", leak)
    assert (
        done.returncode == 1 and "near-identical recordings in two splits: 1" in done.stdout and "copy" in done.stdout
    )
    done = run("check", tmp_path)
    assert done.returncode == 2 and "meit prepare" in done.stderr
    done = run("stats", clean, "--plot", tmp_path / "plot.png")
    assert done.returncode == 0 and f"recordings: {len(real)}" in done.stdout
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def test_stats_count(real, tmp_path):
    silent = replace(
        real[0],
        signal=real[0].signal.copy(),
        report=replace(real[0].report, record_id="x", age=None, codes={"AFIB": 100.0}),
    )
    silent.signal[:, 11] = np.nan
    found = count_data([write_prepared(tmp_path / "some", [*real, silent])])
    assert found.recordings == len(real) + 1 == len(list(read_examples(tmp_path / "some")))
    assert found.missing["V6"] == 1 and found.missing["age"] == 1 and "V5" not in found.missing
    assert found.counts["finding"] == {"AFIB": 1} and found.seconds == {"10": len(real) + 1}
    assert found.counts["text"].most_common(1)[0][0] in found.to_text()
    draw_stats(found, tmp_path / "stats.svg")
    assert "AFIB" in (tmp_path / "stats.svg").read_text()
