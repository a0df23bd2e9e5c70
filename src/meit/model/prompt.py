"""How an instruction is put to a language model, how texts become tensors, and which tokens the loss counts."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from meit.errors import ModelError
from meit.model import row_of
from meit.model.fusion.base import Text
from meit.model.language.architectures import LanguageModel, plain

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

INSTRUCTION = "Write the report of this ECG."  # what drafts and evaluation ask
IGNORED = -100  # label of tokens that the loss does not count

Prompt = Callable[["PreTrainedTokenizerBase", str], list[int]]


def _template(template: str) -> Prompt:
    """A template, with the marks that the tokenizer puts around a text (LLaMA's <s>, T5's </s>)."""

    def prompt(tokenizer: "PreTrainedTokenizerBase", instruction: str) -> list[int]:
        return list(tokenizer(template.format(instruction=instruction))["input_ids"])

    return prompt


def _chat(tokenizer: "PreTrainedTokenizerBase", instruction: str) -> list[int]:
    """The chat template that a backbone was instruction-tuned with."""
    if tokenizer.chat_template is None:
        raise ModelError("prompt 'chat' needs a backbone with a chat template; use prompt 'paper'")
    messages = [{"role": "user", "content": instruction}]
    chat: Any = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)
    return list(chat["input_ids"])


PROMPTS: dict[str, Prompt] = {
    "paper": _template("<|user|>\n{instruction}\n<|assistant|>\n"),  # MEIT, arXiv 2403.04945
    "tagged": _template("<|user|>{instruction}<|assistant|>"),  # without its line breaks: the shipped model's
    "chat": _chat,
}


@cache
def instructions() -> tuple[str, ...]:
    """The 256 that tuning pairs with ECGs, as the paper does; INSTRUCTION is among them.

    They are `instructions.txt`, one a line; docs/instructions.md says how they were written.
    """
    return tuple(files("meit.model").joinpath("instructions.txt").read_text(encoding="utf-8").splitlines())


def prompt_ids(tokenizer: "PreTrainedTokenizerBase", instruction: str = INSTRUCTION, style: str = "paper") -> list[int]:
    """The tokens that stand before a report. Raises ModelError for a style that is unknown, or that the backbone lacks."""
    return row_of(PROMPTS, "prompt", style)(tokenizer, instruction)


def answer_ids(tokenizer: "PreTrainedTokenizerBase", text: str, max_tokens: int) -> list[int]:
    """The report's tokens, cut to max_tokens, and the end of text."""
    if tokenizer.eos_token_id is None:
        raise ModelError("the backbone's tokenizer has no end-of-text token")
    return [*tokenizer(text, add_special_tokens=False)["input_ids"][: max_tokens - 1], tokenizer.eos_token_id]


def for_training(
    backbone: LanguageModel, prompts: Sequence[list[int]], answers: Sequence[list[int]]
) -> tuple[Text, Tensor]:
    """Text and labels (B, T); labels are IGNORED outside the answers. Padded on the right.

    A decoder reads prompt and answer; of an encoder-decoder, the encoder reads the prompt.
    """
    config: Any = plain(backbone).config
    source_ids = source_mask = None
    if config.is_encoder_decoder:
        source_ids, source_mask = _padded(prompts)
        prompts = [[config.decoder_start_token_id]] * len(answers)
    ids, mask = _padded([prompt + answer for prompt, answer in zip(prompts, answers, strict=True)])
    labels = torch.full_like(ids, IGNORED)
    for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        labels[row, len(prompt) : len(prompt) + len(answer)] = torch.tensor(answer)
    return Text(ids, mask, source_ids, source_mask), labels


def for_drafting(backbone: LanguageModel, prompts: Sequence[list[int]]) -> Text:
    """What the language model reads before it writes. Padded on the left, where the next token is to follow."""
    config: Any = plain(backbone).config
    if config.is_encoder_decoder:
        start = torch.full((len(prompts), 1), config.decoder_start_token_id)
        return Text(start, torch.ones_like(start), *_padded(prompts))
    return Text(*_padded(prompts, left=True))


def _padded(rows: Sequence[list[int]], left: bool = False) -> tuple[Tensor, Tensor]:
    """ids and mask (B, longest); masked places hold id 0, which nobody sees."""
    ids = torch.zeros((len(rows), max(map(len, rows))), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for number, row in enumerate(rows):
        where = slice(ids.shape[1] - len(row), None) if left else slice(0, len(row))
        ids[number, where], mask[number, where] = torch.tensor(row), 1
    return ids, mask
