"""Freed memory is not given back and fetched anew: steps after the first cause hardly any page faults."""

import platform
import subprocess
import sys

import pytest

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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_later_steps_take_no_new_pages():
    def faults(how):
        return int(
            subprocess.run([sys.executable, "-c", STEPS, how], capture_output=True, text=True, check=True).stdout
        )

    kept, usual = faults("keep"), faults("usual")
    assert kept < 500, (kept, usual)
    assert kept < usual / 10
