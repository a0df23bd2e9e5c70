"""What several tests make their data with."""

from pathlib import Path

import pytest

from meit.ecg import read_ecg
from meit.errors import RecordingError

FEW_WORDS = 12  # of a random model, which never ends a report by itself


def write_prepared(folder: Path, examples: list) -> Path:
    """A prepared folder of examples that are no files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from meit.atomic import write_json
    from meit.data import shards

    folder.mkdir(exist_ok=True)
    folds = shards.write_shard(folder / "records-00000.arrow", examples)
    rows = [shards.report_row(example.report) for example in examples]
    pq.write_table(pa.Table.from_pylist(rows, shards.report_schema()), folder / shards.REPORTS)
    files = {name: shards.sha256(folder / name) for name in ("records-00000.arrow", shards.REPORTS)}
    counts = {"recordings": len(examples), "recordings_by_fold": {str(fold): n for fold, n in folds.items()}}
    about = {
        "format": shards.SHARDS_FORMAT,
        "source": "simulated",
        "unit": examples[0].unit,
        "rate_hz": examples[0].rate,
    }
    write_json(folder / shards.MANIFEST, {**about, **counts, "reports": len(rows), "dropped": {}, "sha256": files})
    return folder


def reason(path: Path, **options) -> str:
    """Why a file is refused: one line that names it once."""
    with pytest.raises(RecordingError) as caught:
        read_ecg(path, **options)
    message = str(caught.value)
    assert message.startswith(str(path)) and message.count(str(path)) == 1 and "\n" not in message, message
    return message
