"""What the machine has that meit runs on; asked so that it can be asked on Linux, macOS and Windows alike."""

import ctypes
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of glibc's mallopt(3)


def cores() -> int:
    """The processors that this process may use; where the system does not tell that, those that the machine has."""
    if hasattr(os, "sched_getaffinity"):  # Linux alone; it minds taskset and the limits of containers
        return len(os.sched_getaffinity(0))
    counted = getattr(os, "process_cpu_count", os.cpu_count)()
    return counted or 1


def has_bf16(device: str = "cpu") -> bool:
    """Whether a kind of device (cpu, cuda, mps) has bf16 instructions; emulated, it takes many times as long."""
    import torch

    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device == "mps":
        return torch.backends.mps.is_macos_or_newer(14, 0)
    known: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(there for name, there in known.items() if name.endswith("bf16"))


def keep_freed_memory() -> None:
    """Freed memory is kept for the next step, for the whole process, where the C library is glibc.

    A tuning step on the CPU frees and takes hundreds of megabytes. By default glibc maps each large block anew, and
    the kernel clears its pages one fault at a time: 60,000 to 120,000 faults a step on the default backbone.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)


def memory_bytes(device: "torch.device") -> int:
    """Bytes of memory that a device has, or that this process's container may take of the machine's."""
    import psutil
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    if device.type == "mps":
        return torch.mps.recommended_max_memory()
    limits = [psutil.virtual_memory().total]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):  # version 2, version 1
        try:
            limits.append(int(Path(path).read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return min(limits)
