import json

import pytest

from meit.atomic import atomic_path, write_json, write_jsonl, write_text


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "table.npy"
    path.write_text("old")
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert (temporary.parent, temporary.suffix) == (tmp_path, ".npy")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "table.md"
    path.write_text("old")
    with pytest.raises(error), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_writers(tmp_path):
    write_text(tmp_path / "a.md", "Präexzitation\n")
    assert (tmp_path / "a.md").read_bytes() == "Präexzitation\n".encode()
    write_json(tmp_path / "a.json", {"value": 0.5, "text": "ä"})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"value": 0.5, "text": "ä"}
    write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(2)))
    assert (tmp_path / "a.jsonl").read_text() == '{"n": 0}\n{"n": 1}\n'
    with pytest.raises(ValueError):
        write_json(tmp_path / "b.json", {"value": float("nan")})
    assert not (tmp_path / "b.json").exists()
