"""Concatenated fusion against the paper's equation, written out plainly for LLaMA."""

import math

import pytest
import torch

from meit.model.fusion import fused_forward
from meit.model.prompt import collate, prompt_ids


def rms(x, norm):
    return norm.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon)


def rotate(x, positions, theta):
    """Rotary embedding (Su et al., 2021) of (heads, T, d) at integer positions."""
    d = x.shape[-1]
    angles = positions[:, None].float() / theta ** (torch.arange(0, d, 2).float() / d)
    cos, sin = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)
    return x * cos + torch.cat([-x[..., d // 2 :], x[..., : d // 2]], -1) * sin


def reference(backbone, ids, ecg):
    """One text (T,) and its ECG tokens (S, hidden): softmax(Q_t [K_e; K_t]' / sqrt d) [V_e; V_t] in every layer."""
    llama = backbone.get_base_model()
    config, model = llama.config, llama.model
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


def inputs(model, batch=2):
    torch.manual_seed(3)
    ids = torch.randint(1, 257, (batch, 7))
    ecg = torch.randn(batch, 5, 32)
    return ids, torch.ones_like(ids), ecg, torch.ones(batch, 5, dtype=torch.long)


@torch.no_grad()
def test_equals_the_equation(tiny_model):
    ids, mask, ecg, ecg_mask = inputs(tiny_model)
    fused = fused_forward(tiny_model.backbone, ids, mask, ecg, ecg_mask)
    for row in range(len(ids)):
        assert torch.allclose(fused[row], reference(tiny_model.backbone, ids[row], ecg[row]), atol=1e-4)


@torch.no_grad()
def test_the_ecg_changes_every_text_position(tiny_model):
    ids, mask, ecg, ecg_mask = inputs(tiny_model)
    one = fused_forward(tiny_model.backbone, ids, mask, ecg, ecg_mask)
    other = fused_forward(tiny_model.backbone, ids, mask, ecg.flip(0), ecg_mask)
    assert (one - other).abs().amax(-1).min() > 1e-4


@torch.no_grad()
def test_hidden_tokens_do_not_matter(tiny_model):
    ids, mask, ecg, ecg_mask = inputs(tiny_model)
    ecg_mask[:, 2:] = 0
    changed = ecg.clone()
    changed[:, 2:] = 9.0
    one = fused_forward(tiny_model.backbone, ids, mask, ecg, ecg_mask)
    assert torch.allclose(one, fused_forward(tiny_model.backbone, ids, mask, changed, ecg_mask), atol=1e-5)
    fewer = fused_forward(tiny_model.backbone, ids, mask, ecg[:, :2], ecg_mask[:, :2])
    assert torch.allclose(one, fewer, atol=1e-5)


def test_a_mask_of_the_wrong_length_raises(tiny_model):
    ids, mask, ecg, ecg_mask = inputs(tiny_model)
    with pytest.raises(ValueError, match="do not fit"):
        fused_forward(tiny_model.backbone, ids, mask[:, 1:], ecg, ecg_mask)
    with pytest.raises(ValueError, match="do not fit"):
        fused_forward(tiny_model.backbone, ids, mask, ecg, ecg_mask[:, 1:])


def test_gradients_reach_projector_and_adapter_only(tiny_model):
    answers = [[5, 6, 7, 0], [8, 9, 0]]
    batch = collate(prompt_ids(tiny_model.tokenizer), answers, 0)
    loss = tiny_model.loss(*batch, torch.rand(2, 2), torch.randn(2, 3, 8), torch.ones(2, dtype=torch.bool))
    loss.backward()
    for name, value in tiny_model.named_parameters():
        if "lora_" in name or name.startswith("projector"):
            assert value.grad is not None and value.grad.abs().max() > 0, name
        elif name.startswith("backbone"):
            assert value.grad is None, name


def test_the_loss_counts_the_answer_only(tiny_model):
    prompt = prompt_ids(tiny_model.tokenizer)
    ids, mask, labels = collate(prompt, [[5, 6, 0], [7, 0]], 0)
    assert labels[0].tolist() == [-100] * len(prompt) + [5, 6, 0]
    assert labels[1].tolist() == [-100] * len(prompt) + [7, 0, -100]
    assert mask[1].tolist() == [1] * (len(prompt) + 2) + [0]
    assert ids[1, -1] == 0
