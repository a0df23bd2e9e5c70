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
    monkeypatch.setattr(report_model, "load_model", lambda folder, quantised: model)

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
