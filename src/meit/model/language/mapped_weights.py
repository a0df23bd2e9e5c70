"""Weights that lie in a mapped file, and how main memory is rid of one of them.

A file's mapping lasts as long as any tensor out of it. Pages that were read once stay in the process until then: those
of weights that are made small, beside the small ones.
"""

import ctypes
import mmap
import sys

from torch import Tensor


def give_back(weight: Tensor) -> None:
    """Frees the whole pages (4 KiB) that a weight lies in. Nobody may read it afterwards: it is lost, unless a file holds
    it. Nothing where the system is not Linux."""
    if sys.platform != "linux" or weight.device.type != "cpu":
        return
    size = mmap.PAGESIZE
    start = -(-weight.data_ptr() // size) * size
    length = (weight.data_ptr() + weight.nbytes - start) // size * size
    if length > 0:
        ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), mmap.MADV_DONTNEED)
