"""Tables out of results, in each format; published numbers only with their source."""

import csv
import io
import json

import pytest

from meit.benchmark.tables.paper_tables import TABLE_FORMATS, collect, points, table_rows
from meit.benchmark.tables.plots import scaling_figure
from meit.benchmark.task_table import TABLES
from meit.errors import DataError


def result(folder, name, task="quality", fusion="concat", **more):
    metrics = {"bleu_1": {"value": 0.5, "ci95": [0.4, 0.6]}, "bertscore_f1": {"value": 0.9, "ci95": [0.8, 0.95]}}
    training = {"hardware": "2 cores", "seconds": 1234.5, "recipe": {"instructions": "many"}}
    model = {"name": name, "backbone": f"{name}|base", "fusion": fusion, "encoder_tokens": 4, "training": training}
    (folder / name).mkdir()
    content = {"task": task, "n": 130, "model": model, "data": [{"folder": "ptb-xl"}], "metrics": metrics, **more}
    (folder / name / "results.json").write_text(json.dumps(content))


@pytest.fixture
def results(tmp_path):
    result(tmp_path, "one")
    result(tmp_path, "two", fusion="cross")
    result(tmp_path, "three", task="noise", noise="white", level=6)
    return collect([tmp_path])


@pytest.mark.parametrize("name", TABLES)
def test_every_table_can_be_rendered(results, name):
    lines = table_rows(name, results)
    ours = [line for line in lines[1:] if line[-1] == "ours"]
    assert len(ours) == sum(result["task"] == TABLES[name][0] for result in results)
    assert all("arXiv" in line[-1] for line in lines[1 + len(ours) :])
    assert len({len(line) for line in lines}) == 1
    for render in TABLE_FORMATS.values():
        assert render(lines)


def test_what_a_row_says(results):
    header, *lines = table_rows("fusion", results)
    scores = ["bleu_1", "bleu_4", "meteor", "rouge_l", "cider_d"]  # ours, and those that were published
    assert header == ["data", "backbone", "fusion", "encoder_tokens", "n", *scores, "source"]
    assert lines[1] == ["ptb-xl", "two|base", "cross", "4", "130", "0.500 [0.400, 0.600]", *[""] * 4, "ours"]
    assert table_rows("noise", results)[1][2:4] == ["white", "6"]
    assert table_rows("time", results)[1][2:4] == ["2 cores", "1,234"]
    assert table_rows("instructions", results)[1][2] == "many"
    assert "two\\|base" in TABLE_FORMATS["markdown"](table_rows("fusion", results))
    assert list(csv.reader(io.StringIO(TABLE_FORMATS["csv"](table_rows("fusion", results))))) == table_rows(
        "fusion", results
    )
    assert "\\begin{tabular}" in TABLE_FORMATS["latex"](table_rows("fusion", results)) and "bleu\\_1" in TABLE_FORMATS[
        "latex"
    ](table_rows("fusion", results))


def test_published_numbers_carry_their_source(results, tmp_path):
    path = tmp_path / "published.csv"
    path.write_text(
        'table,row,metric,value,source\nbackbones,Someone\'s,bleu_1,0.7,"Paper, table 2"\nfusion,x,bleu_1,1,y\n'
    )
    header, *lines = table_rows("backbones", results, path)
    last = dict(zip(header, lines[-1], strict=True))
    assert (last["data"], last["bleu_1"], last["source"]) == ("Someone's", "0.700", "Paper, table 2")
    path.write_text("table,row,metric,value,source\nbackbones,x,bleu_1,0.7,\n")
    with pytest.raises(DataError, match="has no source"):
        table_rows("backbones", results, path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="needs the columns table"):
        table_rows("backbones", results, path)


def test_what_is_no_result_is_named(tmp_path):
    with pytest.raises(DataError, match="no results.json"):
        collect([tmp_path])
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(DataError, match="no result of 'meit evaluate'"):
        collect([tmp_path])
    with pytest.raises(DataError, match="table 'x' is not known; known are backbones"):
        table_rows("x", [])


def test_curves_over_a_size(tmp_path):
    for share, value in ((0.1, 0.2), (1.0, 0.4), (0.3, 0.3)):
        training = {"recipe": {"share": share}}
        metrics = {"bleu_4": {"value": value, "ci95": [value - 0.1, value + 0.1]}}
        model = {"backbone": "small", "training": training}
        folder = tmp_path / str(share)
        folder.mkdir()
        content = {"task": "quality", "n": 9, "model": model, "data": [{"folder": "ptb-xl"}], "metrics": metrics}
        (folder / "results.json").write_text(json.dumps(content))
    found = points("training-size", collect([tmp_path]))
    assert {(series, size) for series, size, _ in found} == {("ptb-xl small", size) for size in (0.1, 0.3, 1.0)}
    figure = scaling_figure(found, "training-size")
    scaling_figure([*found, *found], "training-size")  # two runs of one size
    line = figure.axes[0].lines[0]
    assert list(line.get_xdata()) == [0.1, 0.3, 1.0] and list(line.get_ydata()) == [0.2, 0.3, 0.4]
    with pytest.raises(DataError, match="size and training-size have"):
        points("fusion", [])
    with pytest.raises(DataError, match="no result states its size"):
        scaling_figure(points("size", collect([tmp_path])), "size")
