"""How the instruction is put: the paper's template everywhere, the chat template where a backbone has one."""

import pytest

from meit.errors import ModelError
from meit.model.language import loading
from meit.model.language.backbones import DEFAULT
from meit.model.prompt import answer_ids, prompt_ids
from meit.model.report_model import load_model

CHAT = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}{% if add_generation_prompt %}[reply]{% endif %}"


@pytest.fixture(scope="module")
def default():
    return loading.load(DEFAULT)[1]


def test_the_default_backbone_knows_all(default):
    assert default.decode(prompt_ids(default, "Read it.")) == "<|user|>\nRead it.\n<|assistant|>\n"
    assert default.decode(prompt_ids(default, "Read it.", "tagged")) == "<|user|>Read it.<|assistant|>"
    chat = default.decode(prompt_ids(default, "Read it.", "chat"))
    assert chat.endswith("<|im_start|>user\nRead it.<|im_end|>\n<|im_start|>assistant\n")


REPORTS = ("Sinus rhythm. Normal ECG.", "sinus tachycardia", "1st degree AV block.", "(borderline) left axis.", "Ärger")


@pytest.mark.parametrize("report", REPORTS)
def test_the_paper_s_template_token_by_token(default, report):
    """What transformers' tokenizer makes of the whole text: nothing merges across the border of prompt and report."""
    for instruction in ("Write the report of this ECG.", "Report:", "What does it show?"):
        whole = f"<|user|>\n{instruction}\n<|assistant|>\n{report}{default.eos_token}"
        assert [*prompt_ids(default, instruction), *answer_ids(default, report, 256)] == default(whole)["input_ids"]


def test_line_breaks_keep_the_instruction_s_own_tokens(default):
    """Without them its full stop and the tag's first sign become one token."""
    instruction = "Write the report of this ECG."
    alone, tag = default(instruction)["input_ids"], default("<|assistant|>")["input_ids"]
    paper, tagged = prompt_ids(default, instruction), prompt_ids(default, instruction, "tagged")
    (line,) = default("\n")["input_ids"]
    assert paper[-len(alone) - len(tag) - 2 :] == [*alone, line, *tag, line]
    assert ".<" in [default.decode(token) for token in tagged]
    assert tagged[-len(tag) - len(alone) :] != [*alone, *tag]


def test_a_backbone_without_chat_template_says_so(byte_tokenizer):
    with pytest.raises(ModelError, match="use prompt 'paper'"):
        prompt_ids(byte_tokenizer, "Read it.", "chat")
    with pytest.raises(ModelError, match="'alpaca' is not known; known are paper, tagged, chat"):
        prompt_ids(byte_tokenizer, "Read it.", "alpaca")


def test_a_model_keeps_its_style(build, tmp_path, monkeypatch):
    """Saved and loaded again it is asked as it was tuned."""
    from dataclasses import replace

    model = build("llama")
    model.spec = replace(model.spec, prompt="chat")
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    assert loaded.spec.prompt == "chat"
    with pytest.raises(ModelError, match="chat template"):
        loaded.generate(*some(loaded))
    loaded.tokenizer.chat_template = CHAT
    asked = []
    monkeypatch.setattr(
        loaded.fusion,
        "generate",
        lambda _b, text, *_a, **_o: asked.append(loaded.tokenizer.decode(text.ids[0])) or text.ids,
    )
    loaded.generate(*some(loaded))
    assert asked == ["[user]Write the report of this ECG.[reply]"]


def some(model):
    import torch

    return torch.rand(1, 2), torch.randn(1, 3, 8)
