"""Devices and precisions by name, on machines that have them and on those that lack them."""

from types import SimpleNamespace

import pytest
import torch
from forked_meit import run_meit

from meit.drafting.draft import draft_report, draft_reports
from meit.ecg import read_ecg
from meit.errors import ModelError
from meit.model.devices import (
    KINDS,
    DeviceKind,
    chosen_device,
    chosen_dtype,
    device_of_worker,
    may_spread,
    training_place,
)
from meit.model.language import spreading
from meit.model.report_model import load_model


@pytest.fixture
def gpus(monkeypatch):
    """A machine that shows four GPUs; nothing computes on them."""
    monkeypatch.setitem(KINDS, "cuda", DeviceKind(lambda: 4, lambda: ""))


def test_auto_takes_a_gpu_where_there_is_one(gpus):
    assert chosen_device() == torch.device("cuda", 0) == chosen_device("cuda")
    assert chosen_device("cuda:3") == torch.device("cuda", 3) and chosen_device("cpu") == torch.device("cpu")
    with pytest.raises(ModelError, match="'cuda:7' is not there: this machine shows 4, the last is cuda:3"):
        chosen_device("cuda:7")


def test_each_process_gets_its_own(gpus, monkeypatch):
    assert may_spread("auto") and may_spread("cuda") and not may_spread("cuda:1")
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    assert chosen_device("auto") == chosen_device("cuda") == torch.device("cuda", 2) and not may_spread("auto")
    with pytest.raises(ModelError, match="one for 3 processes: use device cuda"):
        chosen_device("cuda:1")


def test_the_cpu_computes_in_single_precision_unless_asked():
    cpu = torch.device("cpu")
    assert chosen_dtype("auto", cpu) == torch.float32 and chosen_dtype("bfloat16", cpu) == torch.bfloat16
    with pytest.raises(ModelError, match="dtype 'int8' is not known"):
        chosen_dtype("int8", cpu)
    with pytest.raises(ModelError, match="'float16' is for drafting"):
        training_place("cpu", "float16")


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps", "gpu"])
@pytest.mark.parametrize("command", [("report", "x"), ("calibrate", "MODEL", "MODEL"), ("serve", "--port", "0")])
def test_a_device_that_is_not_there_is_one_line(device, command, example, tmp_path):
    from meit.model import default_model

    stands = {"x": example, "MODEL": default_model()}
    done = run_meit(*(stands.get(part, part) for part in command), "--device", device, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and f"device '{device}' is not" in done.stderr and "cpu" in done.stderr


@pytest.mark.parametrize(("dtype", "found"), [("bfloat16", torch.bfloat16), ("float16", torch.float16)])
def test_the_backbone_alone_is_of_the_asked_precision(build, tmp_path, dtype, found):
    build("llama").save(tmp_path)
    model = load_model(tmp_path, device="cpu", dtype=dtype)
    assert {value.dtype for value in model.backbone.parameters()} == {found}
    assert {value.dtype for part in (model.ensemble, model.projector) for value in part.parameters()} == {torch.float32}


def test_a_loaded_model_is_moved_to_less_precision(build, tmp_path, example):
    build("llama").save(tmp_path)
    model, rounded = (load_model(tmp_path, device="cpu", dtype=dtype) for dtype in ("float32", "bfloat16"))
    recording = read_ecg(example)
    first = draft_report(model, recording)
    assert draft_report(model, recording, device="cpu", dtype="float32").report == first.report
    assert {value.dtype for value in model.backbone.parameters()} == {torch.float32}
    assert draft_report(model, recording, dtype="bfloat16").model == first.model
    for (name, value), loaded in zip(model.state_dict().items(), rounded.state_dict().values(), strict=True):
        assert value.dtype == loaded.dtype and torch.allclose(value, loaded, rtol=2**-7, atol=1e-3), name
    assert not any(value.is_inference() for value in model.parameters())
    with pytest.raises(
        ModelError, match="weights in bfloat16 cannot be made float32 again; load the model as it shall"
    ):
        draft_reports(model, [recording], device="cpu", dtype="float32")
    with pytest.raises(ModelError, match="device 'gpu' is not known"):
        draft_reports(model, [], device="gpu")
    small = load_model(tmp_path, "int8", "cpu")
    small.move("cpu")
    with pytest.raises(ModelError, match="quantised weights stay where and as they were loaded"):
        small.move(dtype="float16")


def test_workers_share_the_gpus(gpus):
    assert [device_of_worker("auto", number, 6) for number in range(6)] == [f"cuda:{n}" for n in (0, 1, 2, 3, 0, 1)]
    assert device_of_worker("cuda", 5, 6) == "cuda:1" and device_of_worker("cuda:2", 5, 6) == "cuda:2"
    assert device_of_worker("cpu", 1, 2) == "cpu"
    assert device_of_worker("auto", 0, 1) == "auto", "which may be spread over all"


def test_workers_on_a_machine_without_gpus_stay_where_they_are(monkeypatch):
    monkeypatch.setitem(KINDS, "cuda", DeviceKind(lambda: 0, lambda: ""))
    assert [device_of_worker("auto", number, 2) for number in range(2)] == ["auto", "auto"]


def test_a_backbone_is_spread_where_one_gpu_is_too_small(tiny_folder, monkeypatch):
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(tiny_folder("llama"))
    size = spreading.weight_bytes(config, "float32")
    whole = AutoModelForCausalLM.from_config(config)
    assert size == sum(value.numel() for value in whole.parameters()) * 4
    assert spreading.weight_bytes(config, "nf4") < size / 2
    free = SimpleNamespace(bytes=size)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(spreading, "free_bytes", lambda gpu: free.bytes)
    ask = (config, "float32", torch.device("cuda", 1))
    assert spreading.device_map(*ask, spread=True) == {"device_map": {"": torch.device("cuda", 1)}}
    free.bytes = size - 1
    assert spreading.device_map(*ask, spread=True) == {"device_map": "auto", "max_memory": {0: size - 1, 1: size - 1}}
    assert spreading.device_map(*ask, spread=False) == {"device_map": {"": torch.device("cuda", 1)}}
