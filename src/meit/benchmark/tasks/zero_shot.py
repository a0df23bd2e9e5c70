"""Task 2, zero-shot transfer: a model on recordings of another hospital, whose reports it was not tuned on.

Two things change at once: the recordings and the wording. So the shift of the wording is measured by itself
(`vocabulary_shift`), and the most frequent reports of both sets stand beside the model: what a constant gains by
knowing the other hospital's wording is not skill.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from meit.benchmark.finding_scores import abnormality
from meit.benchmark.tasks.baselines import most_frequent_report, other_patient
from meit.benchmark.tasks.comparison import (
    MODEL,
    SHUFFLE_SEED,
    SHUFFLED,
    compare_systems,
    model_identity,
    training_texts,
)
from meit.benchmark.texts.protocols import tokenise
from meit.benchmark.texts.scoring import Scoring
from meit.data.splits import folds_of
from meit.drafting.report_writing import MAX_NEW_TOKENS
from meit.drafting.set_drafts import write_drafts
from meit.errors import DataError
from meit.model.encoders.encoding import recordings_for
from meit.model.language import loading
from meit.model.model_files import MERGED
from meit.model.operating_points import BALANCED
from meit.model.prompt import for_drafting, prompt_ids
from meit.model.report_model import load_model
from meit.model.sharing import is_first

UNTUNED = "untuned backbone"
FREQUENT_HERE, FREQUENT_THERE = "most frequent report of this hospital", "most frequent report of the tuning set"


def evaluate_zero_shot(
    model_folder: Path,
    data: Sequence[Path],
    tuned_on: Sequence[Path],
    out: Path,
    split: str = "all",
    quantised: str | None = None,
    scoring: Scoring = Scoring(),
    device: str = "auto",
    dtype: str = "auto",
    operating_point: str = BALANCED,
) -> str:
    """`data`: prepared folders of the other hospital; `tuned_on`: those that the model was tuned on.

    split: "all" is fair, since the model has seen none of them. CIDEr-D counts documents in the tuning set. Writes what
    `compare_systems` does; returns the table. Raises DataError, ModelError.
    """
    scoring.check()  # what is absent shall say so now
    model = load_model(model_folder, quantised, device, dtype, operating_point)
    config = model.spec.encoder
    test = recordings_for(config, data, folds_of(split))
    here, there = training_texts(data), training_texts(tuned_on)
    written = write_drafts(model, test)
    if not is_first():
        return ""
    drafts = written.drafts
    systems = {
        MODEL: drafts,
        FREQUENT_HERE: [most_frequent_report(here)] * len(drafts),
        FREQUENT_THERE: [most_frequent_report(there)] * len(drafts),
        SHUFFLED: [drafts[index] for index in other_patient(test.patients, SHUFFLE_SEED)],
    }
    if model.spec.backbone != MERGED:
        systems[UNTUNED] = [untuned_report(model.spec.backbone, model.spec.instruction, model.device)] * len(drafts)
    shift = vocabulary_shift(there, test.texts)
    notes = (
        f"Of the test reports' words {shift['unknown_words']:.0%} (of their occurrences "
        f"{shift['unknown_word_occurrences']:.0%}) and of their sentences {shift['unknown_sentences']:.0%} do not stand "
        f"in the tuning set; the word frequencies differ by {shift['divergence_bits']:.2f} bits (Jensen-Shannon).\n\n"
    )
    return compare_systems(
        "zero-shot",
        systems,
        test,
        there,
        Path(out),
        model=model_identity(model, quantised),
        data=data,
        split=split,
        scoring=scoring,
        extra={"tuned_on": [Path(folder).name for folder in tuned_on], "vocabulary_shift": shift},
        notes=notes,
        abnormal=abnormality(config.findings, written.probabilities),
    )


@torch.inference_mode()
def untuned_report(backbone: str, instruction: str, device: torch.device) -> str:
    """What the language model writes as it came. It sees no ECG, so this is the same for every recording."""
    model: Any
    tokenizer: Any
    model, tokenizer = loading.load(backbone, "float32")
    model.to(device)
    style = "paper" if tokenizer.chat_template is None else "chat"
    text = for_drafting(model, [prompt_ids(tokenizer, instruction, style)]).to(device)
    inputs: dict[str, Tensor | None] = {"input_ids": text.ids, "attention_mask": text.mask}
    if text.source_ids is not None:
        inputs = {"input_ids": text.source_ids, "attention_mask": text.source_mask}
    written = model.generate(**inputs, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
    new = written[0] if text.source_ids is not None else written[0, text.ids.shape[1] :]
    return tokenizer.decode(new, skip_special_tokens=True).strip()


def vocabulary_shift(train_texts: Sequence[str], test_texts: Sequence[str]) -> dict[str, float]:
    """Shares of 0..1, and the Jensen-Shannon divergence of the two sets' word frequencies in bits (0: the same, 1: no
    word in common; Lin, IEEE Trans. Inf. Theory 37, 1991). Raises DataError for an empty set."""
    train, test = (Counter(token for text in texts for token in tokenise(text)) for texts in (train_texts, test_texts))
    if not train or not test:
        raise DataError("no words to compare")
    known_sentences = {sentence for text in train_texts for sentence in _sentences(text)}
    sentences = [sentence for text in test_texts for sentence in _sentences(text)]
    known_texts = set(train_texts)
    return {
        "unknown_words": sum(word not in train for word in test) / len(test),
        "unknown_word_occurrences": sum(count for word, count in test.items() if word not in train) / test.total(),
        "unknown_sentences": sum(sentence not in known_sentences for sentence in sentences) / len(sentences),
        "unknown_reports": sum(text not in known_texts for text in test_texts) / len(test_texts),
        "divergence_bits": _jensen_shannon(train, test),
    }


def _jensen_shannon(one: Counter[str], other: Counter[str]) -> float:
    from scipy.spatial.distance import jensenshannon

    words = sorted(one | other)
    return float(jensenshannon([one[word] for word in words], [other[word] for word in words], base=2) ** 2)


def _sentences(text: str) -> list[str]:
    return [" ".join(tokens) for part in text.split(". ") if (tokens := tokenise(part))]
