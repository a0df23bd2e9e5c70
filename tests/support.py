"""What several tests make their data with."""

from pathlib import Path


def write_prepared(folder: Path, examples: list) -> Path:
    """A prepared folder of examples that are no files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from meit.data import shards
    from meit.files import write_json

    folder.mkdir(exist_ok=True)
    folds = shards.write_shard(folder / "records-00000.arrow", examples)
    rows = [shards.report_row(example.report) for example in examples]
    pq.write_table(pa.Table.from_pylist(rows, shards.report_schema()), folder / shards.REPORTS)
    files = {name: shards.sha256(folder / name) for name in ("records-00000.arrow", shards.REPORTS)}
    counts = {"recordings": len(examples), "recordings_by_fold": {str(fold): n for fold, n in folds.items()}}
    about = {"format": shards.FORMAT, "source": "simulated", "unit": examples[0].unit, "rate_hz": examples[0].rate}
    write_json(folder / shards.MANIFEST, {**about, **counts, "reports": len(rows), "dropped": {}, "sha256": files})
    return folder
