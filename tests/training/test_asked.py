"""Which questions training asks, how often, and that the answer is the report's own."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from meit.data.batches import EcgSet
from meit.model.encoders.encoder import EncoderConfig
from meit.model.prompt import instructions, prompt_ids
from meit.reports.questions import FINDING, KINDS, REPORT, answer_of, askable_findings, wordings
from meit.training.asked import FULL_SHARE, draw_kinds, finding_to_ask, question_and_answer
from meit.training.building import untuned
from meit.training.examples import EncodedView, all_prompts, ecg_examples, text_examples
from meit.training.recipe import Recipe

ASKED = Recipe(batch_size=4, seed=3, instructions="asked")
CONFIG = EncoderConfig(findings=("STACH", "SBRAD"), n_tokens=2)
TEXTS = [
    "Sinus rhythm. Normal ECG.",
    "Sinus bradycardia. Otherwise normal ECG.",
    "Atrial fibrillation. Left axis deviation.",
    "Sinus tachycardia. Complete left bundle branch block.",
    "Sinus rhythm. Possible inferior infarction.",
]


@pytest.fixture(scope="module")
def ecgs(simulated):
    return EcgSet([simulated], range(1, 9), 100, 10)


def words_of(tokenizer, example):
    prompt = tokenizer.decode(example.prompt).removeprefix("<|user|>\n").removesuffix("\n<|assistant|>\n")
    return prompt, tokenizer.decode(example.answer).removesuffix("<eos>")


def made(ecgs, tokenizer, recipe=ASKED, epochs=20.0):
    view = EncodedView(torch.rand(len(ecgs), 2), torch.rand(len(ecgs), 2, CONFIG.width))
    return ecg_examples(recipe, ecgs, view, tokenizer, all_prompts(recipe, tokenizer), epochs, 0.5)


def test_most_ask_for_the_report_and_the_rest_for_all_else(ecgs, byte_tokenizer):
    """The stated share, each with an answer that its report gives."""
    examples = made(ecgs, byte_tokenizer, epochs=40.0)
    drawn = Counter(tuple(KINDS)[kind] for kind in examples.asked.kinds)
    assert drawn[REPORT] / len(examples) == pytest.approx(FULL_SHARE, abs=0.05)
    assert min(drawn.values()) > 0.06 * len(examples)
    for number in range(0, len(examples), 7):
        kind = tuple(KINDS)[examples.asked.kinds[number]]
        report = ecgs.texts[examples.order[number]]
        question, answer = words_of(byte_tokenizer, examples[number])
        if kind == REPORT:
            assert question in instructions() and answer == report
        elif kind != FINDING:
            assert question in wordings(kind) and answer == answer_of(kind, report)
        else:
            assert answer.split()[0].rstrip(":") in ("Yes", "No", "Possible"), (question, answer)


def test_a_seed_fixes_the_questions_and_another_changes_them(ecgs, byte_tokenizer):
    one, same, other = (made(ecgs, byte_tokenizer, replace(ASKED, seed=seed)) for seed in (3, 3, 4))
    texts = [[words_of(byte_tokenizer, each[number]) for number in range(80)] for each in (one, same, other)]
    assert texts[0] == texts[1] != texts[2]
    assert words_of(byte_tokenizer, one[7]) == texts[0][7]  # whatever was asked for before


def test_batches_of_questions_are_of_like_length(ecgs, byte_tokenizer):
    """The brief ones stand together, so that reports are not padded beside them: at most one batch of each epoch mixes."""
    examples = made(ecgs, byte_tokenizer, epochs=8.0)
    brief = np.isin(examples.asked.kinds, [list(KINDS).index(kind) for kind in ("rhythm", FINDING)])
    mixed = [0 < each.sum() < 4 for each in np.split(brief, len(brief) // 4)]
    assert sum(mixed) <= 8 and brief.any()


def test_text_alone_is_asked_about_too(simulated, byte_tokenizer, monkeypatch):
    recipe = replace(ASKED, data=(str(simulated),), text_steps=5, plan=True)
    nothing = np.zeros((24, 2), np.float32)
    examples = text_examples(recipe, CONFIG, nothing, nothing, byte_tokenizer, all_prompts(recipe, byte_tokenizer))
    asked = {words_of(byte_tokenizer, examples[number])[0] for number in range(len(examples))}
    assert len(examples) == 20 and asked - set(instructions()) and asked & set(instructions())


def test_the_longest_prompt_asks_for_the_report(byte_tokenizer):
    """Memory is reckoned with the instructions' prompts: no question is longer."""
    most = max(len(prompt) for prompt in all_prompts(ASKED, byte_tokenizer))
    names = [name for row in askable_findings() for name in row.names]
    longest = max(names, key=len)
    for kind in set(KINDS) - {REPORT}:
        for text in wordings(kind):
            assert len(prompt_ids(byte_tokenizer, text.format(finding=longest))) <= most


def test_yes_and_no_are_balanced_finding_by_finding():
    """Over many draws no question gives its answer away, though one report in five has the finding."""
    told = Counter()
    for number in range(2_500):
        rng = np.random.default_rng(number)
        finding = finding_to_ask(TEXTS, number % len(TEXTS), rng)
        told[finding.names[0], answer_of(FINDING, TEXTS[number % len(TEXTS)], finding.names[0]).split()[0] == "No"] += 1
    for name in ("atrial fibrillation", "left bundle branch block", "sinus bradycardia", "left axis deviation"):
        assert told[name, True] + told[name, False] > 60, told
        assert 0.35 < told[name, True] / (told[name, True] + told[name, False]) < 0.65, (name, told)
    share = sum(count for (_, no), count in told.items() if no) / 2_500
    assert 0.4 < share < 0.6


def test_a_finding_that_the_report_leaves_open_is_not_asked_for():
    """A long PR interval stands for a first degree AV block as much as against it."""
    texts = ["Sinus rhythm. Prolonged PR interval.", "Sinus rhythm. First degree AV block."]
    for seed in range(50):
        finding = finding_to_ask(texts, 0, np.random.default_rng(seed))
        assert "first degree AV block" not in finding.names


def test_reports_alike_are_asked_for_what_they_deny():
    question, answer = question_and_answer(FINDING, ["Sinus rhythm. Normal ECG."] * 3, 1, np.random.default_rng(5))
    assert answer.startswith("No ") and question[0].isupper()


def test_shares():
    kinds = draw_kinds(20_000, np.random.default_rng(0))
    shares = np.bincount(kinds, minlength=len(KINDS)) / len(kinds)
    assert shares[0] == pytest.approx(FULL_SHARE, abs=0.02) and np.allclose(shares[1:], 0.1, atol=0.02)


@pytest.mark.parametrize(("instructions", "asks"), [("one", ()), ("many", ()), ("asked", tuple(KINDS))])
def test_the_model_says_what_it_was_tuned_on(tiny_backbone, tmp_path, instructions, asks):
    from meit.model.configuration import read_config
    from meit.model.language import loading

    backbone, tokenizer = loading.load(str(tiny_backbone), "float32")
    recipe = Recipe(instructions=instructions, backbone=str(tiny_backbone))
    model = untuned(recipe, CONFIG, backbone, tokenizer)
    model.save(tmp_path)
    assert read_config(tmp_path).asks == asks
