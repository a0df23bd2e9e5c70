"""Recordings in one NumPy file, joined by id with PTB-XL's table -> prepared shards."""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from meit.data.prepare import prepare as prepare_shards
from meit.data.prepare_settings import PrepareSettings, Read
from meit.data.shards import Report
from meit.data.sources.ptb_xl import WITHOUT_REPORT, read_table
from meit.ecg.recording import LEADS, canonical_lead
from meit.errors import DataError

KEYS = ("ecg_id", "x", "scale", "leads", "fs")


def prepare(file: Path, table: Path, out: Path, unit: str, engine: str = "local") -> dict:
    """`file`: .npz with ecg_id (N,), x (N, n_samples, 12) integers, scale (multiplies x), leads (12,), fs in Hz.

    unit: "mV", or "z" where each lead was band-passed and z-scored; the file does not state it, so the caller must.
    Returns the manifest. Raises DataError.
    """
    arrays = _load(Path(file))
    asked = [str(record_id) for record_id in arrays["ecg_id"]]
    known = read_table(table, frozenset(asked))
    drops: Counter[str] = Counter()

    def planned() -> Iterator[tuple[Report, str]]:
        for index, record_id in enumerate(asked):
            if record_id in known.reports:
                yield known.reports[record_id], f"{file}#{index}"
            else:
                drops[
                    WITHOUT_REPORT if record_id in known.without_report else "recording without a row in the table"
                ] += 1

    settings = PrepareSettings(Path(file).name, str(file), float(arrays["fs"]), unit, keeps_reports=False)
    return prepare_shards(planned(), drops, Path(out), settings, engine, read_array)


def read_array(place: str, settings: PrepareSettings) -> Read:
    """FILE.npz#INDEX -> (n_samples, 12) float32, in the order of LEADS; the file knows no age and no sex."""
    file, _, index = place.rpartition("#")
    arrays = _load(Path(file))
    scale = np.asarray(arrays["scale"], dtype=np.float32)
    gain = scale[int(index)] if scale.ndim and len(scale) == len(arrays["x"]) else scale
    return Read((arrays["x"][int(index)] * gain)[:, arrays["order"]].astype(np.float32))


@lru_cache(maxsize=1)
def _load(file: Path) -> dict:
    try:
        with np.load(file) as opened:
            arrays = {key: opened[key] for key in KEYS}
    except FileNotFoundError:
        raise DataError(f"{file} does not exist") from None
    except (ValueError, OSError, KeyError, EOFError, BadZipFile) as error:
        raise DataError(f"{file} is no .npz with the keys {', '.join(KEYS)}: {error}") from None
    x = arrays["x"]
    if x.ndim != 3 or x.shape[2] != len(LEADS) or len(x) != len(arrays["ecg_id"]):
        raise DataError(f"{file}: x must be (recordings, samples, 12) with one ecg_id each, found {x.shape}")
    names = [canonical_lead(str(name)) for name in arrays["leads"]]
    if sorted(map(str, names)) != sorted(LEADS):
        raise DataError(f"{file}: leads must name the twelve standard leads, found {list(arrays['leads'])}")
    return {**arrays, "order": [names.index(lead) for lead in LEADS]}
