"""A study goes out blinded, is rated in a real browser, and comes back as means and agreement."""

import base64
import csv
import json
import re
import shutil
import time
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest
from support import write_prepared

from meit.benchmark.raters import rating_study as study
from meit.benchmark.raters import ratings
from meit.benchmark.raters.rating_study import export_study
from meit.benchmark.raters.ratings import krippendorff_alpha, read_ratings, read_study_key, score_study
from meit.benchmark.raters.rubric import rubric
from meit.data.shards import Example, Report
from meit.errors import DataError

AXES = rubric().keys
CODES = {"NORM": 24, "IMI": 8, "LVH": 6, "SR": 2}
PATIENT_OF = {1: 0, 3: 2}  # the recordings that are not the first of their patient


def beats(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    beat = np.exp(-((np.arange(1000) / 100 % 0.9 - 0.45) ** 2) / 0.0004)
    return (beat[:, None] * rng.uniform(0.5, 1.5, 12) + rng.normal(0, 0.01, (1000, 12))).astype(np.float32)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Forty recordings of 38 patients; every fourth is z-scored."""
    codes = [code for code, count in CODES.items() for _ in range(count)]
    folders = []
    for unit in ("mV", "z"):
        examples = []
        for number, code in enumerate(codes):
            if (number % 4 == 3) == (unit == "z"):
                patient = f"patient{PATIENT_OF.get(number, number)}"
                report = Report(
                    f"record{number}", patient, 10, f"{code} {number}.", "", "en", 1.0, {code: 100.0}, age=50.0, sex="F"
                )
                examples.append(Example(report, beats(number) * (5 if unit == "z" else 1), 100.0, unit))
        folders.append(write_prepared(tmp_path_factory.mktemp(unit) / "data", examples))
    return folders


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluated")
    codes = [code for code, count in CODES.items() for _ in range(count)]
    rows = [
        {"record_id": f"record{n}", "reference": f"{code} {n}.", "model": f'Draft </script> {n}, "ST".\nEnd: ü.'}
        for n, code in enumerate(codes)
    ]
    (folder / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "results.json").write_text(json.dumps({"model": {"name": "tiny", "sha256": "abc"}}))
    return folder


@pytest.fixture(scope="module")
def exported(evaluated, prepared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "out"
    said = export_study(evaluated, prepared, folder, n=12, seed=3)
    assert "24 items of 12 recordings" in said
    return folder


def key_of(folder):
    return json.loads((folder / "key.json").read_text())


def sheet_of(folder) -> dict:
    return json.loads(re.search(r"const STUDY = (.*);\n", (folder / "sheet.html").read_text()).group(1))


def svg_of(uri: str) -> str:
    return base64.b64decode(uri.removeprefix("data:image/svg+xml;base64,")).decode()


def write_ratings(path, key, mark, rater="a", delimiter=",", encoding="utf-8-sig", names=True):
    with path.open("w", encoding=encoding, newline="") as file:
        table = csv.writer(file, delimiter=delimiter)
        table.writerow(["study", "rater", "item", *AXES, "comment"])
        for place, item in enumerate(key["items"]):
            marks = mark(place, item)
            if marks is not None:
                marks = [marks] * 4 if not isinstance(marks, list) else marks
                table.writerow([key["study"], rater if names else "", item["item"], *marks, 'a;b, "c"\nd'])
    return path


def test_sample_is_stratified_in_proportion(exported):
    strata = Counter(item["stratum"] for item in key_of(exported)["items"] if item["source"] == "model")
    # of 40: 24, 8, 6, 2, less two patients' second recordings; 12 drawn
    assert strata == {"NORM": 7, "MI": 2, "HYP": 2, study.NO_CLASS: 1}


@pytest.fixture(scope="module")
def all_of_six(evaluated, prepared, tmp_path_factory):
    """A study of whatever it may hold of the first six recordings, which are of four patients."""
    folder = tmp_path_factory.mktemp("six")
    shutil.copy(evaluated / "results.json", folder)
    rows = (evaluated / "predictions.jsonl").read_text().splitlines(keepends=True)
    (folder / "predictions.jsonl").write_text("".join(rows[:6]))
    export_study(folder, prepared, folder / "all", n=1000)
    return folder / "all"


def test_one_recording_a_patient(all_of_six):
    records = {item["record_id"] for item in key_of(all_of_six)["items"]}
    numbers = [int(record.removeprefix("record")) for record in records]
    assert len(numbers) == len({PATIENT_OF.get(number, number) for number in numbers}) == 4


def test_raters_see_nothing_that_unblinds(exported):
    key, sheet = key_of(exported), sheet_of(exported)
    with (exported / "ratings.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    for shown in (sheet["items"], table):
        assert [row["item"] for row in shown] == [item["item"] for item in key["items"]]
        assert [row["text"] for row in shown] == [item["text"] for item in key["items"]]
    assert set(sheet["items"][0]) == {"item", "ecg", "text"}
    for path in ("sheet.html", "ratings.csv"):
        text = (exported / path).read_text()
        assert not re.search(r"record\d|patient\d|tiny", text)
    for uri in sheet["ecgs"].values():
        assert not re.search(r"record\d|patient\d", svg_of(uri)) and "50 years" in svg_of(uri)
    assert len({item["item"] for item in key["items"]}) == 24
    first, second = key["items"][:12], key["items"][12:]
    for half in (first, second):  # a recording is not shown twice before all were shown once
        assert len({item["record_id"] for item in half}) == 12
        assert 2 <= sum(item["source"] == "model" for item in half) <= 10
    sources = [item["source"] for item in key["items"]]
    assert sources != sorted(sources) and sources != sorted(sources, reverse=True)


def test_the_seed_decides(exported, evaluated, prepared, tmp_path):
    export_study(evaluated, prepared, tmp_path / "same", n=12, seed=3)
    export_study(evaluated, prepared, tmp_path / "other", n=12, seed=4)
    assert (tmp_path / "same" / "sheet.html").read_bytes() == (exported / "sheet.html").read_bytes()
    assert key_of(tmp_path / "same") == key_of(exported)
    assert key_of(tmp_path / "other")["study"] != key_of(exported)["study"]
    with pytest.raises(DataError, match="another study"):
        export_study(evaluated, prepared, tmp_path / "other", n=12, seed=3)


def test_z_scored_recordings_say_that_they_have_no_scale(exported):
    key, sheet = key_of(exported), sheet_of(exported)
    seen = Counter()
    for item in key["items"]:
        svg = svg_of(sheet["ecgs"][item["ecg"]])
        ElementTree.fromstring(svg)
        z = int(item["record_id"].removeprefix("record")) % 4 == 3
        assert ("pulse-1" in svg) != z and ("10 mm/mV" in svg) != z and ("NO AMPLITUDE SCALE" in svg) == z
        assert "lead-V6" in svg and "rhythm-II" in svg
        seen[z] += 1
    assert seen[True] and seen[False]


def test_what_cannot_be_exported(evaluated, prepared, tmp_path):
    with pytest.raises(DataError, match="predictions.jsonl: no such file; 'meit evaluate' writes it"):
        export_study(tmp_path, prepared, tmp_path / "out")
    with pytest.raises(DataError, match="no drafts of 'modell'; it has model"):
        export_study(evaluated, prepared, tmp_path / "out", system="modell")
    with pytest.raises(DataError, match=r"\d+ of 40 drafted recordings .* are not in"):
        export_study(evaluated, prepared[:1], tmp_path / "out")
    (tmp_path / "predictions.jsonl").write_text("[]\n")
    with pytest.raises(DataError, match="run it again"):
        export_study(tmp_path, prepared, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_score_gives_means_by_source(exported, tmp_path):
    key = key_of(exported)
    one = write_ratings(tmp_path / "a.csv", key, lambda n, item: 5 if item["source"] == "reference" else [1, 2, 3, 4])
    two = write_ratings(tmp_path / "b.csv", key, lambda n, item: 5 if item["source"] == "reference" else 2, "b")
    table = score_study(exported, [one, two], tmp_path / "out")
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["task"] == "expert" and results["n"] == 12 and results["raters"] == ["a", "b"]
    assert results["model"] == {"name": "tiny", "sha256": "abc"}
    assert [results["metrics"][axis]["value"] for axis in AXES] == [1.5, 2, 2.5, 3]
    assert {results["sources"]["reference report"][axis]["value"] for axis in AXES} == {5}
    assert results["sources"]["draft minus reference"][AXES[0]]["value"] == -3.5
    assert "2 raters (a, b), 24 of 24 items" in table and "weighted kappa, a and b" in table


def test_intervals_are_over_recordings(exported, tmp_path):
    key = key_of(exported)
    marks = {record: 1 + n % 5 for n, record in enumerate(sorted({item["record_id"] for item in key["items"]}))}
    files = [
        write_ratings(tmp_path / f"{rater}.csv", key, lambda n, item: marks[item["record_id"]], rater)
        for rater in "abc"
    ]
    score_study(exported, files, tmp_path / "out")
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    low, high = results["metrics"][AXES[0]]["ci95"]
    # three raters who agree are no more recordings: the standard error is that of 12
    expected = 2 * 1.96 * np.std(list(marks.values())) / 12**0.5
    assert high - low == pytest.approx(expected, rel=0.15)
    assert results["agreement"]["Krippendorff's alpha"][AXES[0]] == {"value": 1.0, "ci95": [1.0, 1.0]}


def test_excel_files_open_axes_and_missing_names(exported, tmp_path):
    key = key_of(exported)
    path = write_ratings(
        tmp_path / "anna.csv", key, lambda n, item: ["", 4, "", 5] if n < 3 else [""] * 4, delimiter=";", names=False
    )
    raters, values = read_ratings(key, [path])
    assert raters == ["anna"]
    np.testing.assert_array_equal(values[0, :3], [[np.nan, 4, np.nan, 5]] * 3)
    assert np.isnan(values[0, 3:]).all()
    assert "No two raters" in score_study(exported, [path], tmp_path / "out")


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (lambda n, item: 6, r"line 3: '6' is no rating; whole numbers from 1 to 5 are"),
        (lambda n, item: [1, 2, 2.5, 3], r"'2.5' is no rating"),
        (lambda n, item: "good", r"'good' is no rating"),
        (lambda n, item: "nan", r"'nan' is no rating"),
        (lambda n, item: [""] * 4, r"holds no rating"),
    ],
)
def test_wrong_ratings_are_refused(exported, tmp_path, mark, said):
    key = key_of(exported)
    with pytest.raises(DataError, match=said):
        score_study(exported, [write_ratings(tmp_path / "r.csv", key, mark)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_wrong_files_are_refused(exported, tmp_path):
    key = key_of(exported)
    good = write_ratings(tmp_path / "good.csv", key, lambda n, item: 3)
    with pytest.raises(DataError, match=r"twin.csv, line \d+: a rated item .* before"):
        read_ratings(key, [good, shutil.copy(good, tmp_path / "twin.csv")])
    with pytest.raises(DataError, match="is not of study other"):
        read_ratings(key | {"study": "other"}, [good])
    with pytest.raises(DataError, match="save it as 'CSV UTF-8'"):
        (tmp_path / "latin.csv").write_bytes("item,comment\nx,für\n".encode("latin-1"))
        read_ratings(key, [tmp_path / "latin.csv"])
    with pytest.raises(DataError, match="has no column completeness"):
        (tmp_path / "short.csv").write_text("item,medical_terminology,logical_consistency,diagnostic_accuracy\n")
        read_ratings(key, [tmp_path / "short.csv"])
    with pytest.raises(DataError, match="cannot be read"):
        read_ratings(key, [tmp_path / "absent.csv"])
    with pytest.raises(DataError, match="give the folder that 'meit study export' wrote"):
        read_study_key(tmp_path)


KRIPPENDORFF = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""


def test_alpha_as_published():
    """The worked example of Krippendorff (2011), section C and D: ordinal alpha .815."""
    lines = KRIPPENDORFF.strip().split("\n")
    table = [[np.nan if mark == "." else float(mark) for mark in line.split()] for line in lines]
    assert krippendorff_alpha(np.array(table)) == pytest.approx(0.815, abs=0.0005)
    assert np.isnan(krippendorff_alpha(np.full((2, 5), 3.0)))
    assert krippendorff_alpha(np.array([[1.0, 5, 1, 5], [5.0, 1, 5, 1]])) < -0.5


def test_kappa_by_hand():
    """Two raters, four items, marks 1 1 2 2 and 1 2 2 2: quadratic weights leave 1 - (1/4) / (8/16) = .5."""
    assert ratings.weighted_kappa(np.array([[1.0, 1, 2, 2], [1.0, 2, 2, 2]])) == pytest.approx(0.5)
    assert np.isnan(ratings.weighted_kappa(np.full((2, 4), 3.0)))


def test_kappa_is_scikit_learns():
    from sklearn.metrics import cohen_kappa_score

    for marks in np.random.default_rng(0).integers(1, 6, (50, 2, 20)):
        expected = cohen_kappa_score(*marks, labels=ratings.SCALE, weights="quadratic")
        assert ratings.weighted_kappa(marks.astype(float)) == pytest.approx(expected)


@pytest.fixture
def browser(tmp_path):
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("no Chromium here: apt-get install chromium chromium-driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1700"):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"download.default_directory": str(tmp_path / "downloads")})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(driver))
    driver.set_page_load_timeout(120)
    yield driver
    driver.quit()


def test_rating_in_a_browser(browser, exported, tmp_path):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    def find(selector):
        return browser.find_element(By.CSS_SELECTOR, selector)

    def press(*keys):
        find("body").send_keys(*keys)

    key = key_of(exported)
    browser.get((exported / "sheet.html").as_uri())
    assert browser.execute_script("return document.querySelector('#ecg img').naturalWidth") > 500
    assert find("#report").text == key["items"][0]["text"]

    find("#rater").send_keys("Dr. Ü 123")  # digits typed into a field are no ratings
    find("#download")
    assert find("#progress").text == "0 of 24 rated"
    find("#comment").click()
    press_comment = 'says "1", 2;\n3 ü'
    find("#comment").send_keys(press_comment, Keys.ESCAPE)
    find(f"#axis-{AXES[0]} legend").click()
    press("4", "3", "2", "1")
    assert find("#progress").text == "1 of 24 rated"
    press(Keys.ARROW_RIGHT)
    assert find("#report").text == key["items"][1]["text"] and not find("#comment").get_attribute("value")
    for axis in AXES:  # by mouse
        find(f"input[name={axis}][value='5']").find_element(By.XPATH, "..").click()
    find(f"#axis-{AXES[2]} .clear").click()
    assert find("#progress").text == "1 of 24 rated"

    browser.refresh()
    assert find("#progress").text == "1 of 24 rated" and find("#rater").get_attribute("value") == "Dr. Ü 123"
    assert find("#report").text == key["items"][1]["text"]
    assert find(f"input[name={AXES[3]}][value='5']").is_selected()
    press(Keys.ARROW_LEFT)
    assert find(f"input[name={AXES[1]}][value='3']").is_selected()
    assert find("#comment").get_attribute("value") == press_comment

    find("#download").click()
    deadline = time.monotonic() + 20
    while not (saved := list((tmp_path / "downloads").glob("*.csv"))) and time.monotonic() < deadline:
        time.sleep(0.1)
    raters, values = read_ratings(key, saved)
    assert raters == ["Dr. Ü 123"]
    np.testing.assert_array_equal(values[0, :2], [[4, 3, 2, 1], [5, 5, np.nan, 5]])
    assert np.isnan(values[0, 2:]).all()
    assert "2 of 24 items" in score_study(exported, saved, tmp_path / "out")
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert not browser.execute_script("return performance.getEntriesByType('resource').some(e => /^http/.test(e.name))")


def test_a_sheet_asks_who_rated(browser, exported, tmp_path):
    from selenium.webdriver.common.by import By

    browser.get((exported / "sheet.html").as_uri())
    browser.find_element(By.CSS_SELECTOR, "#download").click()
    assert "who rated" in browser.find_element(By.CSS_SELECTOR, "#warning").text
    time.sleep(0.5)
    assert not list((tmp_path / "downloads").glob("*"))
