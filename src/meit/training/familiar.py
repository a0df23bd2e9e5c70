"""What a finished encoder was trained on, kept so that recordings unlike it can be told (meit.model.familiarity).

python -m meit.training.familiar MODEL DATA...      (prepared folders; for a model that was trained before)
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from meit.data.batches import EcgSet, NoRecordings
from meit.data.splits import SPLITS
from meit.model.encoder import EcgEncoder, EncoderConfig
from meit.model.familiarity import MOST_KEPT, Familiarity, fit_familiarity
from meit.training.features import encode_all

MOST_HELD_OUT = 5_000


def familiarity_of(encoder: EcgEncoder, train: EcgSet, data: Sequence[Path | str]) -> Familiarity:
    """train: what the encoder was trained on. data: prepared folders, whose validation fold says how far is too far."""
    config = encoder.config
    try:
        validation = EcgSet(data, SPLITS["validation"], config.rate, config.seconds)
        others = _features(encoder, validation, MOST_HELD_OUT)
    except NoRecordings:
        others = torch.empty(0, 2 * config.width)
    return fit_familiarity(encoder, _features(encoder, train, MOST_KEPT), others)


def rebuilt(config: EncoderConfig, state: dict[str, Tensor]) -> EcgEncoder:
    """The encoder out of a whole model's state, whose weights may have been scattered over several processes; without
    what features do not depend on: further members, and what takes measurements into account."""
    encoder = EcgEncoder(replace(config, measures=(), members=1))
    own = {key: state[f"encoder.{key}"] for key in encoder.state_dict()}
    encoder.load_state_dict({key: value.float() if value.is_floating_point() else value for key, value in own.items()})
    return encoder.eval()


def _features(encoder: EcgEncoder, data: EcgSet, most: int) -> Tensor:
    chosen = np.sort(np.random.default_rng(0).permutation(len(data))[:most])
    return encode_all(encoder, data, chosen)[2]


def main(folder: str, *data: str) -> None:
    from safetensors.torch import load_file

    from meit.model.report_model import WEIGHTS, read_config

    config = read_config(Path(folder)).encoder
    encoder = rebuilt(config, load_file(Path(folder) / WEIGHTS))
    train = EcgSet(data, SPLITS["train"], config.rate, config.seconds)
    familiarity_of(encoder, train, data).save(Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
