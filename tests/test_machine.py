"""meit runs where Linux's own calls are absent, on macOS and on Windows; where they are there, they serve it."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from meit.data.engines import local
from meit.machine import cores, keep_freed_memory

STEPS = """
import resource, sys, torch
from meit.machine import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def step():
    for _ in range(3):
        torch.ones(25_000_000).exp()
for _ in range(5):  # aligned blocks find their places
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.fixture
def elsewhere(monkeypatch):
    """A system that cannot tell a process its processors."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)


def test_cores_are_those_that_this_process_may_use():
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system binds no process to processors")
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores() == len(allowed)


def test_cores_elsewhere(elsewhere, monkeypatch):
    assert cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)  # a system may not know even that
    monkeypatch.delattr(os, "process_cpu_count", raising=False)
    assert cores() == 1


def test_pieces_are_worked_on_elsewhere(elsewhere):
    assert sorted(local(abs, [(-1,), (2,), (-3,)])) == [1, 2, 3]


def test_loading_ahead_elsewhere(elsewhere, simulated, monkeypatch):
    from meit.data.batches import EcgSet
    from meit.model.encoders.encoder import EncoderConfig
    from meit.model.encoders.encoding import loaded, workers

    data = EcgSet([simulated], (1, 2), 100, 10)
    assert workers(data) == 0
    config = EncoderConfig(findings=("AFIB",), measures=("heart_rate_bpm",))
    (ecgs, masks, values), *_ = loaded(data, [np.arange(3)], config)
    assert ecgs.shape[0] == masks.shape[0] == 3 and values.shape == (3, 1)


def test_memory_is_left_to_other_c_libraries(monkeypatch):
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    monkeypatch.setattr("ctypes.CDLL", lambda _: pytest.fail("only glibc has this mallopt"))
    keep_freed_memory()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_later_steps_take_no_new_pages():
    def faults(how):
        return int(
            subprocess.run([sys.executable, "-c", STEPS, how], capture_output=True, text=True, check=True).stdout
        )

    kept, usual = faults("keep"), faults("usual")
    assert kept < 500, (kept, usual)
    assert kept < usual / 10
