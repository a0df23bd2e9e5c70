"""The whole way on a device that is not the CPU (tests/other_device.py); test_other_device.py runs this by itself."""

import json
import math
from dataclasses import replace
from itertools import product

import other_device
import pytest
import torch
from conftest import REPOSITORY, SMALL, TINY
from transformers import AutoConfig

import meit.training.run as training
from meit.benchmark.tasks import zero_shot
from meit.cli import main
from meit.drafting import report_writing
from meit.drafting.draft import draft_reports
from meit.ecg import read_ecg
from meit.model import devices
from meit.model.encoders.encoding import encode_all, recordings_for
from meit.model.fusion import FUSIONS
from meit.model.language.architectures import model_class, see_everything
from meit.model.language.backbones import BACKBONES
from meit.model.report_model import load_model
from meit.training.building import untuned
from meit.training.cross_fits import Trained
from meit.training.examples import Collator
from meit.training.plan import unseen
from meit.training.recipe import load_recipe

NAME = other_device.NAME


@pytest.fixture(scope="session", autouse=True)
def other():
    device = other_device.setup()
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(devices.KINDS, NAME, devices.DeviceKind(lambda: 1, lambda: ""))
        patched.setenv("ACCELERATE_TORCH_DEVICE", str(device))  # else Accelerate would ask for a GPU of its own
        for module in (report_writing, zero_shot):  # few words will do
            patched.setattr(module, "MAX_NEW_TOKENS", 8)
        yield device


def places(model) -> set[str]:
    return {value.device.type for value in (*model.parameters(), *model.buffers())}


def written(model, beams: int) -> list[str]:
    torch.manual_seed(5)
    probabilities, tokens, _ = model.encode(torch.randn(3, 1000, 12), torch.ones(3, 1000))
    assert probabilities.device == tokens.device == model.device
    return model.generate(probabilities, tokens, 4, beams, ["Report:", "What is seen here?", "Read."])


@pytest.mark.parametrize(
    ("kind", "fusion"),
    [*((kind, "concat") for kind in TINY), *product(("gpt2", "bart"), (one for one in FUSIONS if one != "concat"))],
)
def test_a_draft_is_the_cpus(build, tmp_path, kind, fusion):
    build(kind, fusion=fusion).save(tmp_path)
    here, there = load_model(tmp_path, device="cpu"), load_model(tmp_path, device=NAME, dtype="float32")
    assert places(here) == {"cpu"} and places(there) == {NAME} and there.device.type == NAME
    for beams in (1, 2):
        assert written(there, beams) == written(here, beams)


def test_a_misplaced_tensor_is_noticed(build, tmp_path):
    """The test of these tests."""
    build("llama").save(tmp_path)
    model = load_model(tmp_path, device=NAME, dtype="float32")
    model.fusion.to("cpu"), model.projector.to("cpu")
    with pytest.raises(other_device.WrongDevice):
        written(model, 1)
    model.projector.to(NAME)
    model.ensemble.encoder.body[0].to("cpu")
    with pytest.raises(other_device.WrongDevice):
        model.encode(torch.randn(1, 1000, 12), torch.ones(1, 1000))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_it_drafts_in_less_than_single_precision(build, tmp_path, dtype):
    build("llama").save(tmp_path)
    model = load_model(tmp_path, device=NAME, dtype=dtype)
    assert {value.dtype for value in model.backbone.parameters()} == {getattr(torch, dtype)}
    assert {value.dtype for value in model.ensemble.parameters()} == {torch.float32}
    assert len(written(model, 2)) == 3


@pytest.fixture(scope="module")
def tuned(simulated, tiny_backbone, tmp_path_factory):
    """A model that `meit train` made on the other device: pre-trained, cross-fitted, measured, tuned."""
    folder = tmp_path_factory.mktemp("tuned")
    recipe = folder / "recipe.yaml"
    recipe.write_text(
        f"out: {folder / 'run'}\ndata: [{simulated}]\nbackbone: {tiny_backbone}\npretrain_epochs: 2\n"
        "pretrain_batch_size: 8\ncross_fits: 2\nbagged: true\nmeasured: true\ntext_steps: 1\ntune_epochs: 1\nbatch_size: 8\n"
        "learning_rate: 5.0e-3\nevaluate_every: 2\nbf16: false\n"
    )
    assert main(["train", str(recipe), "--device", NAME, "--dtype", "float32"]) == 0
    record = json.loads((folder / "run" / "model" / "training.json").read_text())
    assert record["device"].startswith(NAME)
    return folder / "run" / "model"


def test_a_model_made_there_drafts_here_the_same(tuned, example):
    """Loaded there, and moved there."""
    recordings, model = [read_ecg(example)] * 2, load_model(tuned, device="cpu")
    here = draft_reports(model, recordings)
    there = draft_reports(load_model(tuned, device=NAME, dtype="float32"), recordings)
    moved = draft_reports(model, recordings, device=NAME)
    assert places(model) == {NAME}
    assert [draft.report for draft in there] == [draft.report for draft in here] == [draft.report for draft in moved]


def test_sets_are_encoded_the_same(tuned, simulated):
    here, there = (load_model(tuned, device=device, dtype="float32") for device in ("cpu", NAME))
    data = recordings_for(here.spec.encoder, [simulated], [1, 2])
    for ours, theirs in zip(encode_all(here.ensemble, data), encode_all(there.ensemble, data), strict=True):
        assert theirs.device.type == "cpu"
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_calibrating_drafts_there(tuned, simulated, capsys):
    """Such a small model says nothing that confidences could be fitted on."""
    assert main(["calibrate", str(tuned), str(simulated), "--device", NAME, "--dtype", "float32"]) == 2
    assert "drafts of the validation fold hold no statement" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["report", str(REPOSITORY / "examples" / "ptb-xl"), "--model", "MODEL", "--out", "OUT"],
        ["evaluate", "MODEL", "DATA", "--out", "OUT"],
        ["evaluate", "MODEL", "DATA", "--out", "OUT", "--task", "zero-shot", "--tuned-on", "DATA", "--split", "test"],
        ["evaluate", "MODEL", "DATA", "--out", "OUT", "--task", "grounding"],
    ],
    ids=lambda command: "-".join(part for part in command if (part.isalpha() and part.islower()) or "-shot" in part),
)
def test_commands_run_there(tuned, simulated, tmp_path, command):
    stands = {"MODEL": str(tuned), "DATA": str(simulated), "OUT": str(tmp_path / "out")}
    assert main([*(stands.get(part, part) for part in command), "--device", NAME, "--dtype", "float32"]) == 0
    for result in (tmp_path / "out").glob("results.json"):
        model = json.loads(result.read_text())["model"]
        assert model["device"].startswith(NAME) and model["dtype"] == "float32"


@pytest.fixture(scope="module")
def paper(simulated, tiny_folder, tmp_path_factory):
    return replace(
        load_recipe(REPOSITORY / "recipes" / "paper.yaml"),
        out=str(tmp_path_factory.mktemp("paper") / "run"),
        data=(str(simulated),),
        backbone=str(tiny_folder("llama")),
        weights="float32",
        bf16=False,
        batch_size=2,
        tune_epochs=1 / 12,
        lora_dropout=0.0,
    )


def test_the_papers_recipe_is_tuned_and_drafted_with_there(paper):
    """Its encoder, tuned along, its projector, template and instructions; the encoder in its full width."""
    folder = training.train(paper, NAME, "float32")
    model = load_model(folder, device=NAME, dtype="float32")
    assert (model.spec.encoder.shape, model.spec.encoder.n_samples, model.spec.projector) == ("resnet50", 5000, "paper")
    probabilities, tokens, _ = model.encode(torch.randn(1, 5000, 12), torch.ones(1, 5000))
    assert len(model.generate(probabilities, tokens, 2)) == 1


@pytest.fixture(scope="module")
def run(paper):
    """The recipe's, around a narrow ResNet-50: all layers, 500 Hz, 10 s."""
    run = training.prepare(paper, devices.training_place(NAME, "float32"))
    return replace(run, config=replace(run.config, widths=(8, 8, 8, 8)))


def stepped(run, tokenizer, name: str, device: str, weights: str) -> tuple[float, float]:
    """The loss and the gradients' norm of a step of the paper's recipe on two recordings, with a tiny backbone of that row of BACKBONES."""
    config = see_everything(AutoConfig.for_model(BACKBONES[name].model_type, **tiny_shape(name)))
    torch.manual_seed(0)
    backbone = model_class(config).from_config(config).to(getattr(torch, weights))
    model = untuned(run.recipe, run.config, backbone, tokenizer)
    examples = training.tuning_examples(run, Trained(model.ensemble, run.targets), model, unseen(run))
    batch = {key: value.to(device) for key, value in Collator(model.backbone)([examples[0], examples[1]]).items()}
    model.to(device).train()
    tuned = {key: value for key, value in model.named_parameters() if value.requires_grad}
    optimiser = torch.optim.AdamW(tuned.values(), lr=1e-3)
    with devices.Place(torch.device(device), getattr(torch, weights)).autocast():
        loss = model(**batch)["loss"]
    loss.backward()
    size = torch.nn.utils.clip_grad_norm_(tuned.values(), 1.0)
    optimiser.step()
    assert places(model) == {device} and all(value.grad is not None for value in tuned.values())
    return loss.item(), size.item()


def tiny_shape(name: str) -> dict:
    """A row's architecture, whether its heads share keys, and whether its output layer is its embeddings."""
    kind, shape = BACKBONES[name].model_type, BACKBONES[name].shape
    tiny = {**SMALL, **TINY[kind]} | {key: shape[key] for key in ("tie_word_embeddings",) if key in shape}
    if "num_key_value_heads" in shape:
        tiny["num_key_value_heads"] = 4 if shape["num_key_value_heads"] == shape["num_attention_heads"] else 2
    return tiny


@pytest.mark.parametrize(
    "name", {json.dumps([BACKBONES[name].model_type, tiny_shape(name)]): name for name in BACKBONES}.values()
)
def test_the_papers_recipe_takes_steps_with_every_backbone(run, byte_tokenizer, name):
    """Those whose tiny shapes are the same once."""
    steps = [stepped(run, byte_tokenizer, name, *place) for place in product(("cpu", NAME), ("float32", "bfloat16"))]
    losses, sizes = zip(*steps, strict=True)
    assert losses == tuple(pytest.approx(losses[0], rel=tolerance) for tolerance in (0, 3e-2, 1e-4, 3e-2))
    assert sizes[2] == pytest.approx(sizes[0], rel=1e-2) and all(map(math.isfinite, sizes))
