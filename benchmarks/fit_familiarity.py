"""What a model's encoder was trained on, kept beside a model that was made before `meit train` kept it itself.

python benchmarks/fit_familiarity.py MODEL DATA...      (prepared folders; docs/quality.md)
"""

import sys
from pathlib import Path

from safetensors.torch import load_file

from meit.data.splits import SPLITS
from meit.model.configuration import read_config
from meit.model.encoders.encoding import recordings_for
from meit.model.model_files import WEIGHTS
from meit.training.run import familiarity_of, rebuilt


def main(folder: str, *data: str) -> None:
    config = read_config(Path(folder)).encoder
    encoder = rebuilt(config, load_file(Path(folder) / WEIGHTS))
    train = recordings_for(config, data, SPLITS["train"])
    familiarity_of(encoder, train, data).save(Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
