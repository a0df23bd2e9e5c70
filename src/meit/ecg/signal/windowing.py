"""From a recording to what the encoder takes: windows of a fixed length, at its rate, normalised.

The rule for windows: consecutive, not overlapping, from the start. What remains at the end is a window of its own,
padded and masked, if it is at least half a window; otherwise it is left out. A record up to 5 % longer than a window
is one window (the excess is cut), and a shorter one is one window, padded and masked at its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from meit.ecg.recording import LEADS
from meit.ecg.signal.gaps import recorded_signal, surely_recorded
from meit.ecg.signal.normalising import BAND, MATRIX_SAMPLES, NORMALISATIONS, normalise_whole
from meit.ecg.signal.resampling import resample

WINDOW_SECONDS = 10.0
LONGER_STILL_ONE = 1.05  # records of "10 s" have up to half a second more
SHORTEST_REMAINDER = 0.5  # of a window


@dataclass(frozen=True, eq=False)
class Window:
    """signal: (n_samples, 12) mV, NaN where not recorded or padded. mask: (n_samples,) True where any lead is recorded.
    start_s: where in the recording the window begins."""

    signal: np.ndarray = field(repr=False)
    mask: np.ndarray = field(repr=False)
    start_s: float


def model_input(
    signal: np.ndarray, rate: float, unit: str, to_rate: float, seconds: float, normalisation: str = BAND
) -> tuple[np.ndarray, np.ndarray]:
    """(n, 12) recording -> its W windows as the encoder takes them: (W, n_samples, 12) float32, 0 where nothing was
    recorded, and masks (W, n_samples) bool, True where any lead was.

    rate: Hz of the signal, to_rate: of the windows. unit: "mV" or "z", as in meit.ecg.signal.normalising.
    normalisation: a key of NORMALISATIONS; each window is normalised by itself.
    Raises ValueError for an empty signal, and for a unit or normalisation that is not known.
    """
    if normalisation not in NORMALISATIONS:
        raise ValueError(f"no such normalisation: {normalisation!r} (known: {', '.join(NORMALISATIONS)})")
    normalised = NORMALISATIONS[normalisation]
    parts = windows(resample(recorded_signal(signal, rate), rate, to_rate), to_rate, seconds)
    ecgs = [np.zeros_like(part.signal) for part in parts]
    for ecg, part in zip(ecgs, parts, strict=True):
        # the padding is left out, so that it changes neither filter nor deviation
        length = int(np.flatnonzero(part.mask)[-1]) + 1 if part.mask.any() else 0
        if length:
            ecg[:length] = normalised(part.signal[:length], to_rate, unit)
    return np.stack(ecgs), np.stack([part.mask for part in parts])


def first_windows(
    signals: Sequence[tuple[np.ndarray, float, str]], rate: float, seconds: float, normalisation: str = BAND
) -> tuple[np.ndarray, np.ndarray]:
    """(signal, rate, unit) of each of B recordings -> their first windows, (B, n_samples, 12) float32, and masks
    (B, n_samples) bool; otherwise as model_input, whose numbers these are to float32's precision."""
    length = round(rate * seconds)
    ecgs, masks = np.empty((len(signals), length, len(LEADS)), np.float32), np.ones((len(signals), length), bool)
    plain = np.array([_is_plain(*signal, rate, length, normalisation) for signal in signals], bool)
    if plain.any():
        whole = np.stack([signals[place][0] for place in np.flatnonzero(plain).tolist()])
        surely = surely_recorded(whole, rate)
        plain[plain] = surely
        ecgs[plain] = normalise_whole(whole if surely.all() else whole[surely], rate)
    for place in np.flatnonzero(~plain).tolist():
        made, recorded = model_input(*signals[place], rate, seconds, normalisation)
        ecgs[place], masks[place] = made[0], recorded[0]
    return ecgs, masks


def _is_plain(signal: np.ndarray, from_rate: float, unit: str, rate: float, length: int, normalisation: str) -> bool:
    """Whether a recording is a window as it is, to be normalised as most are."""
    return (
        normalisation == BAND
        and unit == "mV"
        and from_rate == rate
        and len(signal) == length <= MATRIX_SAMPLES
        and signal.dtype == np.float32
    )


def windows(signal: np.ndarray, rate: float, seconds: float = WINDOW_SECONDS) -> list[Window]:
    """(n, 12) -> windows of round(rate * seconds) samples each, by the rule above; none for an empty signal."""
    length = round(rate * seconds)
    if length < 1:
        raise ValueError(f"a window of {seconds} s at {rate} Hz has no sample")
    if len(signal) == 0:
        return []
    if len(signal) <= LONGER_STILL_ONE * length:
        return [_window(signal, 0, length, rate)]
    count, remainder = divmod(len(signal), length)
    count += remainder >= SHORTEST_REMAINDER * length
    return [_window(signal, n * length, length, rate) for n in range(count)]


def _window(signal: np.ndarray, first: int, length: int, rate: float) -> Window:
    part = signal[first : first + length]
    padded = np.full((length, signal.shape[1]), np.nan, dtype=np.float32)
    padded[: len(part)] = part
    return Window(signal=padded, mask=np.asarray(np.isfinite(padded).any(axis=1)), start_s=first / rate)
