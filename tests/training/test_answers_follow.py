"""The answer follows the question and the ECG: a tiny model that was tuned on two kinds of question about two ECGs."""

import json
from dataclasses import replace

import pytest
import torch

import meit
from meit.drafting.draft import input_form
from meit.drafting.examine import prepare
from meit.reports.questions import FINDING, KINDS, answer_of
from meit.training.examples import Collator, Example, View

# Short, since this language model reads letter by letter.
REPORTS = {"00195_hr": "AFib. Left axis.", "00041_lr": "SVT. Left axis."}
RHYTHM, FAST = "Rhythm?", "Evidence of SVT?"
ENOUGH, MOST_STEPS = 0.03, 400


@pytest.fixture(scope="module")
def recordings(example):
    return {name: meit.read_ecg(example.with_name(name)) for name in REPORTS}


@pytest.fixture(scope="module")
def tuned(build, recordings):
    """All of its language model, since a random one has nothing that an adapter could build on."""
    from meit.model.prompt import answer_ids, prompt_ids

    model = build("llama")
    model.spec = replace(model.spec, asks=tuple(KINDS))
    examples = []
    for name, report in REPORTS.items():
        given = prepare(recordings[name], input_form(model))
        with torch.no_grad():
            seen = model.encode(torch.from_numpy(given.ecg)[None], torch.from_numpy(given.mask)[None])
        view = View(seen.probabilities[0], seen.tokens[0])
        asked = {RHYTHM: answer_of("rhythm", report), FAST: answer_of(FINDING, report, "SVT")}
        for question, answer in asked.items():
            prompt = prompt_ids(model.tokenizer, question)
            examples.append(Example(prompt, answer_ids(model.tokenizer, answer, 96), view, True))
    batch = Collator(model.backbone)(examples)
    model.requires_grad_(True)
    model.ensemble.requires_grad_(False)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-3, weight_decay=0.0)
    for _ in range(MOST_STEPS):
        loss = model(**batch)["loss"]
        if loss.item() < ENOUGH:
            break
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    assert loss.item() < ENOUGH
    return model.eval()


def test_one_ecg_and_two_questions_give_two_answers(tuned, recordings):
    answers = {
        (name, question): meit.draft_report(tuned, recording, ask=question).text
        for name, recording in recordings.items()
        for question in (RHYTHM, FAST)
    }
    assert answers == {
        ("00195_hr", RHYTHM): "AFib.",
        ("00195_hr", FAST): "No SVT.",
        ("00041_lr", RHYTHM): "SVT.",
        ("00041_lr", FAST): "Yes: SVT.",
    }


def test_what_it_answers_is_checked_as_a_draft_is(tuned, recordings):
    """Its P waves refute atrial fibrillation, so that the answer is wrong, and is said to be."""
    answer = meit.draft_report(tuned, recordings["00195_hr"], ask=f"  {RHYTHM}\n")
    (stated,) = answer.statements
    assert stated.statement.code == "AFIB" and stated.support == "contradicted"
    assert any(line.startswith("contradicted: 'AFib' but P waves ") for line in answer.warnings)
    given = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    assert given["question"] == RHYTHM and given["answer"] == answer.text and "report" not in given
    assert "no report" in given["note"] and given["quality"] and given["measurements"]
    text = answer.to_text()
    assert f"Asked: {RHYTHM}" in text and "  AFib." in text and "no report" in text.splitlines()[-1]
