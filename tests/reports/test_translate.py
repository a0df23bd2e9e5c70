"""Translation of real PTB-XL report texts (PTB-XL, CC BY 4.0) into exact English."""

import csv
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meit.reports import clean_report, translate
from meit.reports.coverage import coverage_table, sample_table
from meit.reports.word_tables import LANGUAGES, expand, glossary

TABLE = Path(__file__).parents[3] / "shared" / "data" / "ptb-xl" / "ptbxl_database.csv"

CASES = [
    (
        "sinusrhythmus lagetyp normal normales ekg 4.46                          unbestÄtigter bericht",
        "Sinus rhythm. Normal axis. Normal ECG.",
    ),
    (
        "sinusrhythmus linkstyp sonst normales ekg",
        "Sinus rhythm. Left axis. Otherwise normal ECG.",
    ),
    (
        "sinusrhythmus lagetyp normal qrs(t) abnorm    inferiorer infarkt     alter unbest. 4.46                          unbestÄtigter bericht",
        "Sinus rhythm. Normal axis. Abnormal QRS-T: inferior infarction, age undetermined.",
    ),
    (
        "sinusrhythmus linkstyp st & t abnorm, wahrscheinlich    anterolaterale ischÄmie oder linksbelastung    inferolaterale ischÄmie oder linksbelastung",
        "Sinus rhythm. Left axis. ST-T abnormality, probably anterolateral ischemia or left ventricular strain; inferolateral ischemia or left ventricular strain.",
    ),
    (
        "sinusrhythmus verdacht auf p-sinistrocardiale lagetyp normal mÄssige amplitudenkriterien fÜr linkshypertrophie",
        "Sinus rhythm. Possible left atrial enlargement. Normal axis. Moderate voltage criteria for left ventricular hypertrophy.",
    ),
    (
        "vorhofflimmern/-flattern ueberdrehter linkstyp linksschenkelblock linkshypertrophie mÖglich",
        "Atrial fibrillation/flutter. Marked left axis deviation. Left bundle branch block. Possible left ventricular hypertrophy.",
    ),
    (
        "ventrikulÄre extrasystole(n), bigeminus sinus arrhythmie a-v block i rechtstyp",
        "Premature ventricular contractions, bigeminy. Sinus arrhythmia. First-degree AV block. Right axis.",
    ),
    (
        "tachykardes vorhofflimmern lagetyp normal t abnorm in anterolateralen ableitungen    inferolateralen ableitungen",
        "Atrial fibrillation with rapid ventricular response. Normal axis. T wave abnormality in anterolateral and inferolateral leads.",
    ),
    (
        "sinusrhythmus lagetyp normal qrs(t) abnorm    anterolateraler infarkt mÖglich    inferiorer myokardschaden nicht auszuschliessen",
        "Sinus rhythm. Normal axis. Abnormal QRS-T: possible anterolateral infarction; inferior myocardial damage cannot be excluded.",
    ),
    (
        "sinusrhythmus slt chronischer anteriorer infarkt mÖglich t neg in v3-4 st-senkung v5,6 grenzbefund",
        "Sinus rhythm. Vertical axis. Possible chronic anterior infarction. T wave inversion in V3, V4. ST depression in V5, V6. Borderline ECG.",
    ),
    (
        "regelmÄssiger rhythmus, keine p-welle erkannt lagetyp normal unspezifisches abnormes t qt-verlÄngerung",
        "Regular rhythm, no P wave found. Normal axis. Nonspecific T wave abnormality. Prolonged QT interval.",
    ),
    (
        "sinusbradykardie lagetyp normal st-senkung in ii (diskret) normales ekg",
        "Sinus bradycardia. Normal axis. Slight ST depression in II. Normal ECG.",
    ),
    (
        "sinusrhythmus linkstyp r-s Übergang in v ableitungen nach rechts verschoben periphere niederspannung",
        "Sinus rhythm. Left axis. R-S transition in precordial leads displaced to the right. Low voltage in limb leads.",
    ),
    (
        "schrittmacher ekg 4.46                          unbestÄtigter bericht",
        "Paced rhythm.",
    ),
    (
        "sinusrytm vÄnster el-axel ospecifik t-fÖrÄndring",
        "Sinus rhythm. Left axis. Nonspecific T wave abnormality.",
    ),
    (
        "sinusrytm avvikande qrs(t) fÖrlopp    inferior infarkt     Ålder ej bestÄmmbar st-t sÄnkning, sÅsom vid    anterolateral ischemi eller vÄnster belastning",
        "Sinus rhythm. Abnormal QRS-T: inferior infarction, age undetermined. ST-T depression, consistent with anterolateral ischemia or left ventricular strain.",
    ),
    (
        "fÖrmaksflimmer med hÖg kammarfrekvens extrem vÄnster el-axel lÅga qrs amplituder i extremitetsavledningarna",
        "Atrial fibrillation with rapid ventricular response. Marked left axis deviation. Low voltage in limb leads.",
    ),
    (
        "sinusrytm misstÄnkt hypertrofi av vÄnster fÖrmak vÄnster anteriort hemiblock eljest normalt ekg",
        "Sinus rhythm. Possible left atrial enlargement. Left anterior fascicular block. Otherwise normal ECG.",
    ),
    (
        "sinus rhythm. t waves are inverted in ii, iii, avf and flat in v4,5,6. non-specific but consistent with myocardial ischaemia.",
        "Sinus rhythm. T wave inversion in II, III, aVF and flat T waves in V4-V6. Nonspecific but consistent with myocardial ischemia.",
    ),
    (
        "sinus rhythm. st segments are slightly depressed in i, avl, v5,6. this may be due to lv strain or ischaemia.",
        "Sinus rhythm. Slight ST depression in I, aVL, V5, V6. This may be due to left ventricular strain or ischemia.",
    ),
    (
        "sinus rhythm. voltages are high in chest leads suggesting lvh. otherwise normal ecg.",
        "Sinus rhythm. High voltages in chest leads suggesting left ventricular hypertrophy. Otherwise normal ECG.",
    ),
    (
        "sinus rhythm normal ecg",
        "Sinus rhythm. Normal ECG.",
    ),
    (
        "premature ventricular contraction(s). atrial fibrillation. low limb lead voltage. left axis deviation, left anterior fascicular block.",
        "Premature ventricular contractions. Atrial fibrillation. Low voltage in limb leads. Left axis deviation. Left anterior fascicular block.",
    ),
    (
        "sinus rhythm. q waves in ii, iii, avf consistent with old inferior    myocardial infarction. findings are likely to be",
        "Sinus rhythm. Q waves in II, III, aVF consistent with old inferior myocardial infarction.",
    ),
    (
        "sinus rhythm. left bundle branch block, this is most commonly due to    ischaemic heart dis",
        "Sinus rhythm. Left bundle branch block, most commonly due to ischemic heart disease.",
    ),
]


def _translate(raw: str):
    cleaned = clean_report(raw)
    assert cleaned is not None
    return translate(cleaned)


@pytest.mark.parametrize(("raw", "expected"), CASES)
def test_real_reports(raw: str, expected: str) -> None:
    result = _translate(raw)
    assert result.text == expected
    assert result.unknown == ()
    assert result.coverage == 1.0


@pytest.mark.parametrize("expected", [expected for _, expected in CASES])
def test_own_english_is_left_alone(expected: str) -> None:
    again = translate(expected)
    assert again.text == expected
    assert again.language == "en"
    assert again.unknown == ()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("sinusrhythmus linkstyp normales ekg", "de"),
        ("sinusrytm eljest normalt ekg", "sv"),
        ("sinus rhythm. normal ecg.", "en"),
        ("", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert translate(text).language == language


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("sinusrhythmus quarkverdacht linkstyp", "quarkverdacht"),
        ("sinusrytm vänster el axel knäckebröd", "knäckebröd"),
        ("sinus rhythm. flumoxed t waves.", "flumoxed"),
    ],
)
def test_unknown_words_are_kept_and_flagged(text: str, unknown: str) -> None:
    result = translate(text)
    assert result.unknown == (unknown,)
    assert unknown in result.text.lower()
    assert result.n_known == result.n_words - 1
    assert 0 < result.coverage < 1


def test_same_finding_in_the_same_words_from_three_languages() -> None:
    texts = [
        "sinusrhythmus periphere niederspannung linksschenkelblock",
        "sinusrytm låga qrs amplituder in extremitetsavledningarna vänstersidigt skänkelblock",
        "sinus rhythm. low limb lead voltage. left bundle branch block.",
    ]
    assert {translate(text).text for text in texts} == {
        "Sinus rhythm. Low voltage in limb leads. Left bundle branch block."
    }


def test_braces_of_the_glossary() -> None:
    assert sorted(expand("{a{b,c},d} e")) == ["ab e", "ac e", "d e"]
    assert sorted(expand("x[,] y")) == ["x y", "x, y"]


def test_glossary_is_sound() -> None:
    kinds = {entry.kind for language in LANGUAGES for entry in glossary(language).values()}
    assert kinds == {
        "head",
        "item",
        "header",
        "adj",
        "front",
        "post",
        "join",
        "hjoin",
        "label",
        "leads",
        "word",
        "text",
    }


_WORDS = st.sampled_from(
    [
        "sinusrhythmus",
        "inferiorer",
        "infarkt",
        "möglich",
        "in",
        "v4-6",
        "ii,",
        "(",
        ")",
        ",",
        ".",
        "t",
        "neg",
        "qrst abnorm",
        "sinusrytm",
        "såsom vid",
        "rhythm",
        "zzyzx",
        "qwertz",
        "alter unbest.",
        "dd:",
        "a-v block i",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(_WORDS, max_size=12).map(" ".join)))
def test_never_raises_and_never_loses_an_unknown_word(text: str) -> None:
    result = translate(text)
    assert 0 <= result.coverage <= 1
    assert result.n_words - result.n_known == len(result.unknown)
    for word in result.unknown:
        assert word.casefold() in result.text.casefold()


@pytest.fixture(scope="module")
def reports() -> list[str]:
    if not TABLE.exists():
        pytest.skip("PTB-XL's table is not at ../shared/data/ptb-xl/ptbxl_database.csv")
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [row["report"] for row in csv.DictReader(file)]


def test_coverage_of_the_table(reports: list[str]) -> None:
    """Of every fourth report: benchmarks take them all."""
    assert len(reports) == 21_837
    table = coverage_table(reports[::4])
    assert table["reports"] == 5_460
    assert 70 <= table["dropped"] < 120
    assert table["languages"]["foreign"]["words_covered"] >= 0.98
    for language in ("de", "sv", "en", "all"):
        assert table["languages"][language]["wholly_covered"] >= 0.93


def test_stable_on_a_sample_of_the_table(reports: list[str]) -> None:
    for raw in random.Random(0).sample(reports, 1500):
        cleaned = clean_report(raw)
        if cleaned is not None and not (first := translate(cleaned)).unknown:
            assert translate(first.text).text == first.text


def test_sample_table_is_seeded() -> None:
    raws = [raw for raw, _ in CASES]
    assert sample_table(raws, 3, 0) == sample_table(raws, 3, 0)
    assert sample_table(raws, 3, 0).count("\n") == 4
