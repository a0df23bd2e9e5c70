"""Concatenated fusion against the paper's equation, written out plainly for LLaMA and GPT-2."""

import math

import pytest
import torch

from meit.model.fusion import Text
from meit.model.language.architectures import plain
from meit.model.prompt import for_drafting, for_training, prompt_ids


def rms(x, norm):
    return norm.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon)


def rotate(x, positions, theta):
    """Rotary embedding (Su et al., 2021) of (heads, T, d) at integer positions."""
    d = x.shape[-1]
    angles = positions[:, None].float() / theta ** (torch.arange(0, d, 2).float() / d)
    cos, sin = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)
    return x * cos + torch.cat([-x[..., d // 2 :], x[..., : d // 2]], -1) * sin


def llama(backbone, ids, ecg):
    """One text (T,) and its ECG tokens (S, hidden): softmax(Q_t [K_e; K_t]' / sqrt d) [V_e; V_t] in every layer."""
    config, model = plain(backbone).config, plain(backbone).model
    theta = config.rope_parameters["rope_theta"]
    heads, groups = config.num_attention_heads, config.num_attention_heads // config.num_key_value_heads
    count, length = len(ecg), len(ids)
    x = model.embed_tokens(ids)
    positions = torch.arange(count, count + length)
    allowed = torch.cat([torch.ones(length, count), torch.ones(length, length).tril()], 1).bool()
    for layer in model.layers:
        attention, normed = layer.self_attn, rms(x, layer.input_layernorm)

        def split(rows):
            return rows.view(len(rows), -1, config.hidden_size // heads).transpose(0, 1)

        queries = rotate(split(attention.q_proj(normed)), positions, theta)
        keys = torch.cat([split(attention.k_proj(ecg)), rotate(split(attention.k_proj(normed)), positions, theta)], 1)
        values = torch.cat([split(attention.v_proj(ecg)), split(attention.v_proj(normed))], 1)
        keys, values = keys.repeat_interleave(groups, 0), values.repeat_interleave(groups, 0)
        scores = queries @ keys.transpose(1, 2) / math.sqrt(queries.shape[-1])
        mixed = scores.masked_fill(~allowed, -torch.inf).softmax(-1) @ values
        x = x + attention.o_proj(mixed.transpose(0, 1).reshape(length, -1))
        x = x + layer.mlp(rms(x, layer.post_attention_layernorm))
    return rms(x, model.norm)


def gpt2(backbone, ids, ecg):
    """The same for GPT-2: learned positions, one projection for queries, keys and values."""
    config, model = plain(backbone).config, plain(backbone).transformer
    count, length, hidden = len(ecg), len(ids), config.n_embd
    x = model.wte(ids) + model.wpe(torch.arange(count, count + length))
    allowed = torch.cat([torch.ones(length, count), torch.ones(length, length).tril()], 1).bool()
    for layer in model.h:

        def split(rows):
            return rows.view(len(rows), config.n_head, -1).transpose(0, 1)

        text, of_ecg = layer.attn.c_attn(layer.ln_1(x)), layer.attn.c_attn(ecg)
        queries, text_keys, text_values = (split(part) for part in text.split(hidden, -1))
        _, ecg_keys, ecg_values = (split(part) for part in of_ecg.split(hidden, -1))
        keys, values = torch.cat([ecg_keys, text_keys], 1), torch.cat([ecg_values, text_values], 1)
        scores = queries @ keys.transpose(1, 2) / math.sqrt(queries.shape[-1])
        mixed = scores.masked_fill(~allowed, -torch.inf).softmax(-1) @ values
        x = x + layer.attn.c_proj(mixed.transpose(0, 1).reshape(length, -1))
        x = x + layer.mlp(layer.ln_2(x))
    return model.ln_f(x)


def inputs(batch=2):
    torch.manual_seed(3)
    ids = torch.randint(1, 257, (batch, 7))
    return Text(ids, torch.ones_like(ids)), torch.randn(batch, 5, 32), torch.ones(batch, 5, dtype=torch.long)


@pytest.mark.parametrize("route", ["cache", "prefix"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize(("kind", "reference"), [("llama", llama), ("gpt2", gpt2)])
@torch.no_grad()
def test_equals_the_equation(build, kind, reference, attention, route):
    model = build(kind, attention)
    model.fusion.route = route
    text, ecg, ecg_mask = inputs()
    fused = model.fusion.hidden(model.backbone, text, ecg, ecg_mask)
    for row in range(len(ecg)):
        assert torch.allclose(fused[row], reference(model.backbone, text.ids[row], ecg[row]), atol=1e-4)
        one = model.fusion.hidden(model.backbone, Text(text.ids[:1], text.mask[:1]), ecg[:1, :1], ecg_mask[:1, :1])
        assert torch.allclose(one[0], reference(model.backbone, text.ids[0], ecg[0, :1]), atol=1e-4)  # S = 1


@torch.no_grad()
def test_hidden_tokens_do_not_matter(build):
    model = build("llama")
    text, ecg, ecg_mask = inputs()
    ecg_mask[:, 2:] = 0
    changed = ecg.clone()
    changed[:, 2:] = 9.0
    one = model.fusion.hidden(model.backbone, text, ecg, ecg_mask)
    assert torch.allclose(one, model.fusion.hidden(model.backbone, text, changed, ecg_mask), atol=1e-5)
    fewer = model.fusion.hidden(model.backbone, text, ecg[:, :2], ecg_mask[:, :2])
    assert torch.allclose(one, fewer, atol=1e-5)


def test_the_loss_counts_the_answer_only(build):
    model = build("llama")
    prompt = prompt_ids(model.tokenizer)
    text, labels = for_training(model.backbone, [prompt, prompt], [[5, 6, 0], [7, 0]])
    assert labels[0].tolist() == [-100] * len(prompt) + [5, 6, 0]
    assert labels[1].tolist() == [-100] * len(prompt) + [7, 0, -100]
    assert text.mask[1].tolist() == [1] * (len(prompt) + 2) + [0]
    assert text.source_ids is None


def test_an_encoder_decoder_reads_the_prompt_in_its_encoder(build):
    model = build("bart")
    text, labels = for_training(model.backbone, [[9, 8], [9]], [[5, 6, 0], [7, 0]])
    assert text.source_ids.tolist() == [[9, 8], [9, 0]] and text.source_mask.tolist() == [[1, 1], [1, 0]]
    assert text.ids.tolist() == [[2, 5, 6, 0], [2, 7, 0, 0]]
    assert labels.tolist() == [[-100, 5, 6, 0], [-100, 7, 0, -100]]
    assert for_drafting(model.backbone, [[9, 8], [9]]).ids.tolist() == [[2], [2]]


def test_a_draft_s_prompt_is_padded_on_the_left(build):
    text = for_drafting(build("llama").backbone, [[9, 8, 7], [6]])
    assert text.ids.tolist() == [[9, 8, 7], [0, 0, 6]] and text.mask.tolist() == [[1, 1, 1], [0, 0, 1]]


@torch.no_grad()
def test_the_loss_is_the_mean_over_the_answers_tokens(build):
    model = build("llama")
    prompt = prompt_ids(model.tokenizer)
    view = (torch.rand(2, 2), torch.randn(2, 3, 8), torch.ones(2, dtype=torch.bool))
    whole = model.loss(*for_training(model.backbone, [prompt] * 2, [[5, 6, 0], [7, 0]]), *view)
    parts = [
        model.loss(*for_training(model.backbone, [prompt], [answer]), *(value[i : i + 1] for value in view), count=5)
        for i, answer in enumerate([[5, 6, 0], [7, 0]])
    ]
    assert torch.allclose(whole, sum(parts), atol=1e-5)


def test_what_cannot_be_seen_through_a_choice_of_layers_says_so(build):
    from meit.errors import ModelError

    with pytest.raises(ModelError, match="no choice of layers"):
        build("llama", fusion="input", layers="every 2")
