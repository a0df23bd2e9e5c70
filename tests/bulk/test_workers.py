"""Workers that are killed: every recording once, the same drafts as in one process, and the one to blame is named."""

import os
import signal
from itertools import count
from pathlib import Path

import mortal_workers
import pytest
from mortal_workers import MortalActor, MortalWorker, QuickWorker, StillbornWorker

from meit.bulk.outcome import DRAFTED, FAILED, DraftTask, Handed, Outcome
from meit.bulk.workers.handing_out import DEADLY, hand_out
from meit.errors import DataError

TASK = DraftTask(Path(), "text", Path(), Path(), threads=1)


def handed_out(names, size, workers=2, worker=QuickWorker):
    given = [Handed(name, name) for name in names]
    pieces = iter([given[start : start + size] for start in range(0, len(given), size)])
    lost = lambda one, reason: Outcome(one.path, FAILED, reason=reason)  # noqa: E731
    return list(hand_out(pieces, workers, lambda: worker(TASK), lost))


def test_what_kills_its_worker_twice_has_failed_and_nothing_else(monkeypatch):
    monkeypatch.setattr(QuickWorker, "started", count())
    names = [f"ecg{number}" for number in range(12)]
    names[4:4] = ["deadly"]
    outcomes = handed_out(names, 3)
    assert sorted(one.path for one in outcomes) == sorted(names)
    assert {one.path: one.reason for one in outcomes if one.status == FAILED} == {"deadly": DEADLY}
    assert next(QuickWorker.started) == 4, "two, and one for each death"
    assert len({one.reason for one in outcomes if one.status == DRAFTED}) > 1, "several processes drafted"


def test_a_worker_that_dies_while_it_waits_costs_nothing():
    pids = []

    class Waiting(QuickWorker):
        def draft(self, handed):
            if not pids:
                pids.append(self._pid.result())
                os.kill(pids[0], signal.SIGKILL)
                while not self._pool._broken:
                    pass
            return super().draft(handed)

    outcomes = handed_out(["a", "b", "c"], 1, workers=1, worker=Waiting)
    assert [(one.path, one.status) for one in outcomes] == [("a", DRAFTED), ("b", DRAFTED), ("c", DRAFTED)]


def test_workers_that_cannot_begin_are_one_line():
    with pytest.raises(DataError, match="killed while they load the model"):
        handed_out(["a"], 1, workers=1, worker=StillbornWorker)


def test_nothing_to_do_starts_nobody(monkeypatch):
    monkeypatch.setattr(QuickWorker, "started", count())
    assert handed_out([], 1) == [] and next(QuickWorker.started) == 0


def test_local_workers_draft_what_one_process_drafts_though_one_is_killed(bulk, recordings, tmp_path, monkeypatch):
    from meit.bulk.workers import local_workers

    monkeypatch.setattr(local_workers, "LocalWorker", MortalWorker)
    counts = bulk(tmp_path / "killed", "text", recordings, workers=2)
    assert (tmp_path / "killed" / ".killed").exists() and counts["drafted"] == counts["recordings"] == 6
    bulk(tmp_path / "one", "text", recordings)
    assert texts(tmp_path / "killed") == texts(tmp_path / "one")
    assert counts["kept"] == 0 and bulk(tmp_path / "killed", "text", recordings, workers=2)["kept"] == 6


def texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.txt")}


@pytest.fixture
def cluster():
    """Two Ray nodes on this machine, one processor each."""
    pytest.importorskip("ray")
    import ray
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    found.add_node(num_cpus=1)
    tests = str(Path(mortal_workers.__file__).parent)
    path = os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])
    ray.init(address=found.address, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": path}})
    yield ray
    ray.shutdown()
    found.shutdown()


def test_ray_drafts_what_one_process_drafts_though_an_actor_is_killed(bulk, recordings, cluster, tmp_path, monkeypatch):
    import json

    from meit.bulk.workers import on_ray

    monkeypatch.setattr(on_ray, "_Actor", MortalActor)
    counts = bulk(tmp_path / "killed", "jsonl", recordings, engine="ray", shard_rows=4)
    assert len(cluster.nodes()) == 2
    assert (tmp_path / "killed" / ".killed").exists() and counts["drafted"] == counts["recordings"] == 6
    bulk(tmp_path / "one", "jsonl", recordings)
    rows = {}
    for name in ("killed", "one"):
        shards = sorted((tmp_path / name).glob("part-*.jsonl"))
        lines = [json.loads(line) for shard in shards for line in shard.read_text().splitlines()]
        rows[name] = sorted(lines, key=lambda row: row["path"])
    assert rows["killed"] == rows["one"] and len(rows["one"]) == 6
    assert len(list((tmp_path / "killed").glob("part-*"))) == 2
