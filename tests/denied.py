"""What stands in a command's way, made for the time of a test: a file that may not be read, a full disk, root or not."""

import ctypes
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_OVERRIDES = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: by them root reads what nobody may
_VERSION = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


@contextmanager
def denied(path: Path) -> Iterator[None]:
    """`path` may be neither read nor written nor entered, not even by root."""
    if not sys.platform.startswith("linux"):
        pytest.skip("rights are taken from root on Linux alone")
    before = path.stat().st_mode
    path.chmod(0)
    try:
        with _without_overrides():
            yield
    finally:
        path.chmod(before)


@contextmanager
def _without_overrides() -> Iterator[None]:
    libc, header, sets = ctypes.CDLL(None, use_errno=True), _Header(_VERSION, 0), (_Sets * 2)()
    assert libc.capget(ctypes.byref(header), sets) == 0
    before = sets[0].effective
    sets[0].effective = before & ~_OVERRIDES
    assert libc.capset(ctypes.byref(header), sets) == 0
    try:
        yield
    finally:
        sets[0].effective = before
        assert libc.capset(ctypes.byref(header), sets) == 0


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can be made longer: writing fails as on a full disk, by another number of error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
