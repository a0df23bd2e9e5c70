"""The sensitive operating point: what is counted, and that the largest lean that keeps the specificity is taken."""

import json

import pytest

from meit.drafting.calibration import sensitive_point
from meit.drafting.calibration.sensitive_point import OperatingPoint, find_sensitive_point
from meit.errors import ModelError
from meit.model.configuration import CONFIG, read_config
from meit.training.run import train

NORMAL, ABNORMAL = "Sinus rhythm. Normal ECG.", "Atrial fibrillation. Left axis deviation."


def test_a_point_by_hand():
    drafts = [NORMAL, ABNORMAL, ABNORMAL, NORMAL]
    references = [NORMAL, NORMAL, ABNORMAL, ABNORMAL]
    point = OperatingPoint.of(0.5, drafts, references)
    assert (point.sensitivity, point.specificity, point.f1) == (0.5, 0.5, 0.5)


@pytest.fixture(scope="module")
def trained(make_small_recipe, tmp_path_factory):
    from dataclasses import replace

    recipe = make_small_recipe(tmp_path_factory.mktemp("point") / "run")
    return train(replace(recipe, pretrain_epochs=2, text_steps=0, tune_epochs=2))


def test_it_is_kept_in_the_configuration(trained, simulated, monkeypatch):
    """Where normal ECGs are called abnormal depends on this tiny model: the least that is asked is set aside here."""
    monkeypatch.setattr(sensitive_point, "LEAST_SPECIFICITY", 0.0)
    before = json.loads((trained / CONFIG).read_text())
    table = find_sensitive_point(trained, [simulated])
    assert table.count("\n| ") == len(sensitive_point.LEANS) and "adds 2.5" in table
    assert json.loads((trained / CONFIG).read_text()) == before | {"sensitive": 2.5}
    assert read_config(trained).sensitive == 2.5


def test_where_none_keeps_the_specificity_nothing_is_written(trained, simulated, monkeypatch):
    monkeypatch.setattr(sensitive_point, "LEAST_SPECIFICITY", 1.1)
    before = (trained / CONFIG).read_bytes()
    with pytest.raises(ModelError, match="more than a tenth of the normal ECGs abnormal"):
        find_sensitive_point(trained, [simulated])
    assert (trained / CONFIG).read_bytes() == before
