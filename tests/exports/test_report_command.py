"""`meit report --format`: files under their names, bytes to a pipe but never to a terminal."""

import json
import shutil
import sys

import pytest

from meit.cli import main
from meit.exports import EXPORT_FORMATS


@pytest.fixture(scope="module")
def model():
    from meit import load_model
    from meit.model import default_model

    return load_model(default_model())


@pytest.fixture
def meit_report(model, monkeypatch):
    """The command, but for the language model, which takes its time."""
    from meit.drafting import draft
    from meit.model import report_model

    monkeypatch.setattr(draft, "write_reports", lambda model, seen, *more: ["Sinus rhythm. Normal ECG."] * len(seen))
    monkeypatch.setattr(report_model, "load_model", lambda folder, *options: model)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["meit", "report", *map(str, arguments)])
        return main()

    return run


def test_every_format_to_files(meit_report, example, tmp_path, capsys):
    for name, form in EXPORT_FORMATS.items():
        assert meit_report(example, "--format", name, "--out", tmp_path) == 0
        written = (tmp_path / f"00195_hr{form.suffix}").read_bytes()
        assert written[:5] == b"%PDF-" if form.binary else written.decode()
    assert len(list(tmp_path.iterdir())) == len(EXPORT_FORMATS) and capsys.readouterr().out == ""
    draft = json.loads((tmp_path / "00195_hr.json").read_text())
    bundle = json.loads((tmp_path / "00195_hr.fhir.json").read_text())
    assert bundle["entry"][0]["resource"]["conclusion"] == draft["report"]
    assert draft["model"]["sha256"] in (tmp_path / "00195_hr.fhir.json").read_text()


def test_bytes_go_to_a_pipe_and_not_to_a_terminal(meit_report, example, capfdbinary, monkeypatch):
    assert meit_report(example, "--format", "pdf") == 0
    out = capfdbinary.readouterr().out
    assert out.startswith(b"%PDF-") and out.rstrip().endswith(b"%%EOF")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert meit_report(example, "--format", "pdf") == 2
    out, err = capfdbinary.readouterr()
    assert out == b"" and b"--out DIR" in err and err.startswith(b"meit: ")
    assert meit_report(example, "--format", "html") == 0 and b"<!DOCTYPE html>" in capfdbinary.readouterr().out


def test_several_need_a_folder(meit_report, example, capsys):
    assert meit_report(example.parent, "--format", "pdf") == 2
    assert "need a folder: add --out DIR" in capsys.readouterr().err


def test_no_recording_is_overwritten(meit_report, example, tmp_path, capsys):
    from meit import LEADS, read_ecg

    text = tmp_path / "ecg.csv"
    rows = [",".join(map(str, row)) for row in read_ecg(example).signal.tolist()]
    text.write_text("\n".join([",".join(LEADS), *rows]))
    (tmp_path / "ecg.json").write_text('{"rate_hz": 500, "unit": "mV"}')
    stated = (tmp_path / "ecg.json").read_text()
    assert meit_report(text, "--out", tmp_path, "--format", "json") == 1
    assert "recording's own .json" in capsys.readouterr().err and (tmp_path / "ecg.json").read_text() == stated
    assert meit_report(text, "--out", tmp_path, "--format", "fhir") == 0 and (tmp_path / "ecg.fhir.json").exists()
    shutil.copy(tmp_path / "ecg.json", tmp_path / "ecg.html")  # a file of an earlier run may be replaced
    assert meit_report(text, "--out", tmp_path, "--format", "html") == 0
    assert (tmp_path / "ecg.html").read_text().startswith("<!DOCTYPE html>")


def test_one_that_cannot_be_written_never_stops_the_others(meit_report, example, tmp_path, capsys, monkeypatch):
    """The exporter's library fails at one recording, whatever it raises: one line, and the others are written."""
    from meit.exports import fhir

    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b", "c"):
        for suffix in (".hea", ".dat"):
            content = example.with_suffix(suffix).read_bytes()
            (folder / f"{name}{suffix}").write_bytes(content.replace(b"00195_hr", name.encode()))
    write = fhir.bundled

    def fails_at_b(document):
        if document.recording.name == "b":
            raise ValueError("Jane Doe, born in the year 1")
        return write(document)

    monkeypatch.setattr(fhir, "bundled", fails_at_b)
    assert meit_report(folder, "--format", "fhir", "--out", tmp_path / "out") == 1
    err = capsys.readouterr().err
    assert "b.hea: its report cannot be written as .fhir.json (ValueError)" in err and "1 of 3" in err
    assert "Traceback" not in err and "Jane" not in err
    assert sorted(path.name for path in (tmp_path / "out").glob("*.fhir.json")) == ["a.fhir.json", "c.fhir.json"]


def test_a_date_of_the_year_1_in_a_folder(meit_report, tmp_path, capsys):
    from known_ecgs import regular

    signal = regular().signal
    rows = "\n".join(",".join(f"{value:.4f}" for value in row) for row in signal)
    for name, start in (("first", "0001-01-01T00:00:00"), ("second", "2020-01-02T03:04:05")):
        head = f"# rate_hz: 500\n# unit: mV\n# start: {start}\nI,II,III,aVR,aVL,aVF,V1,V2,V3,V4,V5,V6\n"
        (tmp_path / f"{name}.csv").write_text(head + rows)
    assert meit_report(tmp_path, "--format", "fhir", "--out", tmp_path / "fhir") == 0
    assert len(list((tmp_path / "fhir").glob("*.fhir.json"))) == 2
    assert "0001-01-01" in (tmp_path / "fhir" / "first.fhir.json").read_text()
