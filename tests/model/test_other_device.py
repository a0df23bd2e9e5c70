"""Drafting, evaluating and training on a device that is not the CPU: what stands in other_device_checks.py.

The device holds for a whole process, so that they run in one of their own.
"""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKS = Path(__file__).with_name("other_device_checks.py")


def test_the_whole_way_runs_on_another_device():
    options = ("-p", "no:cacheprovider", "--no-header", "-W", "ignore")
    done = subprocess.run([sys.executable, "-m", "pytest", *options, CHECKS], capture_output=True, text=True)
    assert done.returncode == pytest.ExitCode.OK, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout
