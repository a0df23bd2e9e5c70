import json
import platform
from importlib.metadata import version

import pytest

from meit.benchmark.tables.metric_tables import markdown_table, results_json
from meit.patient_bootstrap import Metric

METRICS = {"bleu_4": Metric(0.12345, (0.1, 0.15)), "cider_d": Metric(2.5, (2, 3))}


def test_markdown_table():
    assert markdown_table({"meit": METRICS, "a|b": {"bleu_4": Metric(0, (0, 0))}}) == (
        "| System | bleu_4 | cider_d |\n"
        "| --- | --- | --- |\n"
        "| meit | 0.123 [0.100, 0.150] | 2.500 [2.000, 3.000] |\n"
        "| a\\|b | 0.000 [0.000, 0.000] |  |\n"
    )


def test_results_json():
    results = results_json("quality", 7, "small", "ptb-xl", METRICS, {"seed": 0})
    assert list(results) == [
        "task",
        "task_version",
        "n",
        "model",
        "data",
        "versions",
        "hardware",
        "command",
        "metrics",
        "seed",
    ]
    assert results["versions"]["python"] == platform.python_version()
    assert results["versions"]["sacrebleu"] == version("sacrebleu")
    assert json.loads(json.dumps(results["metrics"])) == {
        "bleu_4": {"value": 0.12345, "ci95": [0.1, 0.15]},
        "cider_d": {"value": 2.5, "ci95": [2, 3]},
    }


def test_extra_entries_cannot_replace_the_fixed_ones():
    with pytest.raises(ValueError, match="overwrite metrics, n"):
        results_json("quality", 7, "small", "ptb-xl", METRICS, {"n": 8, "metrics": {}})
