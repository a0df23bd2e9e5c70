"""What must hold of every architecture and fusion, on tiny random models."""

import json

import pytest
import torch

from meit.errors import ModelError
from meit.model.fusion import FUSIONS, Text
from meit.model.language.architectures import ARCHITECTURES, attentions, decoder_layers, head, plain
from meit.model.prompt import for_drafting, for_training, prompt_ids
from meit.model.report_model import load_model

KINDS = tuple(ARCHITECTURES)
ROUTES = [
    (kind, attention) for kind in KINDS for attention in (["sdpa", "eager"] if ARCHITECTURES[kind].sdpa else ["eager"])
]
# only concatenated fusion reaches into the backbone's attention, so that the others are tried with one kind of it
FUSED = [(*route, "concat") for route in ROUTES]
FUSED += [(*route, fusion) for route in dict(ROUTES).items() for fusion in FUSIONS if fusion != "concat"]
REPORTS = ["Sinus rhythm.", "AF", "Left axis deviation"]


def inputs(model, seed=3):
    """Three texts of unlike length with their labels, and ECG tokens with their mask."""
    torch.manual_seed(seed)
    prompts = [prompt_ids(model.tokenizer, text) for text in ("Report:", "What is seen here?", "Read.")]
    answers = [model.tokenizer(text)["input_ids"] + [0] for text in REPORTS]
    text, labels = for_training(model.backbone, prompts, answers)
    return text, labels, torch.randn(3, 5, 32), torch.ones(3, 5, dtype=torch.long)


def seen(text: Text, hidden):
    """The hidden states of what is not padding."""
    return hidden[text.mask.bool()]


@pytest.mark.parametrize(("kind", "attention"), ROUTES)
@torch.no_grad()
def test_the_two_routes_agree(build, kind, attention):
    model = build(kind, attention)
    text, _, ecg, ecg_mask = inputs(model)
    assert plain(model.backbone).config._attn_implementation == attention
    cache = model.fusion.hidden(model.backbone, text, ecg, ecg_mask)
    model.fusion.route = "prefix"
    prefix = model.fusion.hidden(model.backbone, text, ecg, ecg_mask)
    assert cache.shape == (*text.ids.shape, 32)
    assert torch.allclose(seen(text, cache), seen(text, prefix), atol=1e-4)


@pytest.mark.parametrize(("kind", "attention", "fusion"), FUSED)
@torch.no_grad()
def test_the_ecg_changes_every_text_position(build, kind, attention, fusion):
    model = build(kind, attention, fusion)
    text, _, ecg, ecg_mask = inputs(model)
    one = model.fusion.hidden(model.backbone, text, ecg, ecg_mask)
    other = model.fusion.hidden(model.backbone, text, ecg.flip(0), ecg_mask)
    logits = head(model.backbone, one) - head(model.backbone, other)
    changed = logits.abs().amax(-1)[[0, 2]]  # the middle recording stays itself
    assert changed[text.mask[[0, 2]].bool()].min() > 1e-5
    assert torch.allclose(one[1][text.mask[1].bool()], other[1][text.mask[1].bool()], atol=1e-5)


@pytest.mark.parametrize(("kind", "attention", "fusion"), FUSED)
@torch.no_grad()
def test_a_batch_is_each_text_alone(build, kind, attention, fusion):
    """Neither padding nor neighbours matter."""
    model = build(kind, attention, fusion)
    text, _, ecg, ecg_mask = inputs(model)
    together = model.fusion.hidden(model.backbone, text, ecg, ecg_mask)
    for row in range(3):
        cut = int(text.mask[row].sum())
        alone = Text(text.ids[row : row + 1, :cut], text.mask[row : row + 1, :cut])
        if text.source_ids is not None:
            width = int(text.source_mask[row].sum())
            alone = Text(
                alone.ids, alone.mask, text.source_ids[row : row + 1, :width], text.source_mask[row : row + 1, :width]
            )
        single = model.fusion.hidden(model.backbone, alone, ecg[row : row + 1], ecg_mask[row : row + 1])
        assert torch.allclose(together[row, :cut], single[0], atol=1e-4)


@pytest.mark.parametrize(("kind", "attention", "fusion"), FUSED)
def test_gradients_reach_the_encoder_and_every_adapter_only(build, kind, attention, fusion):
    model = build(kind, attention, fusion).train()
    text, labels, _, _ = inputs(model)
    probabilities, tokens, _ = model.encode(torch.randn(3, 1000, 12), torch.ones(3, 1000))
    model.loss(text, labels, probabilities, tokens, torch.ones(3, dtype=torch.bool)).backward()
    for name, value in model.named_parameters():
        if name.startswith("backbone") and "lora_" not in name:
            assert value.grad is None, name
        else:
            assert value.grad is not None and value.grad.abs().max() > 0, name
    adapted = {name.split(".lora_")[0] for name, _ in model.named_parameters() if ".lora_" in name}
    for attention in attentions(model.backbone):
        for projection in ARCHITECTURES[kind].projections:
            found = [name for name, module in model.named_modules() if module is attention.get_submodule(projection)]
            assert set(found) & adapted


@pytest.mark.parametrize(("kind", "attention", "fusion"), FUSED)
def test_gradient_checkpointing_gives_the_same_gradients(build, kind, attention, fusion):
    def gradients(checkpointing):
        model = build(kind, attention, fusion).train()
        if checkpointing:
            model.checkpoint_gradients()
        text, labels, _, _ = inputs(model)
        torch.manual_seed(4)
        tokens = torch.randn(3, 3, 8)
        loss = model.loss(text, labels, torch.rand(3, 2), tokens, torch.ones(3, dtype=torch.bool))
        loss.backward()
        return loss, {name: value.grad for name, value in model.named_parameters() if value.grad is not None}

    (loss, plainly), (again, checkpointed) = gradients(False), gradients(True)
    assert torch.allclose(loss, again, atol=1e-5)
    assert plainly.keys() == checkpointed.keys() and len(plainly) > 10
    for name, value in plainly.items():
        assert torch.allclose(value, checkpointed[name], atol=1e-4), name


@torch.no_grad()
def stepwise(model, instruction, probabilities, tokens, steps):
    """Greedy writing by whole forward passes."""
    text = for_drafting(model.backbone, [prompt_ids(model.tokenizer, instruction)])
    ecg, written = model.projector(probabilities, tokens), []
    seen = torch.ones(1, ecg.shape[1], dtype=torch.long)
    for _ in range(steps):
        hidden = model.fusion.hidden(model.backbone, text, ecg, seen)
        best = head(model.backbone, hidden[:, -1]).argmax(-1, keepdim=True)
        if best.item() == 0:
            break
        written.append(best.item())
        ids = torch.cat([text.ids, best], 1)
        text = Text(ids, torch.ones_like(ids), text.source_ids, text.source_mask)
    return model.tokenizer.decode(written, skip_special_tokens=True).strip()


@pytest.mark.parametrize(("kind", "attention", "fusion"), FUSED)
def test_generation_in_a_batch_alone_and_stepwise(build, kind, attention, fusion):
    """Prompts of unlike length, padded on the left, give what each gives alone and by whole forward passes."""
    model = build(kind, attention, fusion)
    torch.manual_seed(5)
    probabilities, tokens = torch.rand(3, 2), torch.randn(3, 3, 8)
    asked = ["Report:", "What is seen on this ECG?", "Read."]
    together = model.generate(probabilities, tokens, 12, instructions=asked)
    for row, question in enumerate(asked):
        part = slice(row, row + 1)
        assert model.generate(probabilities[part], tokens[part], 12, instructions=[question]) == [together[row]]
        assert stepwise(model, question, probabilities[part], tokens[part], 12) == together[row]
    text, _, ecg, seen = inputs(model)  # texts of tiny models may be alike by chance, so what decides them is compared
    ours, theirs = (model.fusion.hidden(model.backbone, text, tokens, seen) for tokens in (ecg, ecg.flip(0)))
    assert not torch.allclose(ours, theirs)


@pytest.mark.parametrize(("kind", "attention", "fusion"), FUSED)
def test_beam_search_is_the_same_in_a_batch(build, kind, attention, fusion):
    model = build(kind, attention, fusion)
    torch.manual_seed(5)
    probabilities, tokens = torch.rand(2, 2), torch.randn(2, 3, 8)
    together = model.generate(probabilities, tokens, 8, num_beams=3, instructions=["Report:", "What is it?"])
    for row, question in enumerate(["Report:", "What is it?"]):
        part = slice(row, row + 1)
        assert model.generate(probabilities[part], tokens[part], 8, 3, [question]) == [together[row]]


@pytest.mark.parametrize("num_beams", [1, 3])
@pytest.mark.parametrize(("kind", "attention", "fusion"), FUSED)
def test_the_end_of_text_stops(build, kind, attention, fusion, num_beams):
    """Nothing follows it in any row, and the batch ends with its last row's; here each row's fourth token is made one."""
    model = build(kind, attention, fusion)
    torch.manual_seed(5)
    ecg = model.projector(torch.rand(3, 2), torch.randn(3, 3, 8))
    prompts = [prompt_ids(model.tokenizer, text) for text in ("Report:", "What is seen on this ECG?", "Read.")]

    def write(ends, at_least=0):
        settings = plain(model.backbone).generation_config
        settings.eos_token_id, settings.pad_token_id = ends, 0
        options = {"max_new_tokens": 12, "min_new_tokens": at_least, "num_beams": num_beams, "do_sample": False}
        text = for_drafting(model.backbone, prompts)
        return model.fusion.generate(model.backbone, text, ecg, text.mask.new_ones(3, 5), **options)

    ends = sorted({int(row[3]) for row in write(0, 12)})
    stopped = write(ends)
    lengths = []
    for row in stopped.tolist():
        length = next((place for place, token in enumerate(row) if token in ends), None)
        assert length is not None or num_beams > 1, row  # with beams the likeliest text may be another one
        if length is not None:
            # padding only; beam search takes a pad of 0 for none, and fills with the first end of text
            assert set(row[length + 1 :]) <= ({0} if num_beams == 1 else {0, ends[0]})
        lengths.append(stopped.shape[1] if length is None else length + 1)
    assert stopped.shape[1] == max(lengths) and (num_beams > 1 or max(lengths) <= 4)


@pytest.mark.parametrize(("kind", "attention", "fusion"), FUSED)
@torch.no_grad()
def test_a_mask_of_the_wrong_length_raises(build, kind, attention, fusion):
    model = build(kind, attention, fusion)
    text, _, ecg, ecg_mask = inputs(model)
    short = Text(text.ids, text.mask[:, 1:], text.source_ids, text.source_mask)
    for call in (model.fusion.hidden, model.fusion.generate):
        with pytest.raises(ValueError, match="text mask .* does not fit"):
            call(model.backbone, short, ecg, ecg_mask)
        with pytest.raises(ValueError, match="ECG mask .* does not fit"):
            call(model.backbone, text, ecg, ecg_mask[:, 1:])
        if text.source_ids is not None:
            wrong = Text(text.ids, text.mask, text.source_ids, text.source_mask[:, 1:])
            with pytest.raises(ValueError, match="source mask .* does not fit"):
                call(model.backbone, wrong, ecg, ecg_mask)


@pytest.mark.parametrize(("kind", "attention", "fusion"), FUSED)
@torch.no_grad()
def test_saved_and_loaded_it_is_bit_equal(build, tmp_path, kind, attention, fusion):
    build(kind, attention, fusion).save(tmp_path)
    one, two = load_model(tmp_path), load_model(tmp_path)
    for model in (one, two):
        model.backbone.set_attn_implementation(attention)
    assert one.spec.fusion == fusion
    text, _, ecg, ecg_mask = inputs(one)
    first = one.fusion.hidden(one.backbone, text, ecg, ecg_mask)
    assert torch.equal(first, two.fusion.hidden(two.backbone, text, ecg, ecg_mask))
    signal, mask = torch.randn(2, 1000, 12), torch.ones(2, 1000)
    for ours, theirs in zip(one.encode(signal, mask), two.encode(signal, mask), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_loaded_it_is_the_model_that_was_saved(build, tmp_path, kind):
    model = build(kind, fusion="cross")
    for value in model.parameters():  # what bf16 cannot hold is lost in saving, so begin with what it can
        value.data = value.data.to(torch.bfloat16).float()
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    text, _, ecg, ecg_mask = inputs(model)
    ours = model.fusion.hidden(model.backbone, text, ecg, ecg_mask)
    # the backbone's own weights were not rounded on disk, so only what was saved can be the same
    for name, value in model.fusion.state_dict().items():
        assert torch.equal(value, loaded.fusion.state_dict()[name])
    assert ours.shape == loaded.fusion.hidden(loaded.backbone, text, ecg, ecg_mask).shape


@pytest.mark.parametrize("kind", KINDS)
def test_another_backbone_is_refused(build, tiny_folder, tmp_path, kind):
    build(kind).save(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "backbone_sha256": "0" * 64}))
    with pytest.raises(ModelError, match="tuned on another"):
        load_model(tmp_path)
    path.write_text(json.dumps({**config, "backbone_matrices_sha256": "0" * 64}))  # only its matrices are others
    with pytest.raises(ModelError, match="tuned on another"):
        load_model(tmp_path)
    other = KINDS[(KINDS.index(kind) + 3) % len(KINDS)]  # LLaMA and Mistral share their weights' names and shapes
    path.write_text(json.dumps({**config, "backbone": str(tiny_folder(other))}))
    with pytest.raises(ModelError, match="tuned on another"):
        load_model(tmp_path)


@pytest.mark.parametrize("route", ["cache", "prefix"])
@pytest.mark.parametrize(("kind", "attention"), ROUTES)
@torch.no_grad()
def test_a_layer_left_out_does_not_see_the_ecg(build, kind, attention, route):
    """With layer 1 alone, what layer 0 gives is what it gives without an ECG; and the ECG still matters in the end."""
    model = build(kind, attention, layers="every 2")
    assert model.fusion.layers == (1,)
    model.fusion.route = route
    text, _, ecg, ecg_mask = inputs(model)
    kept = []
    layer = decoder_layers(model.backbone)[0]
    layer.register_forward_hook(lambda _m, _i, out: kept.append(out[0] if isinstance(out, tuple) else out))
    ends = [model.fusion.hidden(model.backbone, text, rows, ecg_mask) for rows in (ecg, ecg.flip(0))]
    first, second = (states[:, -text.ids.shape[1] :] for states in kept)
    assert torch.allclose(seen(text, first), seen(text, second), atol=1e-6)
    changed = (ends[0] - ends[1]).abs().amax(-1)[[0, 2]]
    assert changed[text.mask[[0, 2]].bool()].min() > 1e-5


@pytest.mark.parametrize(("kind", "attention"), ROUTES)
def test_left_out_layers_stay_blind_while_writing(build, kind, attention):
    model = build(kind, attention, layers="every 2")
    torch.manual_seed(5)
    probabilities, tokens = torch.rand(2, 2), torch.randn(2, 3, 8)
    asked = ["Report:", "What is seen on this ECG?"]
    together = model.generate(probabilities, tokens, 10, instructions=asked)
    for row, question in enumerate(asked):
        part = slice(row, row + 1)
        assert stepwise(model, question, probabilities[part], tokens[part], 10) == together[row]


@pytest.mark.parametrize("layers", ["every 3", "2", "-1", "some", ""])
def test_wrong_layers_are_refused(build, layers):
    with pytest.raises(ModelError, match="layers"):
        build("llama", layers=layers)


def test_what_is_not_known_is_refused(build):
    with pytest.raises(ModelError, match="fusion 'sum' is not known"):
        build("llama", fusion="sum")
    from transformers import AutoConfig

    from meit.model.language.architectures import architecture_of

    with pytest.raises(ModelError, match="'mamba' is not known"):
        architecture_of(AutoConfig.for_model("mamba"))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if ARCHITECTURES[kind].short])
@torch.no_grad()
def test_late_tokens_still_see_the_ecg(build, kind):
    """A window of four tokens would have lost it after the prompt."""
    model = build(kind)
    text, _, ecg, ecg_mask = inputs(model)
    assert int(text.mask.sum(1).min()) > 8
    one = model.fusion.hidden(model.backbone, text, ecg, ecg_mask)
    other = model.fusion.hidden(model.backbone, text, ecg + 1, ecg_mask)
    assert (one - other).abs().amax(-1)[text.mask.bool()].min() > 1e-5
