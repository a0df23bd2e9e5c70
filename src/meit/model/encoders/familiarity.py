"""How far a recording lies from what the encoder was trained on: its nearest neighbours among the training recordings.

The distance is that to the K-th nearest training recording (deep nearest neighbours: Sun, Ming, Zhu, Li, ICML 2022), of
the encoder's retrieval features, each of unit length. On fold 9 it told noisy and foreign signals better than scaled
features, Mahalanobis distances and residuals off principal components did (docs/quality.md). It is kept with the model,
and belongs to one encoder: with another one's it is not loaded.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from meit.ecg.quality import Reason, because
from meit.model.encoders.encoder import EcgEncoder

FILE = "familiarity.safetensors"
K = 5
QUANTILE = 0.99  # of recordings that the encoder was not trained on, but of the same source, are called familiar
MOST_KEPT = 20_000  # training recordings: 15 MB at the shipped encoder's width


@dataclass(frozen=True, eq=False)
class Familiarity:
    """known: (N, D) features of the training set, of unit length, float16. limit: the distance beyond which a recording
    is unfamiliar. encoder_sha256: of the encoder that made them."""

    known: Tensor
    limit: float
    encoder_sha256: str

    def distances(self, features: Tensor) -> Tensor:
        """(B, D) retrieval features -> (B,) distances, as multiples of the limit."""
        return _kth(_unit(features), self.known.float(), K) / self.limit

    def reasons(self, features: Tensor) -> list[Reason]:
        """Of one recording (D,): that it is unfamiliar, or nothing."""
        distance = float(self.distances(features[None])[0])
        return [because("unfamiliar", value=distance)] if not distance <= 1 else []

    def save(self, folder: Path) -> None:
        from safetensors.torch import save_file

        about = {"limit": repr(self.limit), "encoder_sha256": self.encoder_sha256, "k": str(K), "length": "1"}
        save_file({"known": self.known.contiguous()}, Path(folder) / FILE, about)


def fit_familiarity(encoder: EcgEncoder, train: Tensor, others: Tensor) -> Familiarity:
    """train (N, D): features of the training set. others (M, D): of recordings that were held out; without any (M = 0)
    the limit is taken from the training set, each recording compared with the others."""
    some = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:MOST_KEPT].sort().values
    known = _unit(train[some]).half()
    fitted = Familiarity(known, 1.0, body_sha256(encoder.body.state_dict()))
    if len(others):
        distances = fitted.distances(others)
    else:  # each is its own nearest neighbour
        distances = _kth(_unit(train[some]), known.float(), K + 1)
    limit = max(float(torch.quantile(distances, QUANTILE)), 1e-6)
    return Familiarity(known, limit, fitted.encoder_sha256)


def load_familiarity(folder: Path, encoder_sha256: str) -> Familiarity | None:
    """What lies with a model; None where there is none, or that of another encoder."""
    from safetensors import safe_open

    path = Path(folder) / FILE
    if not path.exists():
        return None
    with safe_open(path, "pt") as file:
        about = file.metadata()
        if about["encoder_sha256"] != encoder_sha256 or about["k"] != str(K) or about.get("length") != "1":
            return None
        known = file.get_tensor("known")
    return Familiarity(known, float(about["limit"]), about["encoder_sha256"])


def body_sha256(body: Mapping[str, Tensor]) -> str:
    """Of an encoder's body, the weights that make the features, as they are saved, in bfloat16: loading and saving leave
    it as it is."""
    digest = hashlib.sha256()
    for name, value in sorted(body.items()):
        kept = value.to(torch.bfloat16).float() if value.is_floating_point() else value
        digest.update(name.encode())
        digest.update(kept.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _unit(features: Tensor) -> Tensor:
    return torch.nn.functional.normalize(features.float())


def _kth(features: Tensor, known: Tensor, k: int) -> Tensor:
    """(B, D), (N, D) -> (B,) distance to the k-th nearest (the farthest, where there are fewer)."""
    parts: Sequence[Tensor] = features.split(256)
    return torch.cat([torch.cdist(part, known).kthvalue(min(k, len(known)), dim=1).values for part in parts])
