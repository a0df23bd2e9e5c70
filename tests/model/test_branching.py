"""Drafts that are drawn: each is what it would be alone, however many beginnings they share."""

import pytest
import torch

from meit.model.language.architectures import ARCHITECTURES, plain
from meit.model.prompt import for_drafting

TIMES, LENGTH = 6, 9


def by(logits, drafts, step):
    """Each draft has its own number at each step, whatever rows it shares; the odd ones take the likeliest token."""
    sharp = (logits * 0.5).softmax(-1).cumsum(-1)
    numbers = torch.rand(100, LENGTH, generator=torch.Generator().manual_seed(2))[drafts, step]
    drawn = torch.searchsorted(sharp, (numbers * sharp[:, -1])[:, None].contiguous())[:, 0]
    return torch.where(drafts % 2 == 1, logits.argmax(-1), drawn.clamp_max(logits.shape[1] - 1))


def drawn(model, rows, pick, times, seen=None):
    ecg = torch.randn(3, 5, 32, generator=torch.Generator().manual_seed(3))[rows]
    text = for_drafting(model.backbone, [[[7, 8, 9], [7], [4, 5]][row] for row in rows])
    mask = torch.ones(len(rows), 5, dtype=torch.long)
    with torch.inference_mode():
        return model.fusion.generate(
            model.backbone, text, ecg, mask, max_new_tokens=LENGTH, do_sample=False, pick=pick, times=times
        )


@pytest.mark.parametrize(
    ("kind", "fusion"), [*((kind, "concat") for kind in sorted(ARCHITECTURES)), ("llama", "input"), ("bart", "cross")]
)
def test_each_draft_is_what_it_would_be_alone(build, kind, fusion):
    model = build(kind, fusion=fusion)
    config = plain(model.backbone).generation_config
    config.eos_token_id = None
    endless = drawn(model, [0, 1, 2], by, TIMES)
    config.eos_token_id = int(endless[1, 3])  # some end early
    together = drawn(model, [0, 1, 2], by, TIMES)
    assert len({tuple(row) for row in together.tolist()}) < len(together) == 3 * TIMES
    for number, whole in enumerate(together):

        def only(logits, drafts, step, number=number):
            return by(logits, drafts + number, step)

        alone = drawn(model, [number // TIMES], only, 1)[0]
        assert torch.equal(whole[: len(alone)], alone)


def test_alike_drafts_are_one_row(build, monkeypatch):
    """What the layers compute are beginnings, not drafts: greedy ones of one prompt never branch."""
    model, batches = build("llama"), []
    plain(model.backbone).generation_config.eos_token_id = None
    hook = lambda module, inputs, given, out: batches.append(len(out))  # noqa: E731
    handle = plain(model.backbone).model.layers[0].register_forward_hook(hook, with_kwargs=True)
    drawn(model, [0, 1, 2], lambda logits, drafts, step: logits.argmax(-1), TIMES)
    assert batches == [3] * LENGTH
    batches.clear()
    drawn(model, [0, 1, 2], by, TIMES)
    handle.remove()
    assert batches[0] == 3 < max(batches) <= 3 * (TIMES // 2 + 1)
