"""Generation, saving and loading on a tiny LLaMA."""

import pytest
import torch

from meit.errors import ModelError
from meit.model.report_model import CONFIG, load_model


def views(batch=3):
    torch.manual_seed(5)
    return torch.rand(batch, 2), torch.randn(batch, 3, 8)


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


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bloom", "bart", "t5"])
@torch.no_grad()
def test_merging_by_hand_is_what_peft_does(build, tmp_path, kind):
    from safetensors.torch import load_file

    from meit.model import loading
    from meit.model.adapter import low_rank, merge_adapter
    from meit.model.report_model import ADAPTER_WEIGHTS

    model = build(kind)
    for name, value in model.named_parameters():
        if "lora_" in name:
            value.data = value.data.to(torch.bfloat16).float()
    model.save(tmp_path)
    plain, _ = loading.load(model.spec.backbone, "float32")
    merge_adapter(plain, low_rank(load_file(tmp_path / ADAPTER_WEIGHTS), model.spec.lora_rank, model.spec.lora_alpha))
    theirs = model.backbone.merge_and_unload()
    for name, value in theirs.state_dict().items():
        assert torch.allclose(value, plain.state_dict()[name], atol=1e-6), name


@pytest.mark.parametrize(("content", "says"), [(None, "holds no model"), ("{", "cannot be understood")])
def test_a_folder_without_a_model_is_refused(tmp_path, content, says):
    if content is not None:
        (tmp_path / CONFIG).write_text(content)
    with pytest.raises(ModelError, match=says):
        load_model(tmp_path)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["llama", "gpt2", "t5"])
def test_merged_it_drafts_the_same(build, tmp_path, kind):
    from meit.model.report_model import export_merged

    build(kind).save(tmp_path / "model")
    export_merged(tmp_path / "model", tmp_path / "merged")
    apart, merged = load_model(tmp_path / "model"), load_model(tmp_path / "merged")
    assert not (tmp_path / "merged" / "adapter").exists()
    for name, value in apart.state_dict().items():
        assert torch.equal(value, merged.state_dict()[name]), name
    assert merged.generate(*views(), 12) == apart.generate(*views(), 12)
    with pytest.raises(ModelError, match="exists: name a folder"):
        export_merged(tmp_path / "model", tmp_path / "merged")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["merged", "model"]
