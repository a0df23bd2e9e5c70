"""Batches give what each recording gives alone; a bad file among them is named and costs nothing else."""

import shutil

import pytest
import torch

import meit
from meit.drafting import report_writing
from meit.drafting.draft_files import draft_paths
from meit.drafting.report_writing import batches_by_length, write_reports


@pytest.fixture(scope="module")
def tiny(build):
    return build("llama")


@pytest.fixture
def model(tiny, few_words):
    return tiny


@pytest.mark.parametrize(("which", "batch"), [("shipped", 2), ("model", 1), ("model", 16)])
def test_batches_of_any_size_draft_the_same(request, which, example, tmp_path, batch):
    model = request.getfixturevalue(which)
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
            assert one.draft.recording.name == one.path.stem


def test_what_goes_wrong_with_one_recording_costs_that_one(model, example, monkeypatch):
    """Whatever is raised: the others of its batch are drafted as ever."""
    from meit.drafting import draft_files

    drafts = draft_files.draft_reports

    def fails_at_one(model, recordings, **options):
        if any(one.recording.name == "00178_lr" for one in recordings):
            raise ValueError("shapes (3,)\n and (4,)")
        return drafts(model, recordings, **options)

    monkeypatch.setattr(draft_files, "draft_reports", fails_at_one)
    paths = sorted(example.parent.glob("*.hea"))
    found = {one.path.stem: one for one in draft_paths(model, paths)}
    assert [path.stem for path in paths] == list(found)
    failed = found.pop("00178_lr")
    told = "could not be drafted (ValueError: shapes (3,) and (4,)); please report this"
    assert failed.draft is None and failed.error == f"{failed.path}: {told}"
    assert all(one.draft.report and one.error is None for one in found.values())
    monkeypatch.setattr(draft_files, "draft_reports", full_disk)
    with pytest.raises(OSError, match="No space"):
        list(draft_paths(model, paths))


def full_disk(*_, **__):
    raise OSError(28, "No space left on device")


def test_batches_hold_reports_of_like_length():
    """By expected findings, NORM and SR not among them; every recording once."""
    findings = ("NORM", "SR", "AFIB", "LBBB")
    probabilities = torch.tensor([[0, 1, 0.9, 0.8], [1, 1, 0, 0.1], [0, 0, 0.6, 0], [1, 0, 0, 0.2]])
    parts = [part.tolist() for part in batches_by_length(findings, probabilities, 2)]
    assert parts == [[1, 3], [2, 0]]


@pytest.mark.parametrize("count", [0, 5])
def test_an_encoder_without_findings_leaves_the_order(count):
    parts = [part.tolist() for part in batches_by_length((), torch.zeros(count, 0), 2)]
    assert parts == [[0, 1], [2, 3], [4]][: (count + 1) // 2] or (count == 0 and parts in ([], [[]]))


def test_reports_come_back_in_the_order_of_their_recordings(model):
    torch.manual_seed(0)
    config = model.spec.encoder
    probabilities = torch.rand(5, len(config.findings)) ** 4
    tokens = torch.randn(5, config.n_tokens, config.width)
    finished = []
    together = write_reports(model, probabilities, tokens, batch=2, done=finished.append)
    words = report_writing.MAX_NEW_TOKENS
    assert together == [model.generate(probabilities[i : i + 1], tokens[i : i + 1], words)[0] for i in range(5)]
    assert len(set(together)) > 1 and finished == [2, 2, 1]
