"""Real reports of PTB-XL (CC BY 4.0) and the English they must become."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meit.reports.clean import clean_report
from meit.reports.translate import translate

TRAILER = " 4.46                          unbestÄtigter bericht"
PAIRS = [
    ("sinusrhythmus lagetyp normal normales ekg" + TRAILER, "Sinus rhythm. Normal axis. Normal ECG."),
    ("sinusrytm normalt ekg", "Sinus rhythm. Normal ECG."),
    ("sinus rhythm. normal ecg. Edit: NORM 100, (NORM 100)", "Sinus rhythm. Normal ECG."),
    (
        "sinusrhythmus lagetyp normal qrs(t) abnorm    inferiorer infarkt     alter unbest." + TRAILER,
        "Sinus rhythm. Normal axis. Abnormal QRS-T: inferior infarct, age undetermined.",
    ),
    (
        "sinusrhythmus verdacht auf p-sinistrocardiale ueberdrehter linkstyp linksanteriorer hemiblock",
        "Sinus rhythm. Suspected left atrial enlargement. Marked left axis deviation. Left anterior fascicular block.",
    ),
    (
        "vorhofflimmern/-flattern lagetyp normal st & t abnorm, wahrscheinlich    anterolaterale ischÄmie oder "
        "linksbelastung    inferolaterale ischÄmie oder linksbelastung" + TRAILER,
        "Atrial fibrillation/flutter. Normal axis. ST-T abnormality, probably anterolateral ischemia or left "
        "ventricular strain. Inferolateral ischemia or left ventricular strain.",
    ),
    (
        "sinusrhythmus lagetyp normal mÄssige amplitudenkriterien fÜr linkshypertrophie",
        "Sinus rhythm. Normal axis. Moderate voltage criteria for left ventricular hypertrophy.",
    ),
    (
        "sinus rhythm. st segments are depressed in v4,5,6. this may be due to lv strain or ischaemia.",
        "Sinus rhythm. ST segments are depressed in V4, V5, V6. This may be due to left ventricular strain or ischemia.",
    ),
    (
        "sinus rhythm. q waves in ii, iii, avf consistent with old inferior    myocardial infarction.",
        "Sinus rhythm. Q waves in II, III, aVF consistent with old inferior myocardial infarction.",
    ),
    (
        "sinusrhythmus lagetyp normal t abnorm in anteroseptalen ableitungen    hochlateralen ableitungen",
        "Sinus rhythm. Normal axis. T wave abnormality in anteroseptal leads, high lateral leads.",
    ),
]


@pytest.mark.parametrize("source, english", PAIRS)
def test_reads_as_a_cardiologist_writes(source, english):
    translation = translate(clean_report(source))
    assert translation.text == english
    assert translation.unknown == () and translation.coverage == 1.0


@pytest.mark.parametrize("source", ["trace only requested.", " Trace only requested. ", "", TRAILER])
def test_what_is_no_report(source):
    assert clean_report(source) is None


def test_an_unknown_word_is_kept_and_named():
    translation = translate(clean_report("sinusrhythmus quastenflosser linkstyp"))
    assert translation.unknown == ("quastenflosser",)
    assert "quastenflosser" in translation.text.lower()
    assert translation.coverage == pytest.approx(2 / 3)


def test_the_same_finding_in_three_languages():
    texts = ["sinusrhythmus normales ekg", "sinusrytm normalt ekg", "sinus rhythm. normal ecg."]
    assert len({translate(clean_report(text)).text for text in texts}) == 1
    assert [translate(clean_report(text)).language for text in texts] == ["de", "sv", "en"]


@given(st.text(max_size=200))
def test_no_text_breaks_it_and_no_unknown_word_is_lost(text):
    cleaned = clean_report(text)
    if cleaned is not None:
        translation = translate(cleaned)
        assert 0 <= translation.coverage <= 1
        for word in translation.unknown:
            assert word.rstrip(")") in translation.text.lower()


def test_the_whole_table(shared):
    with open(shared / "ptb-xl" / "ptbxl_database.csv", encoding="utf-8") as file:
        cleaned = [clean_report(row["report"]) for row in csv.DictReader(file)]
    translations = [translate(text) for text in cleaned if text is not None]
    foreign = [t for t in translations if t.language != "en"]
    assert len(translations) > 21_000 and len(foreign) > 13_000
    assert sum(t.n_known for t in foreign) / sum(t.n_words for t in foreign) >= 0.98
    assert sum(not t.unknown for t in translations) / len(translations) >= 0.93
