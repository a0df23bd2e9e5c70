"""Hallucination and omission before and after the checks, on records whose counts are known."""

from types import MappingProxyType

import pytest

from meit.benchmark.grounded import Drafted
from meit.benchmark.grounding import _by_code, _judge, _shares, scores
from meit.drafting.grounding import SUPPORTS
from meit.ecg.measure.measurements import Measure, Measurements


def record(number, draft, reference, **values):
    found = Measurements({name: Measure(float(value), 1.0) for name, value in values.items()})
    return Drafted(str(number), str(number), reference, "F", 50.0, "mV", draft, MappingProxyType({}), found)


RECORDS = [
    record(1, "Sinus rhythm. Sinus bradycardia.", "Sinus rhythm.", heart_rate_bpm=80),  # an invention is removed
    record(2, "Sinus rhythm. Normal ECG.", "Sinus rhythm. First degree AV block.", pr_ms=240),  # and an omission added
    record(3, "Left axis deviation.", "Left axis deviation.", axis_deg=45),  # a true finding is lost
    record(4, "Sinus rhythm.", "Sinus rhythm.", heart_rate_bpm=70),
]


def test_counts_by_hand():
    rows = [_judge(one) for one in RECORDS]
    metrics, differences = scores([row["sets"] for row in rows], [row["reference"] for row in rows], [1, 2, 3, 4], 20)
    values = {name: {key: metric.value for key, metric in found.items()} for name, found in metrics.items()}
    assert values["before"] == pytest.approx(
        {"hallucinated": 2 / 4, "omitted": 1 / 4, "precision": 4 / 6, "recall": 4 / 5, "f1": 8 / 11}
    )
    assert values["removed"] == pytest.approx(
        {"hallucinated": 0, "omitted": 2 / 4, "precision": 1, "recall": 3 / 5, "f1": 6 / 8}
    )
    assert values["after"] == pytest.approx(
        {"hallucinated": 0, "omitted": 1 / 4, "precision": 1, "recall": 4 / 5, "f1": 8 / 9}
    )
    assert differences["after"]["hallucinated"].value == pytest.approx(-0.5)


def test_the_price_is_told_by_code():
    rows = [_judge(one) for one in RECORDS]
    table = _by_code(rows)
    assert "| LAD | 1 | 1 | 0 | 0 |" in table and "| SBRAD | 1 | 0 | 0 | 0 |" in table
    assert "| 1AVB | 0 | 0 | 1 | 1 |" in table and "| all | 3 | 1 | 1 | 1 |" in table
    assert "| contradicted | 3 | 1 | 0.33 |" in _shares(rows, "support", SUPPORTS)
