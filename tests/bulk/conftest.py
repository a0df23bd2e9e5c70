"""A tiny model as `meit report` loads it, and a folder of recordings that differ."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def tiny_saved(build, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    build("llama").save(folder)
    return folder


@pytest.fixture(scope="session")
def recordings(tmp_path_factory) -> Path:
    """Six, of different rates, in folders below; changed long ago, so that their times can be trusted."""
    folder = tmp_path_factory.mktemp("recordings")
    for number in range(6):
        write_recording(folder / f"ward{number % 2}" / f"ecg{number}", 50 + 10 * number)
    return folder


def write_recording(path: Path, bpm: float) -> None:
    import os

    import wfdb
    from known_ecgs import regular

    from meit.ecg.recording import LEADS

    path.parent.mkdir(parents=True, exist_ok=True)
    signal = regular(bpm=bpm, rate=100.0, noise_mv=0.01).signal.astype(np.float64)
    units = ["mV"] * 12
    wfdb.wrsamp(path.name, 100, units, list(LEADS), p_signal=signal, fmt=["16"] * 12, write_dir=str(path.parent))
    for suffix in (".hea", ".dat"):
        os.utime(path.with_suffix(suffix), (1_700_000_000, 1_700_000_000))


@pytest.fixture(scope="session")
def bulk(tiny_saved):
    """Drafts a folder, as `meit report --out` does; what became of the recordings."""
    from meit.bulk.bookkeeping.places import Places
    from meit.bulk.bulk_run import BulkRun
    from meit.bulk.outcome import DraftTask
    from meit.exports.draft_targets import draft_targets

    def run(out: Path, kind: str, *places: Path, model=tiny_saved, strict=False, **options) -> dict[str, int]:
        task = DraftTask(model, kind, out, Places(out).temporary, strict)
        with BulkRun(task, **options) as one:
            one.plan(draft_targets(places, []))
            one.draft(lambda count: None)
            return one.counts()

    return run
