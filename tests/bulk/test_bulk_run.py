"""What a run keeps and what it drafts again; one writer a folder; signals; names that never meet."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from meit.bulk.bookkeeping import places
from meit.cli import main
from meit.errors import DataError

ECGS = 6


@pytest.fixture(autouse=True)
def short_drafts(monkeypatch):
    """What they say does not matter here."""
    monkeypatch.setattr("meit.drafting.report_writing.MAX_NEW_TOKENS", 12)


@pytest.fixture
def ecgs(recordings, tmp_path) -> Path:
    return Path(shutil.copytree(recordings, tmp_path / "ecgs"))


def manifest(out: Path) -> dict:
    return json.loads((out / "manifest.json").read_text())


def rows_in(out: Path) -> list[dict]:
    """Of all shards, in the order of their recordings."""
    import pyarrow.parquet as pq

    lines = [json.loads(line) for shard in out.glob("*.jsonl") for line in shard.read_text().splitlines()]
    rows = [row for shard in out.glob("*.parquet") for row in pq.read_table(shard).to_pylist()]
    return sorted(lines + rows, key=lambda row: row["path"])


def moved(path: Path, by: int = 1) -> None:
    """Another time of change, long ago too."""
    found = path.stat().st_mtime_ns + by * 10**9
    os.utime(path, ns=(found, found))


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_what_changed_is_drafted_again_and_nothing_else(bulk, ecgs, tmp_path, kind):
    out = tmp_path / "out"
    assert bulk(out, kind, ecgs, shard_rows=4) == {"recordings": 6, "drafted": 6, "unusable": 0, "failed": 0, "kept": 0}
    assert bulk(out, kind, ecgs)["kept"] == 6
    touched, changed = (ecgs / "ward0" / f"ecg{number}.dat" for number in (0, 2))
    moved(touched)
    signal_bytes = bytearray(changed.read_bytes())
    signal_bytes[:2000] = signal_bytes[2000:4000]  # of the same size
    changed.write_bytes(signal_bytes)
    os.utime(changed, (1_600_000_000, 1_600_000_000))
    before = journal_lines(out)
    assert bulk(out, kind, ecgs)["kept"] == 5
    again = [row for row in journal_lines(out)[len(before) :] if row.get("status")]
    assert [Path(row["path"]).stem for row in again] == ["ecg0", "ecg2"], "one is known by its new time, one drafted"
    assert bulk(out, kind, ecgs)["kept"] == 6 and len(journal_lines(out)) == len(before) + len(again) + 2 * (
        kind == "parquet"
    )
    assert bulk(out, kind, ecgs, strict=True)["kept"] == 0
    if kind == "parquet":
        assert sorted(row["path"] for row in rows_in(out)) == sorted(map(str, ecgs.rglob("*.hea")))


def journal_lines(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / ".meit" / "journal.jsonl").read_text().splitlines()]


def test_a_file_changed_within_the_tick_of_its_clock_is_seen(bulk, ecgs, tmp_path):
    """Same size and same time, but the time is too young to be trusted."""
    changed = ecgs / "ward0" / "ecg0.dat"
    now = time.time_ns()
    os.utime(changed, ns=(now, now))
    bulk(tmp_path / "out", "text", ecgs)
    changed.write_bytes(changed.read_bytes()[::-1])
    os.utime(changed, ns=(now, now))
    assert bulk(tmp_path / "out", "text", ecgs)["kept"] == ECGS - 1


def test_another_model_and_a_lost_draft_are_drafted_again(bulk, ecgs, tiny_saved, tmp_path):
    out = tmp_path / "out"
    bulk(out, "text", ecgs)
    (out / "ward0" / "ecg0.txt").unlink()
    (out / "ward1" / "ecg1.txt").write_text("half")
    assert bulk(out, "text", ecgs)["kept"] == ECGS - 2
    other = Path(shutil.copytree(tiny_saved, tmp_path / "other"))
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "version": "1"}))
    assert bulk(out, "text", ecgs, model=other)["kept"] == 0
    assert manifest(out)["model"]["version"] == "1" and manifest(out)["finished"]


@pytest.mark.parametrize("name", ["calibration.json", "validation.json"])
def test_what_is_known_of_a_models_statements_is_part_of_their_drafts(bulk, ecgs, tiny_saved, tmp_path, name):
    out, model = tmp_path / "out", Path(shutil.copytree(tiny_saved, tmp_path / "model"))
    bulk(out, "text", ecgs, model=model)
    assert bulk(out, "text", ecgs, model=model)["kept"] == ECGS
    known = {"model_sha256": "of another model", "weights": {}, "codes": {}}
    if name == "validation.json":
        known = {"model_sha256": "of another model", "source": "PTB-XL", "ppv": {}}
    (model / name).write_text(json.dumps(known))
    assert bulk(out, "text", ecgs, model=model)["kept"] == 0


def test_failures_are_tried_again_and_never_kept(bulk, ecgs, tmp_path):
    out, damaged = tmp_path / "out", ecgs / "ward0" / "ecg0.dat"
    bulk(out, "text", ecgs)
    whole = damaged.read_bytes()
    damaged.write_bytes(b"short")
    counts = bulk(out, "text", ecgs)
    assert (counts["failed"], counts["kept"]) == (1, 5)
    (failure,) = manifest(out)["failures"]
    assert failure["path"].endswith("ecg0.hea") and "ecg0" in failure["reason"]
    assert not (out / "ward0" / "ecg0.txt").exists(), "the draft of what the file was"
    damaged.write_bytes(whole)
    assert bulk(out, "text", ecgs)["drafted"] == 6 and (out / "ward0" / "ecg0.txt").exists()


def test_failures_stand_in_shards_once(bulk, ecgs, tmp_path):
    damaged = ecgs / "ward0" / "ecg0.dat"
    damaged.write_bytes(b"short")
    out = tmp_path / "out"
    for _ in range(2):
        assert bulk(out, "jsonl", ecgs, shard_rows=4)["failed"] == 1
        (row,) = [row for row in rows_in(out) if row["status"] == "failed"]
        assert row["error"] and row["path"].endswith("ecg0.hea") and len(rows_in(out)) == 6
        assert [path.name for path in sorted(out.glob("part-*"))] == ["part-00000.jsonl", "part-00001.jsonl"]


def test_jsonl_and_parquet_say_the_same(bulk, ecgs, tmp_path):
    (ecgs / "ward0" / "ecg0.dat").write_bytes(b"short")
    for kind in ("jsonl", "parquet"):
        bulk(tmp_path / kind, kind, ecgs)
    lines, rows = (rows_in(tmp_path / kind) for kind in ("jsonl", "parquet"))
    assert lines == rows and len(lines) == 6
    drafted = [row for row in rows if row["status"] == "drafted"]
    assert len(drafted) == 5
    for row in drafted:
        assert row["measurements"]["heart_rate_bpm"] > 40 and len(row["measurements"]["leads"]) == 12
        assert row["quality"]["verdict"] in ("good", "limited") and len(row["model_sha256"]) == 64


def test_one_run_a_folder(bulk, ecgs, tmp_path):
    out = tmp_path / "out"
    with places.Places(out).taken(), pytest.raises(DataError, match="another run is writing there"):
        bulk(out, "text", ecgs)
    assert bulk(out, "text", ecgs)["drafted"] == 6


def test_another_programs_manifest_is_not_overwritten(bulk, ecgs, tmp_path):
    (tmp_path / "manifest.json").write_text('{"format": 2}')
    with pytest.raises(DataError, match="would be overwritten"):
        bulk(tmp_path, "text", ecgs)
    assert (tmp_path / "manifest.json").read_text() == '{"format": 2}'


def test_folders_of_equal_names_keep_apart(bulk, ecgs, tmp_path):
    """In one run, and in two."""
    together, apart = tmp_path / "together", tmp_path / "apart"
    for ward in ("ward0", "ward1"):
        for number, file in enumerate(sorted((ecgs / ward).glob("*.hea"))):
            for suffix in (".hea", ".dat"):
                text = file.with_suffix(suffix).read_bytes().replace(file.stem.encode(), b"e%d" % number)
                (ecgs / ward / f"e{number}{suffix}").write_bytes(text)
                file.with_suffix(suffix).unlink()
    bulk(together, "text", ecgs / "ward0", ecgs / "ward1")
    names = [f"{ward}/e{number}.txt" for ward in ("ward0", "ward1") for number in range(3)]
    assert sorted(str(path.relative_to(together)) for path in together.rglob("*.txt")) == names
    bulk(apart, "text", ecgs / "ward0")
    bulk(apart, "text", ecgs / "ward1")
    found = sorted(str(path.relative_to(apart)) for path in apart.rglob("*.txt"))
    assert found == sorted(["e0.txt", "e1.txt", "e2.txt", *(f"e{n}.hea.txt" for n in range(3))])
    assert bulk(apart, "text", ecgs / "ward0", ecgs / "ward1")["kept"] == 6


def report(model: Path, *line) -> int:
    return main(["report", *map(str, line), "--model", str(model)])


def test_a_list_names_recordings_from_its_folder_on(tiny_saved, ecgs, tmp_path, capsys):
    listed = tmp_path / "list.txt"
    names = [
        str(ecgs / "ward0" / "ecg0.hea"),
        "",
        "ecgs/ward1",
        "ecgs/ward1/ecg1.hea",
        "ecgs/../ecgs/gone.hea",
        "ecgs/ward0/ecg2",
    ]
    listed.write_text("\n".join(names))
    out = tmp_path / "out"
    assert report(tiny_saved, "--list", listed, "--out", out) == 1
    said = capsys.readouterr().err
    assert "gone.hea: no such file" in said and "1 of 6 recordings failed" in said and "Traceback" not in said
    found = sorted(str(path.relative_to(out)) for path in out.rglob("*.txt"))
    assert found == [
        f"ecgs/{ward}.txt" for ward in ("ward0/ecg0", "ward0/ecg2", "ward1/ecg1", "ward1/ecg3", "ward1/ecg5")
    ]
    assert report(tiny_saved, "--list", listed, ecgs, "--out", out) == 2
    assert "one of the two" in capsys.readouterr().err
    assert report(tiny_saved, ecgs, "--workers", "2") == 2 and "--out DIR" in capsys.readouterr().err


def test_several_formats_share_a_folder(bulk, ecgs, tmp_path):
    for kind in ("text", "json", "jsonl", "text"):
        counts = bulk(tmp_path / "out", kind, ecgs)
    assert counts["kept"] == 6
    assert len(list((tmp_path / "out").rglob("ecg*"))) == 12


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("kind", ["text", "jsonl"])
def test_stopped_nothing_is_half_and_the_next_run_goes_on(
    tiny_saved, ecgs, tmp_path, capsys, monkeypatch, number, kind
):
    from meit.bulk.workers import drafter

    drafts = drafter.draft_paths

    def stopped_after_two(*arguments, **options):
        for done, file in enumerate(drafts(*arguments, **options)):
            if done == 2:
                os.kill(os.getpid(), number)
            yield file

    monkeypatch.setattr(drafter, "draft_paths", stopped_after_two)
    out = tmp_path / "out"
    handler = signal.getsignal(signal.SIGTERM)  # of this process, where Ray may have put its own before
    assert report(tiny_saved, ecgs, "--out", out, "--format", kind) == 130
    assert "stopped" in capsys.readouterr().err and signal.getsignal(signal.SIGTERM) == handler
    told = manifest(out)
    assert not told["finished"] and told["drafted"] == 2
    assert not list(out.rglob("temporary")) and len(rows_in(out) or list(out.rglob("ecg*"))) == 2
    monkeypatch.setattr(drafter, "draft_paths", drafts)
    assert report(tiny_saved, ecgs, "--out", out, "--format", kind) == 0
    assert manifest(out)["kept"] == 2 and len(rows_in(out) or list(out.rglob("ecg*"))) == 6


def test_a_full_disk_stops_with_one_line(tiny_saved, ecgs, tmp_path, capsys, monkeypatch):
    from meit.bulk.bookkeeping import journal

    def full(self, rows):
        raise OSError(28, "No space left on device", "journal.jsonl")

    monkeypatch.setattr(journal.Journal, "append", full)
    assert report(tiny_saved, ecgs, "--out", tmp_path / "out") == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("meit: ")]
    assert len(lines) == 1 and "No space left" in lines[0] and "same command again" in lines[0]


def test_what_ends_a_run_midway_leaves_what_is_finished(tiny_saved, ecgs, tmp_path, capsys, monkeypatch):
    from meit.bulk.workers import drafter
    from meit.errors import ModelError

    drafts = drafter.draft_paths

    def broken_after_two(*arguments, **options):
        for done, file in enumerate(drafts(*arguments, **options)):
            if done == 2:
                raise ModelError("the weights are gone")
            yield file

    monkeypatch.setattr(drafter, "draft_paths", broken_after_two)
    assert report(tiny_saved, ecgs, "--out", tmp_path / "out") == 2
    monkeypatch.setattr(drafter, "draft_paths", drafts)
    assert report(tiny_saved, ecgs, "--out", tmp_path / "out") == 0
    assert manifest(tmp_path / "out")["kept"] == 2


@pytest.mark.parametrize("there", [False, True])
def test_a_run_that_is_refused_leaves_nothing(tiny_saved, ecgs, tmp_path, capsys, there):
    """Whether the folder was there before; by a configuration that says nothing, and by none."""
    broken, empty, out = tmp_path / "broken", tmp_path / "empty", tmp_path / "out"
    shutil.copytree(tiny_saved, broken)
    (broken / "config.json").write_text("{}")
    empty.mkdir()
    if there:
        out.mkdir()
        (out / "mine.txt").write_text("mine")
    for model in (broken, empty):
        assert report(model, ecgs, "--out", out) == 2
        assert capsys.readouterr().err.startswith("meit: ")
        assert [path.name for path in out.rglob("*")] == (["mine.txt"] if there else []) and out.exists() == there


def test_an_operating_point_that_a_model_has_not(tiny_saved, ecgs, tmp_path, capsys):
    out = tmp_path / "out"
    for targets in ([ecgs / "ward0" / "ecg0.hea"], [ecgs, "--out", out]):
        assert report(tiny_saved, *targets, "--operating-point", "sensitive") == 2
        assert "has no sensitive operating point: 'meit calibrate --sensitive' finds one" in capsys.readouterr().err
    assert not out.exists()
