"""Real recordings for the tests: two that are always there, and larger sets where a checkout has them beside it."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SHARED = TESTS.parents[1] / "shared" / "data"


@pytest.fixture(scope="session")
def ptb_xl_100() -> Path:
    return TESTS / "samples" / "ecg" / "00001_lr.hea"


@pytest.fixture(scope="session")
def ptb_xl_500() -> Path:
    return TESTS / "samples" / "ecg" / "00001_hr.hea"


@pytest.fixture(scope="session")
def shared():
    """shared("cinc2021") -> that folder, or the test is skipped."""

    def folder(name: str) -> Path:
        if not (SHARED / name).is_dir():
            pytest.skip(f"needs {name} in shared/data beside the repository")
        return SHARED / name

    return folder
