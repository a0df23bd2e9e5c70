"""Runs `meit report` again and again, each time killed a step later, and each time again to its end. Run by test_killed.

A step is a line for the journal, or a file that gets its name. All runs are forks of one process, in which the recordings
have been drafted once: drafting is not what is killed here.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path


def main(model: str, recordings: str, base: str, kind: str, every: str) -> None:
    from meit.bulk.bookkeeping import journal
    from meit.bulk.bookkeeping.places import Places
    from meit.bulk.bulk_run import BulkRun
    from meit.bulk.outcome import DraftTask
    from meit.bulk.rows import drafted_row
    from meit.bulk.workers import drafter
    from meit.ecg.files.formats import find_recordings
    from meit.exports.draft_targets import draft_targets
    from meit.model import report_model

    paths = find_recordings(Path(recordings).absolute())
    drafted = {file.path: file for file in drafter.draft_paths(report_model.load_model(model), paths)}
    report_model.load_model = lambda *_: None
    for path, file in drafted.items():  # what this imports and reads, runs need not
        drafted_row(str(path), file.draft)
    given: list[str] = []

    def known(_, paths, **options):
        for path in paths:
            given.append(str(path))
            yield drafted[path]

    drafter.draft_paths = known
    append, replace = journal.Journal.append, os.replace
    left = [0]

    def step(half=lambda: None):
        left[0] -= 1
        if left[0] == 0:
            half()
            os.kill(os.getpid(), signal.SIGKILL)

    def stepped_append(self, rows):
        rows = list(rows)
        step(lambda: self._file.write((json.dumps(rows[0]) if rows else "")[:30].encode()))
        append(self, rows)

    def stepped_replace(*places):
        step()
        replace(*places)

    journal.Journal.append, os.replace = stepped_append, stepped_replace

    def run(out: Path, steps: int, strict: bool = False) -> tuple[bool, int]:
        """Whether it came to its end, and how many recordings were drafted."""
        pipe, far = os.pipe()
        child = os.fork()
        if child == 0:
            left[0] = steps
            task = DraftTask(Path(model), kind, out, Places(out).temporary, strict)
            with BulkRun(task, shard_rows=2) as bulk:
                bulk.plan(draft_targets([Path(recordings)], []))
                bulk.draft(lambda count: None)
            os.write(far, str(len(given)).encode())
            os._exit(0)
        os.close(far)
        _, status = os.waitpid(child, 0)
        counted = os.read(pipe, 20)
        assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL), out
        return status == 0, int(counted or -1)

    whole, strict = Path(base, "whole"), Path(base, "strict")
    run(whole, 0)
    run(strict, 0, strict=True)  # as another option would have drafted them: all of it is to be replaced
    print(json.dumps({"whole": held(whole, kind)}))
    for name in ("nothing",) if kind == "text" else ("nothing", "strict"):
        for steps in range(1, 200, int(every)):
            out = Path(base, f"{name}{steps}")
            if name == "strict":
                shutil.copytree(strict, out)
            ended, _ = run(out, steps)
            killed = held(out, kind)
            again, count = run(out, 0)
            assert again
            left_over = [str(path) for path in out.rglob(".*") if path.is_file() or path.name == "temporary"]
            row = {"from": name, "steps": steps, "killed": killed, "after": held(out, kind), "again": count}
            print(json.dumps({**row, "left_over": left_over}))
            if ended:
                break


def held(out: Path, kind: str) -> list:
    """What a reader of the folder finds: (recording or file, its draft), sorted."""
    shards = sorted(out.glob("part-*"))
    if kind == "jsonl":
        rows = [json.loads(line) for shard in shards for line in shard.read_text().splitlines()]
    elif kind == "parquet":
        import pyarrow.parquet as pq

        rows = [row for shard in shards for row in pq.read_table(shard).to_pylist()]
    else:
        texts = [path for path in out.rglob("*.txt") if not path.name.startswith(".")]
        return sorted([str(path.relative_to(out)), path.read_text()] for path in texts)
    return sorted([row["path"], json.dumps(row, sort_keys=True)] for row in rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
