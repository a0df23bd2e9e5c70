"""The HTML page: what others wrote is text and nothing else; it asks for nothing; it prints as the PDF does."""

import re
import shutil
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from meit.ecg.recording import Patient
from meit.exports.document import Document, Signature
from meit.exports.html import write_html as write

EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">&amp;'"


def page(document):
    return write(document).decode()


@pytest.fixture(scope="module")
def evil(final):
    recording = replace(final.recording, name=EVIL, patient=Patient(id=EVIL))
    signature = Signature(EVIL, EVIL, final.signature.time)
    return Document(recording, f"Sinus rhythm. {EVIL}", final.draft, "amended", signature, EVIL, 3)


def test_it_asks_for_nothing(draft):
    text = page(draft)
    assert "<script" not in text and "<link" not in text and "<img" not in text and "@import" not in text
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", text))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, (
        "but the names of SVG's elements"
    )
    assert not re.search(r"url\((?!#)", text) and "default-src &#39;none&#39;;" in text


def test_the_drawing_is_well_formed_and_of_its_true_size(draft):
    svg = re.search(r"<svg .*</svg>", page(draft), flags=re.DOTALL).group()
    root = ElementTree.fromstring(svg)
    assert root.get("width") == "265mm" and root.get("height") == "100mm"
    scale = float(root.get("viewBox").split()[2]) / 265
    (pulse,) = [group for group in root.iter() if group.get("id") == "pulse-1"]
    numbers = re.findall(r"-?\d+\.?\d*", pulse.find("{*}path").get("d"))
    points = np.array([float(number) for number in numbers]).reshape(-1, 2) / scale
    assert np.ptp(points[:, 1]) == pytest.approx(10, abs=0.01) and np.ptp(points[2:4, 0]) == pytest.approx(5, abs=0.01)


ELEMENTS = {  # of a page that says nothing in particular, with the names of their attributes
    ("html", "lang"),
    ("head",),
    ("meta", "charset"),
    ("meta", "http-equiv", "content"),
    ("meta", "name", "content"),
    ("title",),
    ("body",),
    ("main", "class"),
    ("p", "class", "role"),
    ("header",),
    ("div",),
    ("h1",),
    ("p",),
    ("figure",),
    ("figcaption",),
    ("span",),
    ("div", "class"),
    ("section", "class"),
    ("h2",),
    ("ul", "class"),
    ("li",),
    ("footer",),
    ("li", "class"),
    ("span", "class", "title"),
    ("span", "class"),
    ("p", "class"),
    ("b", "class"),
}


class Seen(HTMLParser):
    """What a browser makes of a page: its elements with their attributes' names, and its text."""

    def __init__(self, document):
        super().__init__()
        self.elements, self.text = set(), ""
        self.feed(re.sub(r"<svg .*?</svg>|<style>.*?</style>", "", page(document), flags=re.DOTALL))

    def handle_starttag(self, tag, attributes):
        self.elements.add((tag, *(name for name, _ in attributes)))

    def handle_data(self, data):
        self.text += data


def said(text):
    return re.sub(r"\W", "", text).lower()


def test_it_says_what_the_pdf_says(pdf, draft, amended, unusable):
    for document in (draft, amended, unusable):
        _, (sheet,) = pdf(document)
        own = {"DRAFT", "DRAFT – not signed", *("I aVR V1 V4", "II aVL V2 V5", "III aVF V3 V6", "II")}
        there = said(Seen(document).text)
        for line in sheet.splitlines():
            assert line in own or said(line) in there, line


@settings(max_examples=12, deadline=None)
@given(st.text(max_size=80) | st.text("<>&'\"/=! aspi", max_size=40))
def test_any_text_is_text(unusable, text):
    recording = replace(unusable.recording, name=f"x{text}", signal=unusable.recording.signal[:600])
    seen = Seen(Document(recording, f"No {text}"))
    assert seen.elements <= ELEMENTS and said(text) in said(seen.text)


@pytest.fixture
def browser(tmp_path):
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("no Chromium here: apt-get install chromium chromium-driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--window-size=1366,768",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(driver))
    driver.set_page_load_timeout(120)
    yield driver
    driver.quit()


def test_in_a_browser(browser, evil, draft, tmp_path):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.print_page_options import PrintOptions

    (tmp_path / "evil.html").write_bytes(write(evil))
    browser.get((tmp_path / "evil.html").as_uri())
    assert browser.title.startswith("ECG report <script>") and not browser.find_elements(By.TAG_NAME, "img")
    assert EVIL in browser.find_element(By.TAG_NAME, "h1").text
    assert EVIL in browser.find_element(By.CSS_SELECTOR, ".report").text
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []

    (tmp_path / "draft.html").write_bytes(write(draft))
    browser.get((tmp_path / "draft.html").as_uri())
    assert "DRAFT – not signed" in browser.find_element(By.CSS_SELECTOR, ".strip").text
    for width in (1366, 820, 500):
        browser.set_window_size(width, 768)
        assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth"), width
    options = PrintOptions()
    options.shrink_to_fit, options.background = False, True
    options.page_width, options.page_height = 29.7, 21.0
    (sheet,) = PdfReader(BytesIO(b64decode(browser.print_page(options)))).pages
    assert float(sheet.mediabox.width) / 72 * 25.4 == pytest.approx(297, abs=0.5)
    assert "true to scale" in sheet.extract_text() and "Sinus rhythm." in sheet.extract_text()
