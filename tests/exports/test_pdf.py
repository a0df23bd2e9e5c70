"""The PDF, read back: true to scale, searchable, a draft until it is signed, all of a long text in it."""

from dataclasses import replace

import numpy as np
import pytest

from meit.ecg.recording import LEADS, Patient
from meit.exports.document import Document
from meit.exports.typeset import Style, TextLine, columns, width_mm, wrapped

MM = 72 / 25.4  # points


@pytest.fixture(scope="module")
def words(pdf):
    """document -> all its text in one line."""
    return lambda document: " ".join(" ".join(pdf(document)[1]).split())


def paths(page):
    """(n, 2) mm from the lower left corner, of everything drawn with lines."""
    found, points = [], []
    for operands, operator in page.get_contents().operations:
        if operator in (b"m", b"l"):
            points.append([float(value) / MM for value in operands])
        elif operator == b"cm":
            assert not found or operands != [], "no path is drawn in scaled coordinates"
        elif operator in (b"S", b"f") and points:
            found.append(np.array(points))
            points = []
    return found


@pytest.fixture(scope="module")
def drawn(pdf, draft):
    return paths(pdf(draft)[0][0])


@pytest.fixture(scope="module")
def long(draft):
    return replace(draft, text=" ".join(f"Finding {number} of a long report." for number in range(120)))


def test_one_page_of_a4(pdf, draft):
    (page,), _ = pdf(draft)
    assert [float(value) / MM for value in page.mediabox[2:]] == pytest.approx([297, 210], abs=0.01)
    assert page.get("/UserUnit", 1) == 1 and not page.rotation


def test_true_to_scale(drawn, block):
    upright = sorted({round(one[0, 0], 3) for one in drawn if len(one) == 2 and np.ptp(one[:, 1]) > 90})
    level = sorted({round(one[0, 1], 3) for one in drawn if len(one) == 2 and np.ptp(one[:, 0]) > 260})[1:]
    assert len(upright) == 266 and np.diff(upright) == pytest.approx(1, abs=0.002)  # 40 ms
    assert len(level) == 101 and np.diff(level) == pytest.approx(1, abs=0.002)  # 0.1 mV
    pulses = [one for one in drawn if len(one) == 6]
    assert len(pulses) == 4
    for pulse in pulses:
        assert np.ptp(pulse[:, 1]) == pytest.approx(10, abs=0.002)  # 1 mV
        assert np.ptp(pulse[2:4, 0]) == pytest.approx(5, abs=0.002)  # 0.2 s
    rhythm = max(drawn, key=len)
    assert len(rhythm) == 5000 and np.ptp(rhythm[:, 0]) == pytest.approx(25 * 4999 / 500, abs=0.01)
    assert np.ptp(rhythm[:, 1]) == pytest.approx(10 * np.ptp(block.lead("II")), abs=0.01)


def test_it_fits_letter_paper_too(drawn, pdf, long):
    """279.4 x 215.9 mm, printed in the middle and at actual size, with 6 mm that printers cannot reach."""
    for sheet in (drawn, paths(pdf(long)[0][1])):
        ink = np.concatenate([one for one in sheet if np.ptp(one[:, 0]) < 296])  # but the page itself
        assert ink[:, 0].min() > 148.5 - 133.7 and ink[:, 0].max() < 148.5 + 133.7
        assert ink[:, 1].min() > 6 and ink[:, 1].max() < 204


def test_what_it_says(words, draft, block):
    text = words(draft)
    for part in (*LEADS, "25 mm/s 10 mm/mV", "00195_hr", "patient not stated", "Sinus rhythm.", "90%", "QRS 146 ms"):
        assert part in text, part
    for warning in draft.current.warnings:
        assert warning in text
    assert "some model 7 (0123456789ab)" in text
    known = replace(block, patient=Patient("p$1$", 56.0, "F"))
    assert "Patient p$1$, female, 56 years" in words(Document(known, "Fine. Flutter, first-degree."))


def test_a_draft_until_it_is_signed(words, draft, final, amended):
    assert words(draft).count("DRAFT") == 2 and "DRAFT – not signed" in words(draft)
    text = words(final)
    assert "DRAFT" not in text and "Final report" in text and "TO BE CHECKED" not in text
    assert "Signed by Dr. Ada Müller, cardiologist, 2026-03-01 12:30 UTC." in text
    text = words(amended)
    assert "Amended report, version 2" in text and "amended: Read again <b>by two</b>." in text
    assert "'First degree AV block' but PR" in text and "NOTED BY THE SOFTWARE" in text


def test_a_long_report_is_all_there(words, pdf, long):
    text = words(long)
    assert all(sentence.rstrip(".") in text for sentence in long.text.split(". ")) and "REPORT, CONTINUED" in text
    count = len(pdf(long)[0])
    assert count == 3 and f"page 2 of {count}" in text
    assert text.count("DRAFT – not signed") == count, "every page says that it is a draft"


def test_missing_leads_and_tall_leads(words, block):
    signal = block.signal * 12
    signal[:, 8] = np.nan
    text = words(Document(replace(block, signal=signal), "Sinus rhythm."))
    assert "not recorded" in text and "taller than the grid and cut:" in text


def test_an_unusable_recording(words, unusable):
    text = words(unusable)
    assert "No report was drafted: the recording is unusable." in text and "WHY" in text
    assert unusable.current.warnings[0] in text and "FINDINGS" not in text and "MEASURED" not in text


def test_characters_that_no_page_holds(words, block):
    text = words(Document(replace(block, name="a\x00b\ud800"), "Rhythmus: Größe ≥ 2\x07 mV, 心電図."))
    assert "a b" in text and "Größe ≥ 2 mV, □□□." in text


def test_lines_fit_their_column():
    text = "word " * 30 + "x" * 200
    lines = wrapped(text, 40, 8)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(width_mm(line, 8) <= 40 for line in lines) and len(lines) > 5


def test_columns_lose_no_line_and_end_in_no_heading():
    body, heading = Style(8, 4, "black"), Style(8, 4, "black", before=2, sticks=True)
    lines = [
        TextLine(((0, str(n), "black"),), heading if n in (4, 9) else body, 2.0 if n in (4, 9) else 0)
        for n in range(30)
    ]
    parts = list(columns(lines, [23, 18] + [41] * 9))
    assert [line for part in parts for line in part] == lines
    assert [len(part) for part in parts[:2]] == [4, 4] and not any(part[-1].style.sticks for part in parts)
