"""Filters that move no wave: scipy's, run over the signal forwards and backwards, so that their phase is zero."""

from functools import lru_cache

import numpy as np

MAINS_HZ = (50.0, 60.0)


def zero_phase(
    values: np.ndarray, kind: str, hz: float | tuple[float, float], rate: float, order: int = 2, padding: int = 0
) -> np.ndarray:
    """(n, k) at `rate` Hz, without NaN -> (n, k) float64, through a Butterworth filter both ways.

    kind: "lowpass", "highpass" or "bandpass"; hz: its corner, or its two. order: of one pass. padding: samples by which
    the signal is prolonged at either end, turned about its end point, so that the filter has settled where it begins;
    fewer where the signal is shorter.
    """
    from scipy.signal import sosfilt

    sections, settled = _sections(kind, hz, rate, order)
    edge = _bounded(padding, values)
    values = np.asarray(values, np.float64)
    first, last = 2 * values[0] - values[edge:0:-1], 2 * values[-1] - values[-2 : -edge - 2 : -1]
    signal = np.ascontiguousarray(np.concatenate([first, values, last]).T)
    for _ in range(2):  # as scipy's sosfiltfilt, which finds out anew each time how a filter has settled
        signal, _ = sosfilt(sections, signal, axis=1, zi=settled * signal[:, :1])
        signal = np.ascontiguousarray(signal[:, ::-1])
    return np.ascontiguousarray(signal[:, edge : edge + len(values)].T)


def notch(values: np.ndarray, hz: float, width_hz: float, rate: float, padding: int) -> np.ndarray:
    """(n, k) at `rate` Hz, without NaN -> (n, k) without the frequency hz. width_hz: at 3 dB of one pass."""
    from scipy.signal import filtfilt, iirnotch

    b, a = iirnotch(hz, hz / width_hz, rate)
    out: np.ndarray = filtfilt(b, a, values, axis=0, padlen=_bounded(padding, values))
    return out


def _bounded(padding: int, values: np.ndarray) -> int:
    return min(padding, len(values) - 1)


@lru_cache(maxsize=64)
def _sections(kind: str, hz: float | tuple[float, float], rate: float, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Second-order sections (s, 6), and their states (s, 1, 2) once a constant of one has gone through for long."""
    from scipy.signal import butter, sosfilt_zi

    out: np.ndarray = butter(order, hz, btype=kind, fs=rate, output="sos")
    return out, sosfilt_zi(out)[:, None, :]
