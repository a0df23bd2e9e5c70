"""However often a run is killed, and wherever: every recording once, and the same drafts as without."""

import json
from pathlib import Path

import pytest
from forked_meit import run_script


@pytest.mark.parametrize(("kind", "every"), [("text", 1), ("jsonl", 1), ("parquet", 3)])
def test_killed_at_every_step_and_started_again(kind, every, tiny_saved, recordings, tmp_path):
    script = Path(__file__).with_name("kill_moments.py")
    done = run_script(script, tiny_saved, recordings, tmp_path, kind, every)
    assert done.returncode == 0, done.stderr
    whole, *tries = map(json.loads, done.stdout.splitlines())
    expected = whole["whole"]
    assert len({name for name, _ in expected}) == len(expected) == 6
    assert len({text for _, text in expected}) == 6
    assert len(tries) > 8
    for one in tries:
        assert one["after"] == expected, one["steps"]
        names = [name for name, _ in one["killed"]]
        assert len(set(names)) == len(names), "a recording stood there twice"
        assert one["left_over"] == []
        if one["from"] == "nothing":
            assert all(row in expected for row in one["killed"]), "half of something"
    fresh = [one["again"] for one in tries if one["from"] == "nothing"]
    assert fresh[0] == 6 and fresh[-1] == 0, "what is whole is not drafted again"
    assert sorted(fresh, reverse=True) == fresh
