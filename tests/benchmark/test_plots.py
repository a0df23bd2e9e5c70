"""What the pictures show; that they are the same bytes for the same numbers."""

from meit.benchmark.finding_scores import by_code
from meit.benchmark.tables.plots import findings_figure, save_figure

REFERENCES = ["Atrial fibrillation."] * 4 + ["Sinus rhythm. Normal ECG."] * 6
DRAFTS = ["Atrial fibrillation."] * 3 + ["Sinus rhythm. Normal ECG."] * 7


def test_findings_with_their_f1_interval_and_count(tmp_path):
    scores = by_code(DRAFTS, REFERENCES, range(10))
    axes = findings_figure(scores).axes[0]
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["NORM (6)", "SR (6)", "AFIB (4)"]
    points = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert points[2] == scores["AFIB"].f1.value == 6 / 7


def test_the_same_numbers_give_the_same_bytes(tmp_path):
    scores = by_code(DRAFTS, REFERENCES, range(10))
    for name in ("one", "two"):
        save_figure(lambda: findings_figure(scores), tmp_path / name)
    for kind in ("png", "svg"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert ">AFIB (4)<" in (tmp_path / "one.svg").read_text()
