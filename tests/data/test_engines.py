"""Whatever runs the pieces, and however often it is killed: the same bytes, and nothing is done twice."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from meit.data import prepare as preparing
from meit.data.prepare import prepare
from meit.data.prepare_settings import PrepareSettings
from meit.data.shards import Report, read_examples, read_manifest
from meit.errors import DataError

ROWS = 200  # of a shard, instead of a thousand
RECORDINGS = 469  # three shards, the last one not full
SETTINGS = PrepareSettings("examples", "here", 100)


def planned(paths, count=RECORDINGS):
    """Of one split: its few recordings are many times there, and copies in another split would be taken out."""
    for number in range(count):
        report = Report(str(number), str(number % 97), 1 + number % 8, f"Report {number}.", "", "en", 1.0)
        yield report, paths[number % len(paths)]


@pytest.fixture(scope="module", autouse=True)
def small_shards():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(preparing, "ROWS_PER_SHARD", ROWS)
        yield


@pytest.fixture(scope="module")
def paths(example):
    return sorted(example.parent.glob("*_lr.hea"))


@pytest.fixture(scope="module")
def whole(paths, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    return out, prepare(planned(paths), Counter(), out, SETTINGS)


def shards(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("records-*"))}


def test_every_recording_is_there_in_the_order_of_the_plan(whole):
    out, manifest = whole
    assert manifest["recordings"] == RECORDINGS and len(manifest["sha256"]) == 4
    assert [e.report.record_id for e in read_examples(out)] == [str(number) for number in range(RECORDINGS)]
    assert not [name for name in os.listdir(out) if name.startswith("plan") or name.endswith("0.json")]


SCRIPT = """
import sys
from collections import Counter
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_engines import planned, preparing, ROWS, SETTINGS
preparing.ROWS_PER_SHARD = ROWS
preparing.prepare(planned([Path(p) for p in sys.argv[4:]]), Counter(), Path(sys.argv[2]), SETTINGS, sys.argv[3])
"""


def test_killed_and_started_again_finished_shards_are_kept(whole, paths, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(out), "local", *map(str, paths)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    while not list(out.glob("records-*.json")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "manifest.json").exists()
    with pytest.raises(DataError, match="not a prepared data folder"):
        read_manifest(out)
    done = [path.with_suffix(".arrow") for path in out.glob("records-*.json")]
    assert 0 < len(done) < 3
    before = {path: path.stat().st_mtime_ns for path in done}
    prepare(iter(()), Counter(), out, SETTINGS)  # the plan stands: the source is not asked again
    assert {path: path.stat().st_mtime_ns for path in done} == before
    assert shards(out) == shards(whole[0])
    assert read_manifest(out) == whole[1]
    assert not list(out.glob(".records-*"))


def test_other_settings_begin_anew(paths, tmp_path):
    plan = list(planned(paths, 30))
    preparing._plan(iter(plan), Counter(), tmp_path, SETTINGS)
    manifest = prepare(iter(plan[:20]), Counter(), tmp_path, PrepareSettings("examples", "elsewhere", 100))
    assert manifest["recordings"] == 20


def test_broken_files_are_listed_and_the_manifest_adds_up(paths, tmp_path):
    """One in a hundred: cut, empty, gone, or of another kind."""
    broken = []
    for number, damage in enumerate(["cut", "empty", "text"]):
        folder = tmp_path / f"broken{number}"
        folder.mkdir()
        for file in paths[0].parent.glob(paths[0].stem + ".*"):
            shutil.copy(file, folder)
        data = folder / f"{paths[0].stem}.dat"
        if damage == "cut":
            data.write_bytes(data.read_bytes()[:1000])
        elif damage == "empty":
            data.write_bytes(b"")
        else:
            (folder / paths[0].name).write_text("hello\n")
        broken.append(folder / paths[0].name)

    def some():
        for number, (report, path) in enumerate(planned(paths, 400)):
            yield report, broken[number // 100 % 3] if number % 100 == 50 else None if number == 7 else path

    drops = Counter({"no report in the text": 5})
    manifest = prepare(some(), drops, tmp_path / "out", SETTINGS)
    assert manifest["reports"] == 400
    assert manifest["dropped"] == {"no report in the text": 5, "unreadable": 4, "no recording file": 1}
    assert manifest["recordings"] + 4 + 1 == manifest["reports"]
    assert [failure["record_id"] for failure in manifest["unreadable"]] == ["50", "150", "250", "350"]
    assert all(failure["reason"] and str(tmp_path) not in failure["reason"] for failure in manifest["unreadable"])
    assert (
        sum(manifest["recordings_by_fold"].values())
        == manifest["recordings"]
        == len(list(read_examples(tmp_path / "out")))
    )


def test_nothing_readable_is_an_error(tmp_path):
    report = Report("1", "1", 1, "Text.", "", "en", 1.0)
    with pytest.raises(DataError, match="no recording of examples was found"):
        prepare(iter([(report, None)]), Counter(), tmp_path / "out", SETTINGS)
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.fixture
def cluster():
    """Two Ray nodes on this machine, one processor each."""
    pytest.importorskip("ray")
    import ray
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    found.add_node(num_cpus=1)
    # a node's processes find this test's functions by its folder, and go on when one of them is killed
    ray.init(
        address=found.address, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": str(Path(__file__).parent)}}
    )
    yield ray
    ray.shutdown()
    found.shutdown()


def test_ray_gives_the_same_bytes_though_a_worker_is_killed(whole, paths, cluster, tmp_path, monkeypatch):
    marks = tmp_path / "marks"
    marks.mkdir()
    monkeypatch.setattr(preparing, "make_shard", mortal(marks))
    out = tmp_path / "out"
    prepare(planned(paths), Counter(), out, SETTINGS, "ray")
    assert len(cluster.nodes()) == 2
    tries = [path.name for path in marks.iterdir()]
    assert len(tries) == 4 and len({name.split("-")[0] for name in tries}) == 3  # shard 1 was begun twice
    assert shards(out) == shards(whole[0])


def mortal(marks):
    """make_shard, but the worker that begins shard 1 for the first time is killed in the middle of it."""
    real = preparing.make_shard

    def make_shard(out, number, settings, read):
        first = not list(marks.glob(f"{number}-*"))
        (marks / f"{number}-{os.getpid()}").touch()
        if number == 1 and first:
            import threading

            threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
        return real(out, number, settings, read)

    return make_shard
