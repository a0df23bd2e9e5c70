"""What is shown, in which order, and under which instruction."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

import meit.training.run as training
from meit.data.batches import EcgSet
from meit.errors import ModelError
from meit.model.encoders.encoder import EncoderConfig
from meit.model.prompt import INSTRUCTION, instructions, prompt_ids
from meit.training.examples import Answers, EncodedView, RecordedView, all_prompts, ecg_examples
from meit.training.recipe import Recipe

CONFIG = EncoderConfig(findings=("STACH", "SBRAD"), n_tokens=2)
RECIPE = Recipe(batch_size=4, seed=3)


@pytest.fixture(scope="module")
def ecgs(simulated):
    return EcgSet([simulated], range(1, 9), 100, 10)


def made(ecgs, tokenizer, recipe=RECIPE, epochs=3.0, hide=0.5):
    view = EncodedView(torch.rand(len(ecgs), 2), torch.rand(len(ecgs), 2, CONFIG.width))
    return ecg_examples(recipe, ecgs, view, tokenizer, all_prompts(recipe, tokenizer), epochs, hide)


def test_each_epoch_shows_each_recording_once(ecgs, byte_tokenizer):
    examples = made(ecgs, byte_tokenizer)
    per_epoch = len(ecgs) // 4 * 4
    assert len(examples) == 3 * per_epoch
    for epoch in np.split(examples.order, 3):
        assert max(Counter(epoch).values()) == 1
    assert 0.3 < examples.sees_signal.mean() < 0.7
    assert byte_tokenizer.decode(examples[5].answer) == ecgs.texts[examples.order[5]] + "<eos>"


def test_a_seed_fixes_the_order_and_another_changes_it(ecgs, byte_tokenizer):
    one, same = made(ecgs, byte_tokenizer), made(ecgs, byte_tokenizer)
    other = made(ecgs, byte_tokenizer, replace(RECIPE, seed=4))
    assert np.array_equal(one.order, same.order) and np.array_equal(one.sees_signal, same.sees_signal)
    assert not np.array_equal(one.order, other.order)


def test_instructions_are_one_or_drawn_from_many(ecgs, byte_tokenizer):
    fixed = made(ecgs, byte_tokenizer, epochs=20)
    assert {tuple(e.prompt) for e in fixed} == {tuple(prompt_ids(byte_tokenizer, INSTRUCTION))}
    many = replace(RECIPE, instructions="many")
    drawn, again = made(ecgs, byte_tokenizer, many, 60), made(ecgs, byte_tokenizer, many, 60)
    asked = Counter(tuple(drawn[number].prompt) for number in range(len(drawn)))
    assert set(asked) <= {tuple(prompt_ids(byte_tokenizer, text)) for text in instructions()}
    assert len(asked) > 250 and np.array_equal(drawn.prompt, again.prompt)  # of 256, in 1,440 draws


def test_an_encoder_that_is_tuned_along_sees_the_recording(ecgs):
    view = RecordedView(ecgs, CONFIG)(7)
    inputs, masks = ecgs.inputs([7])
    assert view.ecg.numpy().tolist() == inputs[0].tolist() and view.mask.numpy().tolist() == masks[0].tolist()


def test_answers_are_cut_and_kept_apart(byte_tokenizer):
    answers = Answers(byte_tokenizer, ["ab", "", "abcdef"], 4)
    assert [byte_tokenizer.decode(answers[index]) for index in range(3)] == ["ab<eos>", "<eos>", "abc<eos>"]
    assert answers.lengths.tolist() == [3, 1, 4]


def test_too_few_recordings_for_one_batch_are_said(simulated, tiny_backbone, tmp_path):
    recipe = Recipe(
        out=str(tmp_path),
        data=(str(simulated),),
        backbone=str(tiny_backbone),
        finding_tokens=0,
        hide_signal=0.0,
        pretrain_epochs=0,
        tune_encoder=True,
        tune_epochs=0.001,
    )
    with pytest.raises(ModelError, match="nothing to tune on"):
        training.train(recipe)
