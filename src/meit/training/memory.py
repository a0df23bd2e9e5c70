"""Freed memory is kept for the next step, instead of being given back to the kernel and fetched again."""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of glibc's mallopt(3)


def keep_freed_memory() -> None:
    """For the whole process, where the C library is glibc; elsewhere nothing happens.

    A tuning step on the CPU frees and takes hundreds of megabytes. By default glibc maps each large block anew, and
    the kernel clears its pages one fault at a time: 60,000 to 120,000 faults a step on the default backbone.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
