"""What the sensitive operating point shows the language model, and what it leaves alone."""

from dataclasses import replace

import pytest
import torch

from meit.drafting.draft_types import ModelInfo
from meit.errors import ModelError
from meit.model.operating_points import BALANCED, SENSITIVE, leaning
from meit.model.report_model import load_model


def test_only_abnormal_findings_become_more_probable():
    logits = torch.tensor([[-1.0, 2.0, 0.5, 0.0]])
    leant = leaning(logits, ("AFIB", "NORM", "SR", "MID"), 1.5)
    assert leant.tolist() == [[0.5, 0.5, 0.5, 0.0]]  # fibrillation up, normal down, sinus rhythm and axis as they were


@torch.no_grad()
def test_the_language_model_is_shown_other_tokens_and_the_probabilities_stay(tiny_model, tmp_path):
    tiny_model.spec = replace(tiny_model.spec, sensitive=1.0)
    tiny_model.save(tmp_path)
    balanced, sensitive = (load_model(tmp_path, operating_point=point) for point in (BALANCED, SENSITIVE))
    ecg, mask = torch.randn(2, 1000, 12), torch.ones(2, 1000)
    one, other = balanced.encode(ecg, mask), sensitive.encode(ecg, mask)
    assert torch.equal(one.probabilities, other.probabilities)
    shown, leant = (model.ecg_tokens(*one[:2]) for model in (balanced, sensitive))
    n = balanced.spec.finding_tokens
    assert not torch.allclose(shown[:, :n], leant[:, :n]) and torch.equal(shown[:, n:], leant[:, n:])
    assert balanced.sha256 == sensitive.sha256
    told = ModelInfo.of(sensitive)
    assert "sensitive operating point" in told.words and ModelInfo.from_dict(told.to_dict()) == told
    assert "operating" not in ModelInfo.of(balanced).words


def test_a_model_without_that_point_is_refused_in_one_line(tiny_model, tmp_path):
    tiny_model.save(tmp_path)
    with pytest.raises(ModelError, match="no sensitive operating point: 'meit calibrate --sensitive' finds one"):
        load_model(tmp_path, operating_point=SENSITIVE)
    with pytest.raises(ModelError, match="operating point 'bold' is not known; known are balanced, sensitive"):
        load_model(tmp_path, operating_point="bold")
