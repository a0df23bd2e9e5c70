"""Generation, saving and loading on a tiny LLaMA."""

import json
from dataclasses import replace

import pytest
import torch

from meit.errors import ModelError
from meit.model.configuration import CONFIG, FORMAT, read_config
from meit.model.encoders.encoder import NORMALISED
from meit.model.merging import export_merged
from meit.model.model_files import CALIBRATION, MERGED, TRAINING, WEIGHTS, checksum
from meit.model.report_model import load_model


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

    from meit.model.language import loading
    from meit.model.language.adapter import low_rank, merge_adapter
    from meit.model.model_files import ADAPTER_WEIGHTS

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


@pytest.fixture
def saved(build, tmp_path):
    build("llama").save(tmp_path / "model")
    return tmp_path / "model"


def changed(folder, **entries):
    path = folder / CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"format": 1}, f"another version of meit .format 1, need {FORMAT}"),
        ({"normalised": "0.5-30 Hz"}, "trained on another input .0.5-30 Hz"),
        ({"projector": "linear"}, "projector 'linear' is not known; known are placed, named, paper"),
        ({"prompt": "alpaca"}, "prompt 'alpaca' is not known; known are paper, tagged, chat"),
        ({"fusion": "sum"}, "fusion 'sum' is not known; known are concat, input, cross"),
        ({"plans": 1}, "cannot be understood: .*plans"),
    ],
)
def test_a_configuration_that_cannot_be_built_says_so(saved, entries, says):
    assert read_config(saved).normalised == NORMALISED["band"]
    changed(saved, **entries)
    with pytest.raises(ModelError, match=says):
        load_model(saved)


def test_weights_that_do_not_fit_are_refused(saved):
    from safetensors.torch import load_file, save_file

    state = load_file(saved / WEIGHTS)
    kept = {key: value for key, value in state.items() if key != "ensemble.encoder.body.0.weight"}
    for other in (kept, state | {"projector.more": torch.zeros(1)}):
        save_file(other, saved / WEIGHTS)
        with pytest.raises(ModelError, match=f"{WEIGHTS} does not fit {CONFIG}"):
            load_model(saved)
    (saved / WEIGHTS).write_bytes(b"no weights")
    with pytest.raises(ModelError, match=f"{WEIGHTS} cannot be read"):
        load_model(saved)


def test_an_unknown_quantisation_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ModelError, match="weights 'int3' are not known on a cpu device; known are int8, int4, nf4"):
        load_model(tmp_path / "nowhere", "int3", "cpu")


@pytest.mark.parametrize("shard", ["40GB", "20KB"])
@torch.no_grad()
def test_noise_in_a_merged_backbone_changes_its_sha256_and_is_refused(saved, tmp_path, shard):
    from safetensors.torch import load_file, save_file

    export_merged(saved, tmp_path / "merged")
    if shard != "40GB":
        whole = load_model(tmp_path / "merged").backbone
        (tmp_path / "merged" / MERGED / "model.safetensors").unlink()
        whole.save_pretrained(tmp_path / "merged" / MERGED, max_shard_size=shard)
    before = load_model(tmp_path / "merged").sha256
    files = sorted((tmp_path / "merged" / MERGED).glob("*.safetensors"))
    assert (len(files) > 1) == (shard != "40GB")
    for file in files:
        state = load_file(file)
        matrices = [key for key in state if "q_proj" in key or "down_proj" in key]
        if matrices:
            save_file(state | {key: torch.randn_like(state[key]) for key in matrices}, file, {"format": "pt"})
    assert checksum(tmp_path / "merged") != before
    with pytest.raises(ModelError, match="tuned on another"):
        load_model(tmp_path / "merged")


def test_a_merged_model_keeps_its_record_and_its_confidences(saved, tmp_path):
    (saved / TRAINING).write_text(json.dumps({"steps": 3}))
    fitted = {"model_sha256": checksum(saved), "weights": {"constant": 1.0}, "codes": {}, "fitted_on": {}}
    (saved / CALIBRATION).write_text(json.dumps(fitted))
    export_merged(saved, tmp_path / "merged")
    merged = load_model(tmp_path / "merged")
    assert merged.training_record == {"steps": 3} and merged.folder == tmp_path / "merged"
    kept = json.loads((tmp_path / "merged" / CALIBRATION).read_text())
    assert kept == {**fitted, "model_sha256": merged.sha256} and merged.sha256 != fitted["model_sha256"]
    (saved / CALIBRATION).write_text(json.dumps({**fitted, "model_sha256": "another's"}))
    export_merged(saved, tmp_path / "again")
    assert not (tmp_path / "again" / CALIBRATION).exists()


@pytest.mark.parametrize("projector", ["placed", "paper"])
@torch.no_grad()
def test_an_encoder_that_finds_nothing_drafts(build, tmp_path, projector):
    """B5: nobody trained its findings head, so it has none; S = 1, as in the paper."""
    from meit.drafting.report_writing import write_reports
    from meit.model.report_model import ReportModel

    tiny = build("llama")
    encoder = replace(tiny.spec.encoder, findings=(), n_tokens=1)
    spec = replace(tiny.spec, encoder=encoder, finding_tokens=0, projector=projector)
    ReportModel(spec, tiny.backbone, tiny.tokenizer).save(tmp_path)
    model = load_model(tmp_path)
    probabilities, tokens, features = model.encode(torch.randn(3, 1000, 12), torch.ones(3, 1000))
    assert probabilities.shape == (3, 0) and tokens.shape == (3, 1, 8) and features.shape == (3, 16)
    assert model.ecg_tokens(probabilities, tokens).shape == (3, 1, 32)
    assert write_reports(model, probabilities, tokens) == [
        model.generate(probabilities[row : row + 1], tokens[row : row + 1])[0] for row in range(3)
    ]


@pytest.mark.parametrize("fusion", ["concat", "input", "cross"])
def test_ecg_tokens_can_be_handed_in_and_hidden(build, fusion):
    """Hidden ones leave one and the same draft, whatever they hold; seen, they are what `generate` makes of its inputs."""
    model = build("llama", fusion=fusion, adapter=False)
    torch.manual_seed(0)
    probabilities, tokens = torch.rand(2, 2), torch.randn(2, 3, 8)
    ecg = model.ecg_tokens(probabilities, tokens)
    assert model.write(ecg, max_new_tokens=12) == model.generate(probabilities, tokens, 12)
    hidden = model.write(ecg, ecg.new_zeros(ecg.shape[:2]), 12)
    assert hidden[0] == hidden[1] == model.write(torch.randn(1, 5, 32), torch.zeros(1, 5), 12)[0] != ""
    assert hidden != model.write(ecg, max_new_tokens=12)
