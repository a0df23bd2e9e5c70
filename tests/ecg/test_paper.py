"""The sheet is true to scale, says what it shows, and is written whole or not at all."""

import re
from dataclasses import replace
from datetime import datetime
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pytest

from meit.ecg import LEADS, read_ecg
from meit.ecg.paper import draw_paper
from meit.ecg.recording import Patient, assemble
from meit.errors import MeitError

MM = 72 / 25.4  # points of an SVG


@pytest.fixture
def good(ptb_xl_500):
    return read_ecg(ptb_xl_500)


def drawn(recording, tmp_path, **options):
    """(texts, {gid: (n, 2) points in mm, y upwards}) of the SVG."""
    tree = ElementTree.parse(draw_paper(recording, tmp_path / "sheet.svg", **options)).getroot()
    space = {"svg": "http://www.w3.org/2000/svg"}
    paths = {}
    for group in tree.iterfind(".//svg:g[@id]", space):
        path = group.find("svg:path", space)
        if path is not None and re.match("(pulse|lead|rhythm)-", group.get("id")):
            numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*", path.get("d"))]
            paths[group.get("id")] = np.array(numbers).reshape(-1, 2) / MM * [1, -1]
    assert float(tree.get("width").removesuffix("pt")) / MM == pytest.approx(297, abs=0.01)
    return [text.text for text in tree.iterfind(".//svg:text", space)], paths


def test_true_to_scale(good, tmp_path):
    _, paths = drawn(good, tmp_path)
    for row in range(1, 5):
        assert np.ptp(paths[f"pulse-{row}"][:, 1]) == pytest.approx(10, abs=0.01)  # 1 mV
        top = paths[f"pulse-{row}"][[2, 3], 0]
        assert np.ptp(top) == pytest.approx(5, abs=0.01)  # 0.2 s
    assert np.ptp(paths["rhythm-II"][:, 0]) == pytest.approx(250, abs=0.1)  # 10 s
    for lead in LEADS:
        assert np.ptp(paths[f"lead-{lead}"][:, 0]) == pytest.approx(62.5, abs=0.1)  # 2.5 s
    shown = good.lead("V2")[2500:3751]
    heights = paths["lead-V2"][:, 1]
    assert np.ptp(heights) == pytest.approx(10 * np.ptp(shown), abs=0.02)
    assert np.corrcoef(heights, shown)[0, 1] > 0.99999


def test_columns_follow_one_another_in_time(good, tmp_path):
    _, paths = drawn(good, tmp_path)
    starts = [paths[f"lead-{lead}"][0, 0] for lead in ("I", "aVR", "V1", "V4")]
    np.testing.assert_allclose(np.diff(starts), 62.5, atol=0.1)
    assert paths["rhythm-II"][0, 0] == pytest.approx(starts[0], abs=0.01)
    np.testing.assert_allclose(paths["lead-II"][:, 0], paths["rhythm-II"][: len(paths["lead-II"]), 0], atol=0.01)


def test_a_tall_lead_keeps_its_size(good, tmp_path):
    _, paths = drawn(replace(good, signal=good.signal * 4), tmp_path)
    assert np.ptp(paths["lead-V2"][:, 1]) == pytest.approx(40 * np.ptp(good.lead("V2")[2500:3751]), abs=0.05)


def test_says_what_it_shows(good, tmp_path):
    texts, _ = drawn(good, tmp_path)
    assert [text for text in texts if text in LEADS].count("II") == 2 and set(LEADS) <= set(texts)
    assert "patient not stated" in texts and "00001_hr" in texts
    assert any(text.startswith("25 mm/s   10 mm/mV") and "no filter" in text for text in texts)
    known = replace(good, name="$x_1$", patient=Patient("p$1$", 56.0, "F"), start=datetime(2020, 1, 2, 3, 4, 5))
    texts, _ = drawn(known, tmp_path)
    assert {"$x_1$", "Patient p$1$,  female,  56 years", "2020-01-02  03:04:05"} <= set(texts)


def test_names_that_xml_must_not_hold(good, tmp_path):
    texts, _ = drawn(replace(good, name="a\x01<b>&\ud800" + "x" * 100), tmp_path)
    assert any(text.startswith("a<b>&xxx") and len(text) == 60 for text in texts)


def test_missing_flat_and_derived_leads_are_shown_as_such(good, tmp_path):
    leads = {lead: good.lead(lead) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V6")} | {"V6": np.zeros(5000)}
    texts, paths = drawn(assemble(leads, 500, name="x", allow_missing=True), tmp_path)
    assert {"V5", "V6 – flat", "III (derived)", "not recorded"} <= set(texts)
    assert "lead-V5" not in paths and "lead-V4" in paths
    assert any("V5 is not recorded" in text for text in texts)


def test_short_long_and_gappy_recordings(good, tmp_path):
    texts, paths = drawn(replace(good, signal=good.signal[:3000]), tmp_path)
    assert "recording ended" in texts and "lead-V4" not in paths
    assert np.ptp(paths["rhythm-II"][:, 0]) == pytest.approx(150, abs=0.1)
    long = replace(good, signal=np.concatenate([good.signal] * 3))
    texts, paths = drawn(long, tmp_path, start_s=10)
    assert "10–20 s of 30 s,  500 Hz" in texts
    assert np.ptp(paths["rhythm-II"][:, 0]) == pytest.approx(250, abs=0.1)
    signal = good.signal.copy()
    signal[500:700] = np.nan
    _, paths = drawn(replace(good, signal=signal), tmp_path)
    assert np.diff(paths["rhythm-II"][:, 0]).max() == pytest.approx(201 / 500 * 25, abs=0.02)  # the line is broken


def test_the_same_recording_gives_the_same_svg(good, tmp_path):
    first, second = (draw_paper(good, tmp_path / name).read_bytes() for name in ("a.svg", "b.svg"))
    assert first == second


def test_png_is_a4_with_ink_on_it(good, tmp_path):
    image = matplotlib.image.imread(draw_paper(good, tmp_path / "sheet.png"))
    assert image.shape[1] / image.shape[0] == pytest.approx(297 / 210, abs=0.002) and image.shape[1] > 1700
    assert (image[..., :3].max(axis=-1) < 0.3).sum() > 5000
    assert [file.name for file in tmp_path.iterdir()] == ["sheet.png"]


def test_what_cannot_be_drawn_is_said_and_leaves_nothing(good, tmp_path):
    for path, start_s, words in (
        (tmp_path / "sheet.jpg", 0, "png or .svg"),
        (tmp_path / "none" / "sheet.png", 0, "cannot be written"),
        (tmp_path / "sheet.png", 10, "no sheet can start at 10 s"),
    ):
        with pytest.raises(MeitError, match=words):
            draw_paper(good, path, start_s)
    assert list(tmp_path.iterdir()) == []
