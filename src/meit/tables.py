"""The tables that come with the package: tab-separated UTF-8, lines that start with # are remarks, then the columns' names."""

from importlib.resources import files


def rows_of(package: str, name: str) -> list[list[str]]:
    """The cells of each row of a table, as "meit.reports" and "scp_codes.tsv"; without the columns' names."""
    return _lines(package, name)[1:]


def named_rows_of(package: str, name: str) -> list[dict[str, str]]:
    """The same with each cell under its column's name; ValueError where a row has more or fewer cells than columns."""
    columns, *rows = _lines(package, name)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _lines(package: str, name: str) -> list[list[str]]:
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
