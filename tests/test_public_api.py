"""What a user of the package sees: a name each, documented and typed, and an import that takes no time."""

import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import meit

SOURCE = Path(meit.__file__).parent
HEAVY = ("torch", "transformers", "scipy", "pandas", "numpy", "matplotlib", "wfdb")
CONSUMER = """
from collections.abc import Sequence

import meit


def draft(paths: Sequence[str], folder: str) -> list[str]:
    model: meit.ReportModel = meit.load_model(folder)
    recordings: list[meit.Recording] = [meit.read_ecg(path) for path in paths]
    drafts: list[meit.Draft] = meit.draft_reports(model, recordings)
    texts: list[str] = [draft.report for draft in drafts]
    return texts


def look(path: str) -> tuple[str, float | None, list[str]]:
    try:
        recording = meit.read_ecg(path)
    except meit.RecordingError as error:
        raise SystemExit(str(error)) from None
    quality: meit.Quality = meit.inspect(recording)
    measurements: meit.Measurements = meit.measure(recording)
    rate: meit.Measure = measurements["heart_rate_bpm"]
    statements: list[meit.Statement] = meit.read_statements("Sinus rhythm.")
    meit.draw_paper(recording, "ecg.png")
    return quality.verdict, rate.value, [statement.code for statement in statements]


reveal_type(meit.load_model)
"""


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_it_imports_nothing_heavy():
    assert python(f"import sys, meit; print([name for name in {HEAVY} if name in sys.modules])").strip() == "[]"


def test_reading_an_ecg_needs_no_language_model(example):
    code = f"import sys, meit; meit.read_ecg({str(example)!r}); print('torch' in sys.modules, 'transformers' in sys.modules)"
    assert python(code).split() == ["False", "False"]


def test_only_public_names_show():
    assert dir(meit) == sorted(meit.__all__) and not [name for name in dir(meit) if re.match(r"_(?!_)", name)]
    assert python("from meit import *; print(measure.__module__)").startswith("meit.ecg.measure")
    with pytest.raises(AttributeError, match="has no attribute 'colour'"):
        meit.colour  # noqa: B018


@pytest.mark.parametrize("name", sorted(set(meit.__all__) - {"LEADS", "__version__"}))
def test_each_name_says_what_it_is(name):
    value = getattr(meit, name)
    text = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    assert text and not text.startswith(f"{name}("), "a docstring of its own, not that which a dataclass gets"


def test_the_version_is_the_packages():
    project = SOURCE.parents[1] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == meit.__version__


def test_types_stand_beside_the_names():
    typed = set(re.findall(r" as (\w+)$", (SOURCE / "__init__.pyi").read_text(), re.M))
    assert typed == set(meit.__all__) - {"__version__"}
    package_data = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text())["tool"]["setuptools"][
        "package-data"
    ]
    assert {"py.typed", "__init__.pyi"} <= set(package_data["meit"])


def test_a_users_code_type_checks(tmp_path):
    (tmp_path / "consumer.py").write_text(CONSUMER)
    (tmp_path / "mypy.ini").write_text(
        f"[mypy]\nstrict = True\nmypy_path = {SOURCE.parent}\nfollow_imports = silent\n"
        "[mypy-transformers.*,torch.*,peft.*,scipy.*,wfdb.*,pandas.*,matplotlib.*]\nignore_missing_imports = True\n"
        "follow_imports = skip\n"
    )
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--cache-dir", "cache", "consumer.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "Success" in done.stdout, done.stdout
    assert 'Revealed type is "def (folder: ' in done.stdout and done.stdout.count("ReportModel") == 1, done.stdout
