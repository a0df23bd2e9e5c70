"""Recordings like those of training are familiar, others are not; a changed encoder does not use what is stale."""

import numpy as np
import pytest
import torch

from meit.data.batches import EcgSet
from meit.ecg import read_ecg
from meit.ecg.noise import NOISES
from meit.ecg.quality import LIMITED
from meit.ecg.signal.windowing import first_windows
from meit.model import default_model
from meit.model.encoders.encoder import EcgEncoder, EncoderConfig
from meit.model.encoders.familiarity import FILE, Familiarity, K, body_sha256, fit_familiarity, load_familiarity
from meit.model.merging import export_merged
from meit.model.report_model import load_model
from meit.training.run import familiarity_of, rebuilt

CONFIG = EncoderConfig(findings=("NORM",), widths=(8, 8, 8, 8))


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return EcgEncoder(CONFIG).eval()


@pytest.fixture
def fitted(encoder):
    torch.manual_seed(0)
    return fit_familiarity(encoder, torch.rand(300, 16), torch.rand(200, 16))


def test_the_limit_leaves_one_in_a_hundred_outside(fitted):
    torch.manual_seed(0)
    torch.rand(300, 16)
    held_out = fitted.distances(torch.rand(200, 16))
    assert 1 <= (held_out > 1).sum() <= 3
    torch.manual_seed(1)
    assert (fitted.distances(torch.rand(500, 16)) > 1).float().mean() < 0.05
    assert (fitted.distances(torch.rand(50, 16) ** 12) > 1).float().mean() > 0.9


def test_the_distance_is_that_to_the_kth_neighbour(encoder):
    known = torch.rand(40, 16)
    fitted = fit_familiarity(encoder, known, torch.rand(10, 16))
    one = torch.rand(16)
    apart = one / one.norm() - known / known.norm(dim=1, keepdim=True)
    wanted = apart.norm(dim=1).sort().values[K - 1] / fitted.limit
    assert fitted.distances(one[None])[0] == pytest.approx(float(wanted), rel=1e-2)


def test_without_held_out_recordings_the_limit_comes_from_the_others(encoder):
    train = torch.rand(300, 16)
    fitted = fit_familiarity(encoder, train, torch.empty(0, 16))
    assert 0.95 < (_left_one_out(fitted, train) <= 1).float().mean() < 1


def _left_one_out(fitted: Familiarity, train):
    distances = torch.cdist(fitted.known.float(), fitted.known.float())
    return distances.kthvalue(K + 1, dim=1).values / fitted.limit


@pytest.mark.parametrize("count", [1, 3])
def test_few_training_recordings_will_do(encoder, count):
    fitted = fit_familiarity(encoder, torch.rand(count, 16), torch.empty(0, 16))
    assert torch.isfinite(fitted.distances(torch.rand(2, 16))).all()


def test_saved_and_loaded_it_is_the_same(fitted, encoder, tmp_path):
    fitted.save(tmp_path)
    loaded = load_familiarity(tmp_path, body_sha256(encoder.body.state_dict()))
    some = torch.rand(5, 16)
    assert torch.equal(loaded.distances(some), fitted.distances(some)) and loaded.limit == fitted.limit


def test_another_encoders_is_not_loaded(fitted, encoder, tmp_path):
    assert load_familiarity(tmp_path, body_sha256(encoder.body.state_dict())) is None
    fitted.save(tmp_path)
    encoder.findings[1].bias.data += 1  # the features stay
    assert load_familiarity(tmp_path, body_sha256(encoder.body.state_dict())) is not None
    next(encoder.body.parameters()).data *= 1.5
    assert load_familiarity(tmp_path, body_sha256(encoder.body.state_dict())) is None


def test_what_is_not_finite_is_unfamiliar(fitted):
    assert fitted.reasons(torch.full((16,), torch.nan))


def test_a_model_keeps_it(tiny_model, tmp_path):
    known = torch.rand(20, 2 * tiny_model.spec.encoder.width)
    tiny_model.save(tmp_path / "without")
    familiarity = fit_familiarity(tiny_model.ensemble.encoder, known, torch.empty(0, known.shape[1]))
    tiny_model.save(tmp_path / "with", familiarity=familiarity)
    strange = torch.eye(known.shape[1])[0]
    without, kept = load_model(tmp_path / "without"), load_model(tmp_path / "with")
    assert without.familiarity is None and without.unfamiliar(strange) == []
    assert kept.sha256 == without.sha256  # what a draft's words depend on is the same
    (reason,) = kept.unfamiliar(strange)
    assert reason.reason == "unfamiliar" and reason.verdict == LIMITED and kept.unfamiliar(known[0]) == []
    export_merged(tmp_path / "with", tmp_path / "merged")
    assert load_model(tmp_path / "merged").familiarity.limit == kept.familiarity.limit


def test_made_of_prepared_recordings(simulated, encoder):
    train = EcgSet([simulated], range(1, 9), CONFIG.rate, CONFIG.seconds)
    fitted = familiarity_of(encoder, train, [simulated])
    assert len(fitted.known) == len(train) and fitted.limit > 0
    again = rebuilt(CONFIG, {f"ensemble.encoder.{key}": value for key, value in encoder.state_dict().items()})
    assert body_sha256(again.body.state_dict()) == fitted.encoder_sha256


@pytest.fixture(scope="module")
def shipped():
    return load_model(default_model())


def distances(model, signals):
    ecgs, masks = first_windows(signals, model.spec.encoder.rate, model.spec.encoder.seconds)
    with torch.inference_mode():
        features = model.encode(torch.from_numpy(ecgs), torch.from_numpy(masks.astype(np.float32)))[2]
    return model.familiarity.distances(features)


def test_the_shipped_model_knows_ecgs_and_not_knocked_electrodes(shipped, example):
    records = [read_ecg(example.with_name(name)) for name in ("00041_lr", "00178_lr", "00195_hr")]
    assert (distances(shipped, [(one.signal, one.rate, "mV") for one in records]) <= 1).all()
    rng = np.random.default_rng(0)
    motion = NOISES["electrode motion"].add
    noisy = [(motion(one.signal.copy(), one.rate, 0.0, rng), one.rate, "mV") for one in records * 4]
    assert (
        distances(shipped, noisy) > 1
    ).float().mean() > 0.6  # on fold 9 88%; white noise it does not tell, others do


def test_the_shipped_model_is_small():
    sizes = [path.stat().st_size for path in default_model().rglob("*") if path.is_file()]
    assert sum(sizes) < 40_000_000 and (default_model() / FILE).stat().st_size < 2_000_000
