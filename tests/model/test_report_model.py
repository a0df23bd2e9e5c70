"""Generation, saving and loading on a tiny LLaMA."""

import json

import pytest
import torch

from meit.errors import ModelError
from meit.model.fusion import fused_forward
from meit.model.prompt import prompt_ids
from meit.model.report_model import CONFIG, load_model


def views(batch=3):
    torch.manual_seed(5)
    return torch.rand(batch, 2), torch.randn(batch, 3, 8)


def test_a_batch_writes_what_each_recording_alone_does(tiny_model):
    probabilities, tokens = views()
    together = tiny_model.generate(probabilities, tokens, max_new_tokens=12)
    alone = [tiny_model.generate(probabilities[i : i + 1], tokens[i : i + 1], 12)[0] for i in range(3)]
    assert together == alone
    assert len(set(together)) > 1


@torch.no_grad()
def test_generation_is_stepwise_argmax(tiny_model):
    probabilities, tokens = views(1)
    prompt = prompt_ids(tiny_model.tokenizer)
    ids = torch.tensor([prompt])
    ecg = tiny_model.projector(probabilities, tokens)
    for _ in range(12):
        mask = torch.ones_like(ids)
        hidden = fused_forward(tiny_model.backbone, ids, mask, ecg, torch.ones(1, 5, dtype=torch.long))
        best = tiny_model.backbone.get_output_embeddings()(hidden[:, -1:]).argmax(-1)
        if best.item() == 0:
            break
        ids = torch.cat([ids, best], 1)
    expected = tiny_model.tokenizer.decode(ids[0, len(prompt) :], skip_special_tokens=True).strip()
    assert tiny_model.generate(probabilities, tokens, 12) == [expected]


def test_beam_search_is_the_same_in_a_batch(tiny_model):
    probabilities, tokens = views()
    together = tiny_model.generate(probabilities, tokens, 8, num_beams=3)
    alone = [tiny_model.generate(probabilities[i : i + 1], tokens[i : i + 1], 8, num_beams=3)[0] for i in range(3)]
    assert together == alone


@torch.no_grad()
def test_saved_and_loaded_it_is_the_same_model(tiny_model, tmp_path):
    for value in tiny_model.parameters():  # what bf16 cannot hold is lost in saving, so begin with what it can
        value.data = value.data.to(torch.bfloat16).float()
    tiny_model.save(tmp_path)
    loaded = load_model(tmp_path)
    ecg, mask = torch.randn(2, 1000, 12), torch.ones(2, 1000)
    for ours, theirs in zip(tiny_model.encode(ecg, mask), loaded.encode(ecg, mask), strict=True):
        assert torch.equal(ours, theirs)
    probabilities, tokens = views()
    assert torch.equal(tiny_model.projector(probabilities, tokens), loaded.projector(probabilities, tokens))
    again = load_model(tmp_path)
    assert loaded.generate(probabilities, tokens, 12) == again.generate(probabilities, tokens, 12)
    assert loaded.sha256 == again.sha256 and len(loaded.sha256) == 64


@torch.no_grad()
def test_merging_by_hand_is_what_peft_does(tiny_model, tmp_path):
    from safetensors.torch import load_file

    from meit.model import backbones
    from meit.model.report_model import merge_adapter

    for name, value in tiny_model.named_parameters():
        if "lora_" in name:
            value.data = value.data.to(torch.bfloat16).float()
    tiny_model.save(tmp_path)
    plain, _ = backbones.load(tiny_model.config.backbone, torch.float32)
    merge_adapter(plain, load_file(tmp_path / "adapter" / "adapter_model.safetensors"), tiny_model.config)
    theirs = tiny_model.backbone.merge_and_unload()
    for name, value in theirs.state_dict().items():
        assert torch.allclose(value, plain.state_dict()[name], atol=1e-6), name


def test_another_backbone_is_refused(tiny_model, tmp_path):
    tiny_model.save(tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text())
    (tmp_path / CONFIG).write_text(json.dumps({**config, "backbone_sha256": "0" * 64}))
    with pytest.raises(ModelError, match="tuned on another"):
        load_model(tmp_path)


@pytest.mark.parametrize("content, says", [(None, "holds no model"), ("{", "cannot be understood")])
def test_a_folder_without_a_model_is_refused(tmp_path, content, says):
    if content is not None:
        (tmp_path / CONFIG).write_text(content)
    with pytest.raises(ModelError, match=says):
        load_model(tmp_path)
