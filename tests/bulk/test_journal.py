"""The journal's reader: whatever a killed process has left of it, whole lines are read, and what follows is too."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from meit.bulk.bookkeeping.journal import Journal, journal_rows

values = st.one_of(st.integers(), st.text(), st.none(), st.lists(st.integers(), max_size=3))
rows_of = st.lists(st.dictionaries(st.text(max_size=5), values, max_size=3), max_size=6)


def appended(path: Path, rows: list[dict]) -> None:
    journal = Journal(path)
    journal.append(rows)
    journal.close()


@settings(max_examples=200, deadline=None)
@given(rows_of, rows_of, st.integers(0, 10_000))
def test_a_journal_cut_anywhere_gives_its_whole_lines(rows, more, at):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        appended(path, rows)
        assert list(journal_rows(path)) == rows
        whole = path.read_bytes()
        cut = whole[: min(at, len(whole))]
        path.write_bytes(cut)
        left = rows[: cut.count(b"\n")]
        assert list(journal_rows(path)) == left
        appended(path, more)
        assert list(journal_rows(path)) == left + more


@settings(max_examples=200, deadline=None)
@given(rows_of, st.binary(max_size=40))
def test_what_is_no_line_of_a_journal_costs_itself(rows, damage):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        path.write_bytes(damage.replace(b"{", b"") + b"\n")
        appended(path, rows)
        assert list(journal_rows(path)) == rows


def test_no_journal_is_an_empty_one(tmp_path):
    assert list(journal_rows(tmp_path / "absent")) == []
