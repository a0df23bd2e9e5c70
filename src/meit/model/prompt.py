"""The instruction template of the paper, and which tokens the loss counts."""

from meit.errors import ModelError

INSTRUCTION = "Write the report of this ECG."
TEMPLATE = "<|user|>{instruction}<|assistant|>"
IGNORED = -100  # label of tokens that the loss does not count


def prompt_ids(tokenizer, instruction: str = INSTRUCTION) -> list[int]:
    return tokenizer(TEMPLATE.format(instruction=instruction), add_special_tokens=False)["input_ids"]


def answer_ids(tokenizer, text: str, max_tokens: int) -> list[int]:
    """The report's tokens, cut to max_tokens, and the end of text."""
    if tokenizer.eos_token_id is None:
        raise ModelError("the backbone's tokenizer has no end-of-text token")
    return tokenizer(text, add_special_tokens=False)["input_ids"][: max_tokens - 1] + [tokenizer.eos_token_id]


def collate(prompt: list[int], answers: list[list[int]], pad: int):
    """ids, mask, labels (B, T): prompt and answer padded on the right; labels are IGNORED outside the answer."""
    import torch

    length = len(prompt) + max(map(len, answers))
    ids = torch.full((len(answers), length), pad)
    mask = torch.zeros((len(answers), length), dtype=torch.long)
    labels = torch.full((len(answers), length), IGNORED)
    for row, answer in enumerate(answers):
        end = len(prompt) + len(answer)
        ids[row, :end] = torch.tensor(prompt + answer)
        mask[row, :end] = 1
        labels[row, len(prompt) : end] = torch.tensor(answer)
    return ids, mask, labels
