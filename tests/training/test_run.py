"""A whole small run: it learns, is resumed, and is bound to its recipe."""

import multiprocessing
import os
import resource
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import meit.training.run as training
from meit.data.batches import EcgSet
from meit.data.splits import SPLITS
from meit.ecg.measure.measured_inputs import BEAT_COLUMNS, measured_recordings
from meit.errors import ModelError
from meit.model.encoders.encoder import EcgEncoder
from meit.model.encoders.encoding import encode_all, recordings_for
from meit.model.report_model import load_model

SETTINGS = {
    "learning_rate": 5e-3,
    "pretrain_epochs": 2,
    "text_steps": 2,
    "tune_epochs": 4,
    "checkpoint_every": 5,
    "hide_signal": 0.0,
    "lora_dropout": 0.1,
}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """So that a process forked from this one, which must not use torch's threads, adds in the same order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def recipe(small_recipe):
    return replace(small_recipe, **SETTINGS)


@pytest.fixture(scope="module")
def trained(make_small_recipe, tmp_path_factory):
    """The recipe, gone the whole way without a stop; `out` is where it went."""
    recipe = replace(make_small_recipe(tmp_path_factory.mktemp("trained") / "run"), **SETTINGS)
    training.train(recipe)
    return recipe


def weights(folder):
    return {**load_file(folder / "ecg.safetensors"), **load_file(folder / "adapter" / "adapter_model.safetensors")}


def losses(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return [entry.value for entry in EventAccumulator(str(run) + "/log").Reload().Scalars("loss")]


def same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for key, value in ours.items():
        assert torch.equal(value, theirs[key]), key


@pytest.fixture(scope="module")
def whole(trained):
    return weights(Path(trained.out) / "model")


def test_the_loss_falls(trained):
    assert (Path(trained.out) / "model" / "familiarity.safetensors").exists()
    found = losses(trained.out)
    assert len(found) == 2 + 12
    assert found[-1] < 0.7 * found[0]


@pytest.mark.parametrize("fusion", ["input", "cross"])
def test_every_fusion_is_tuned(recipe, fusion):
    folder = training.train(replace(recipe, fusion=fusion))
    found = losses(recipe.out)
    assert found[-1] < 0.7 * found[0]
    assert load_model(folder).spec.fusion == fusion


def test_the_encoder_can_be_tuned_along(recipe, whole):
    tuned = weights(training.train(replace(recipe, tune_encoder=True)))
    moved = [k for k in whole if k.startswith("ensemble.") and not torch.equal(whole[k], tuned[k])]
    assert "ensemble.encoder.body.0.weight" in moved and "ensemble.encoder.body.1.running_mean" in moved


def test_findings_that_nothing_keeps_true_are_left_out(recipe):
    """Pre-trained to find, then tuned along by the reports' loss alone: the head would speak of another encoder."""
    recipe = replace(recipe, tune_encoder=True, finding_tokens=0, text_steps=0, tune_epochs=1)
    assert load_model(training.train(recipe)).spec.encoder.findings == ()


def test_measurements_are_taken_into_account(recipe, simulated, tmp_path):
    """The simulated recordings differ in rate, which is measured; resumed without measuring again, the same comes out."""
    measured = replace(recipe, measured=True)
    folder = training.train(measured)
    model = load_model(folder)
    assert "heart_rate_bpm" in model.spec.encoder.measures and torch.isfinite(model.ensemble.measured.edges).any()
    data = EcgSet([simulated], (9, 10), 100, 10)
    by_set, tokens, _ = encode_all(model.ensemble, data)
    ecgs, masks = data.inputs(range(len(data)))
    values = measured_recordings(data.signals(range(len(data))), model.spec.encoder.measures)
    inputs = (torch.from_numpy(array) for array in (ecgs, masks.astype("float32"), values))
    alone, same_tokens, _ = model.encode(*inputs)
    assert torch.allclose(by_set, alone, atol=1e-5) and torch.allclose(tokens, same_tokens, atol=1e-5)
    (Path(recipe.out) / "model" / "config.json").unlink()
    first = weights(folder)
    os.utime(Path(recipe.out) / "measures.npy", (1, 1))
    same(first, weights(training.train(measured)))
    assert (Path(recipe.out) / "measures.npy").stat().st_mtime == 1


def test_beats_join_and_tokens_are_what_held_out_encoders_find(recipe, simulated):
    """What the language model is tuned on comes from networks that had not seen the recording, tokens too."""
    asked = replace(recipe, measured=True, beats=True, bagged=True, tokens_of="findings", projector="named")
    model = load_model(training.train(asked))
    config, out = model.spec.encoder, Path(recipe.out)
    assert config.measures[-1] == "median beat" and config.beats == len(model.ensemble.beats) == 1 + recipe.cross_fits
    held_out, tokens = np.load(out / "held_out.npy"), np.load(out / "held_out_tokens.npy")
    assert tokens.shape == (len(held_out), recipe.encoder_tokens, len(config.findings))
    part = load_file(out / "encoder-without-1.safetensors")
    single = EcgEncoder(config)
    single.load_state_dict(part)
    data = recordings_for(config, recipe.data, SPLITS["train"])
    inside = np.flatnonzero(np.array(data.column("fold")) % recipe.cross_fits == 0)
    np.testing.assert_allclose(encode_all(single, data, inside).tokens.numpy(), tokens[inside], atol=1e-4)
    with torch.inference_mode():
        given = np.load(out / "measures.npy")[inside]
        of_signal = torch.logit(encode_all(single, data, inside).probabilities)
        assert not np.allclose(torch.sigmoid(of_signal).numpy(), held_out[inside], atol=1e-3)  # the beats have a say
        assert np.isfinite(given[:, -BEAT_COLUMNS + 1 :]).any(1).mean() > 0.8


def test_bagged_encoders_are_averaged(recipe, tmp_path):
    """The findings are the mean of all members', the rest is the first one's; resumed, nothing is trained again."""
    bagged = replace(recipe, bagged=True)
    folder, run = training.train(bagged), Path(recipe.out)
    ensemble = load_model(folder).ensemble
    members = [EcgEncoder(ensemble.config) for _ in range(3)]
    for member, file in zip(members, ("encoder", "encoder-without-1", "encoder-without-2"), strict=True):
        state = load_file(run / f"{file}.safetensors")
        member.load_state_dict({k: v.bfloat16().float() if v.is_floating_point() else v for k, v in state.items()})
    ecg, mask = torch.randn(2, 1000, 12), torch.ones(2, 1000)
    alone = [member.eval()(ecg, mask) for member in members]
    probabilities, tokens, _ = ensemble.encode(ecg, mask)
    logits = torch.logit(probabilities)
    assert torch.allclose(logits, torch.stack([found for _, found in alone]).mean(0), atol=1e-5)
    assert torch.equal(tokens, alone[0][0])
    assert not torch.allclose(logits, alone[0][1], atol=1e-3)
    first = weights(folder)
    (folder / "config.json").unlink()
    trained = [run / f"{file}.safetensors" for file in ("encoder", "encoder-without-1", "encoder-without-2")]
    for file in trained:
        os.utime(file, (1, 1))
    same(first, weights(training.train(bagged)))
    assert all(file.stat().st_mtime == 1 for file in trained)


def test_a_plan_says_what_is_written(recipe):
    """Tuned with what the reports say, the model writes what the plan says, without any signal."""
    folder = training.train(replace(recipe, plan=True, hide_signal=1.0, tune_epochs=40))
    model = load_model(folder)
    names = model.spec.encoder.findings
    planned = torch.zeros(2, len(names))
    planned[0, names.index("STACH")] = planned[1, names.index("SBRAD")] = model.spec.plan + 0.01
    tokens = torch.zeros(2, 1, model.spec.encoder.width)
    assert torch.equal(model.ecg_tokens(planned, tokens), model.ecg_tokens((planned > 0).float(), tokens))
    assert model.generate(planned, tokens, 6) == ["fast", "slow"]


def test_what_cannot_be_learned_is_refused(recipe):
    with pytest.raises(ModelError, match="no finding stands in 5 reports"):  # these say "fast" and "slow"
        training.train(replace(recipe, targets="statements"))
    assert not Path(recipe.out).exists()


def test_accumulated_steps_make_the_same_curve(recipe, tmp_path):
    plain = replace(recipe, lora_dropout=0.0, bf16=False)
    training.train(plain)
    training.train(replace(plain, accumulate=4, checkpoint_gradients=True, out=str(tmp_path / "parts")))
    assert losses(tmp_path / "parts") == pytest.approx(losses(recipe.out), abs=1e-3)


def train_slowly(recipe, flag):
    """The second checkpoint takes its time, so that a kill meets it; in a process of its own."""
    real = torch.save

    def slow(value, file, *rest, **named):
        real(value, file, *rest, **named)
        if "checkpoint-10" in str(file):
            flag.touch()
            time.sleep(60)

    torch.save = slow
    training.train(recipe)


@pytest.mark.parametrize("moment", ["early", "between", "writing"])
def test_killed_at_any_moment_and_resumed_it_ends_the_same(recipe, whole, tmp_path, moment):
    """SIGKILL before the first checkpoint, after one, and while one is being written."""
    run, flag = Path(recipe.out), tmp_path / "flag"
    reached = {
        "early": (run / "encoder.safetensors").exists,
        "between": (run / "checkpoint-5" / "whole").exists,
        "writing": flag.exists,
    }[moment]
    process = multiprocessing.get_context("fork").Process(target=train_slowly, args=(recipe, flag))
    process.start()
    deadline = time.monotonic() + 120
    while not reached() and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.join()
    assert reached() and not (run / "model" / "config.json").exists()
    if moment == "writing":
        assert (run / "checkpoint-10").exists() and not (run / "checkpoint-10" / "whole").exists()
    same(whole, weights(training.train(recipe)))


def test_a_full_disk_leaves_the_last_checkpoint(recipe, whole, monkeypatch):
    """The system refuses the second checkpoint's writes, by its limit on the size of files."""
    from meit.training import trainer as module

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    real = module.Trainer._save_checkpoint

    def save(self, model, trial):
        if self.state.global_step == 10:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        real(self, model, trial)

    monkeypatch.setattr(module.Trainer, "_save_checkpoint", save)
    try:
        with pytest.raises(ModelError, match=r"checkpoint-10 could not be written .*checkpoint-5 is what is kept"):
            training.train(recipe)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (Path(recipe.out) / "checkpoint-10").exists()
    monkeypatch.undo()
    same(whole, weights(training.train(recipe)))


def test_a_loss_that_is_not_a_number_ends_the_run(recipe):
    with pytest.raises(ModelError, match="the loss is nan at step .*lower learning_rate"):
        training.train(replace(recipe, learning_rate=1e12, tune_epochs=20))


def test_the_best_checkpoint_is_kept_and_ends_the_run_early(recipe):
    """With a rate that soon learns the training reports by heart, the validation loss stops falling."""
    eager = replace(recipe, evaluate_every=2, patience=2, tune_epochs=60, learning_rate=2e-2)
    folder = training.train(eager)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(recipe.out + "/log").Reload().Scalars("eval_loss")
    assert len(found) < 91, "it was not stopped"
    best = min(found, key=lambda entry: entry.value)
    assert found[-1].value > best.value
    from safetensors.torch import load_file

    kept = load_file(f"{recipe.out}/checkpoint-{best.step}/model.safetensors")
    saved = load_file(folder / "ecg.safetensors")
    assert torch.equal(saved["projector.signal.weight"], kept["projector.signal.weight"].to(torch.bfloat16))


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_an_unreadable_shard_is_named(recipe, tmp_path, damage):
    import shutil

    from meit.errors import DataError

    folder = tmp_path / "data"
    shutil.copytree(recipe.data[0], folder)
    shard = folder / "records-00000.arrow"
    if damage == "cut":
        shard.write_bytes(shard.read_bytes()[:1000])
    else:
        shard.unlink()
    with pytest.raises(DataError, match="records-00000.arrow cannot be read .*meit prepare"):
        training.train(replace(recipe, data=(str(folder),)))
