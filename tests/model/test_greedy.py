"""Finished reports leave the batch, and what is written stays what transformers' own loop writes."""

import pytest
import torch

from meit.model.fusion import base, roomy_cache
from meit.model.fusion.roomy_cache import ROOM, RoomyLayer
from meit.model.language.architectures import ARCHITECTURES, plain
from meit.model.prompt import for_drafting

ROWS = 9


def written(model, monkeypatch, own: bool, **options):
    """Tokens of nine recordings with prompts of different lengths; the end of text is a token that untrained models write."""
    torch.manual_seed(5)
    prompts = [[7, 8, 9, 10][: 1 + row % 4] for row in range(ROWS)]
    text = for_drafting(model.backbone, prompts)
    ecg = torch.randn(ROWS, 5, 32)
    mask = torch.ones(ROWS, 5, dtype=torch.long)
    mask[::3, 3:] = 0
    with monkeypatch.context() as changed, torch.inference_mode():
        changed.setattr(roomy_cache, "ROOM", 5)  # so that the cache grows more than once
        if not own:
            changed.setattr(base, "is_greedy", lambda options: False)
            changed.setattr("meit.model.fusion.concat.is_greedy", lambda options: False)
        return model.fusion.generate(
            model.backbone, text, ecg, mask, **{"do_sample": False, "max_new_tokens": 14, **options}
        )


def with_common_end(model, tokens):
    """The end of text becomes the token at which rows finish at the most different times."""
    new = tokens[:, 1:]

    def times(token):
        found = new == token
        return len({int(row.argmax()) if row.any() else -1 for row in found.int()})

    plain(model.backbone).generation_config.eos_token_id = max(new.unique().tolist(), key=times)


@pytest.mark.parametrize("fusion", ["concat", "input", "cross"])
@pytest.mark.parametrize("kind", sorted(ARCHITECTURES))
def test_it_is_what_transformers_writes(build, kind, fusion, monkeypatch):
    model = build(kind, fusion=fusion)
    plain(model.backbone).generation_config.eos_token_id = None
    endless = written(model, monkeypatch, own=False)
    assert torch.equal(written(model, monkeypatch, own=True), endless)
    with_common_end(model, endless)
    theirs, left = written(model, monkeypatch, own=False), []
    monkeypatch.setattr("meit.model.fusion.greedy.kept_rows", _noting(left))
    assert torch.equal(written(model, monkeypatch, own=True), theirs)
    assert left and max(left) < ROWS  # rows did leave


def _noting(left):
    from meit.model.fusion.greedy import kept_rows

    def note(value, kept, count):
        left.append(len(kept))
        return kept_rows(value, kept, count)

    return note


def test_options_of_generate_are_heeded(build, monkeypatch):
    model = build("llama")
    with_common_end(model, written(model, monkeypatch, own=False))
    for options in ({"min_new_tokens": 6}, {"max_new_tokens": 1}):
        ours, theirs = (written(model, monkeypatch, own=own, **options) for own in (True, False))
        assert torch.equal(ours, theirs)


def test_looking_seldom_writes_the_same(build, monkeypatch):
    """As on an accelerator, which is asked only every few steps whether anything is finished."""
    model = build("qwen2", fusion="cross")
    with_common_end(model, written(model, monkeypatch, own=False))
    theirs = written(model, monkeypatch, own=True)
    monkeypatch.setattr("meit.model.fusion.greedy.looks_each", lambda device: 5)
    ours = written(model, monkeypatch, own=True)
    padding = plain(model.backbone).generation_config.pad_token_id
    assert torch.equal(ours[:, : theirs.shape[1]], theirs) and (ours[:, theirs.shape[1] :] == padding).all()


def test_beams_and_samples_are_left_to_transformers(build, monkeypatch):
    model = build("llama")
    monkeypatch.setattr("meit.model.fusion.greedy.greedily", None)  # would be called
    assert len(written(model, monkeypatch, own=True, num_beams=2, max_new_tokens=3)) == ROWS
    assert len(written(model, monkeypatch, own=True, do_sample=True, max_new_tokens=3)) == ROWS
    assert len(written(model, monkeypatch, own=True, repetition_penalty=1.5, max_new_tokens=3)) == ROWS


def test_a_roomy_layer_holds_what_it_was_given():
    layer, torch_generator = RoomyLayer(), torch.Generator().manual_seed(0)
    parts = [torch.randn(4, 2, length, 3, generator=torch_generator) for length in (5, *[1] * (ROOM + 3), 7)]
    for part in parts:
        keys, values = layer.update(part, -part)
    whole = torch.cat(parts, dim=2)
    assert torch.equal(keys, whole) and torch.equal(values, -whole) and layer.get_seq_length() == whole.shape[2]
    kept = torch.tensor([0, 3])
    layer.batch_select_indices(kept)
    keys, values = layer.update(parts[0][kept], parts[1][kept].expand(2, 2, 5, 3))
    assert torch.equal(keys, torch.cat([whole[kept], parts[0][kept]], dim=2))
    assert torch.equal(values[:, :, : whole.shape[2]], -whole[kept])
