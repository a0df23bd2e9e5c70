"""Batches give what each recording gives alone; a bad file among them is named and costs nothing else."""

import shutil

import pytest

import meit
from meit.drafting.many import draft_paths


@pytest.fixture(scope="module")
def model():
    from meit.cli import default_model

    return meit.load_model(default_model())


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_batches_of_any_size_draft_the_same(model, example, tmp_path, batch):
    for file in example.parent.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "00100_bad.hea").write_text("00100_bad 12 500 5000\n")
    paths = sorted(tmp_path.glob("*.hea"))
    found = list(draft_paths(model, paths, batch))
    assert [one.path for one in found] == paths
    for one in found:
        if "bad" in one.path.name:
            assert one.draft is None and "00100_bad" in one.error
        else:
            assert one.error is None
            assert one.draft.report == meit.draft_report(model, meit.read_ecg(one.path)).report
            assert one.draft.recording["name"] == one.path.stem
