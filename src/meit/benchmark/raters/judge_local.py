"""A judge that runs here: any causal language model of transformers, its choice confined to the digits 1 to 5."""

from typing import Any

import torch

from meit.benchmark.raters.judge import Ratings, axis_in_words, both_reports
from meit.benchmark.raters.rubric import HIGHEST, LOWEST, Axis, rubric
from meit.errors import ModelError
from meit.model.language import loading

DIGITS = [str(value) for value in range(LOWEST, HIGHEST + 1)]


class LocalJudge:
    """A backbone's name, folder or Hugging Face id, on the GPU where there is one.

    Each axis is a question of its own. The mark is the mean of 1 to 5 under the probabilities that the model gives to
    these digits as its next token (Liu et al., G-Eval, EMNLP 2023), so there always is one, the same every time.
    The constructor raises ModelError for a model that cannot be loaded or is no causal one.
    """

    def __init__(self, model: str):
        self.model: Any
        self.tokenizer: Any
        self.model, self.tokenizer = loading.load(model)
        if self.model.config.is_encoder_decoder:
            raise ModelError(f"{model}: is an encoder-decoder; a local judge must be a causal language model")
        self.model.to("cuda" if torch.cuda.is_available() else "cpu")
        self.name = f"{model} {loading.fingerprint(self.model)[:12]}"

    def rate(self, reference: str, draft: str) -> Ratings:
        """Raises ModelError where the reports are longer than the model reads."""
        return Ratings({axis.key: self._mark(self._prompt(axis, reference, draft)) for axis in rubric().axes})

    def _prompt(self, axis: Axis, reference: str, draft: str) -> str:
        question = (
            f"{rubric().for_judge}\n\n{axis_in_words(axis)}\n\n{both_reports(reference, draft)}\n\n"
            f"Rate the draft's {axis.name.lower()} with one digit from {LOWEST} to {HIGHEST}."
        )
        if self.tokenizer.chat_template is None:
            return f"{question}\nRating: "
        messages = [{"role": "user", "content": question}]
        return self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )

    @torch.inference_mode()
    def _mark(self, prompt: str) -> float:
        ids, digits = self._split(prompt)
        longest = getattr(self.model.config, "max_position_embeddings", None)
        if longest is not None and len(ids) > longest:
            raise ModelError(f"{self.name}: reads {longest} tokens, and rubric and reports have {len(ids)}")
        scores = self.model(torch.tensor([ids], device=self.model.device), logits_to_keep=1).logits[0, -1, digits]
        probabilities = torch.softmax(scores.double().cpu(), dim=0)
        return float(probabilities @ torch.arange(LOWEST, HIGHEST + 1, dtype=torch.float64))

    def _split(self, prompt: str) -> tuple[list[int], list[int]]:
        """The prompt's tokens, and the token that each digit would be after it, as written together."""
        special = self.tokenizer.chat_template is None  # a template writes its own
        whole = [self.tokenizer(prompt + digit, add_special_tokens=special).input_ids for digit in DIGITS]
        if special and whole[0][-1] == self.tokenizer.eos_token_id:
            whole = [ids[:-1] for ids in whole]
        starts, digits = {tuple(ids[:-1]) for ids in whole}, [ids[-1] for ids in whole]
        if len(starts) != 1 or len(set(digits)) != len(digits):
            raise ModelError(f"{self.name}: does not write each digit as one token, so it cannot judge")
        return list(starts.pop()), digits
