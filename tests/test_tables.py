"""Every table that comes with the package is read by one function, and holds together."""

from pathlib import Path

import pytest

import meit
from meit.tables import named_rows_of, rows_of

PACKAGE = Path(meit.__file__).parent
TABLES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.tsv"))


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_every_row_has_a_cell_a_column(table):
    package = ".".join(["meit", *table.parent.parts])
    rows, named = rows_of(package, table.name), named_rows_of(package, table.name)
    assert rows and [list(row.values()) for row in named] == rows


def test_a_row_with_a_cell_too_many_is_refused(tmp_path, monkeypatch):
    (tmp_path / "with_a_table").mkdir()
    (tmp_path / "with_a_table" / "__init__.py").touch()
    (tmp_path / "with_a_table" / "words.tsv").write_text("# remark\n\nword\tmeaning\nQRS\tcomplex\nP\twave\tof what?\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert rows_of("with_a_table", "words.tsv") == [["QRS", "complex"], ["P", "wave", "of what?"]]
    with pytest.raises(ValueError):
        named_rows_of("with_a_table", "words.tsv")


def test_no_other_reader_of_tables():
    own = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if path.name != "tables.py" and ("importlib.resources" in path.read_text() and ".tsv" in path.read_text())
    ]
    assert not own
