"""The filters of the viewer, as the standards name them: a band and a mains notch, both of zero phase.

Each passes over the signal forwards and backwards (scipy), so that no wave is moved and ST segments keep their level;
what it does at its corner is 3 dB after both passes, not after each. Kligfield et al., Circulation 115:1306-1324, 2007:
0.05 Hz (0.67 Hz at zero phase) to 150 Hz for adults; 0.5-40 Hz is a monitor's band, in which ST levels and notches are
not to be judged.
"""

from dataclasses import dataclass

import numpy as np

from meit.ecg.recording import Recording
from meit.ecg.signal.filtering import notch, zero_phase
from meit.ecg.signal.resampling import bridge_leads
from meit.errors import MeitError


@dataclass(frozen=True)
class Band:
    """low, high: the corners in Hz, None for none. title: as it is written on the sheet."""

    title: str
    low: float | None = None
    high: float | None = None


FILTER_BANDS = {
    "none": Band("no filter"),
    "0.05-150": Band("0.05–150 Hz", 0.05, 150.0),
    "0.5-40": Band("0.5–40 Hz", 0.5, 40.0),
}
MAINS = {"off": None, "50": 50.0, "60": 60.0}  # Hz

_ORDER = 2
_TWICE = (np.sqrt(2) - 1) ** (1 / (2 * _ORDER))  # where one pass must have its corner for two passes to lose 3 dB there
_NOTCH_HZ = 1.5  # its width at 3 dB
_TOP = 0.9  # of half the sampling rate: a corner above it is none
_PADDING_S = 10.0  # the 0.05 Hz corner settles over seconds
_MOST_MV = 1e30


def choices(recording: Recording) -> dict[str, list[str]]:
    """The bands and mains filters that this recording's rate allows."""
    return {
        "bands": list(FILTER_BANDS),
        "mains": [name for name, hz in MAINS.items() if hz is None or hz < _top(recording)],
    }


def written(recording: Recording, band: str, mains: str) -> str:
    """What the sheet says of the filter in force. Raises MeitError for a filter that the recording cannot have."""
    chosen = _chosen(recording, band, mains)
    words = chosen.title
    if chosen.high is not None and chosen.high >= _top(recording):
        words += f" (recorded at {recording.rate:g} Hz: nothing above {recording.rate / 2:g} Hz)"
    return words if MAINS[mains] is None else f"{words}, notch {mains} Hz"


def filtered(recording: Recording, band: str = "none", mains: str = "off") -> np.ndarray:
    """(n_samples, 12) float32 mV, NaN where nothing was recorded; gaps are bridged by lines for the filter.

    Raises MeitError for a filter that the recording cannot have.
    """
    chosen, hz = _chosen(recording, band, mains), MAINS[mains]
    corners = _corners(recording, chosen)
    if not corners and hz is None:
        return recording.signal
    recorded = np.isfinite(recording.signal)
    values = bridge_leads(np.clip(recording.signal, -_MOST_MV, _MOST_MV), recorded)
    for kind, corner in corners.items():
        padding = round(_PADDING_S * recording.rate)
        values = zero_phase(values, kind, corner, recording.rate, order=_ORDER, padding=padding)
    if hz is not None:
        width = _NOTCH_HZ * np.sqrt(np.sqrt(2) - 1)  # so that it is as wide after both passes
        values = notch(values, hz, width, recording.rate, padding=round(recording.rate))
    return np.where(recorded, values, np.nan).astype(np.float32)


def _chosen(recording: Recording, band: str, mains: str) -> Band:
    known = choices(recording)
    for name, kind in ((band, "bands"), (mains, "mains")):
        if name not in known[kind]:
            raise MeitError(f"no such filter at {recording.rate:g} Hz; {kind} there are: {', '.join(known[kind])}")
    return FILTER_BANDS[band]


def _corners(recording: Recording, band: Band) -> dict[str, float]:
    """Where one pass of the high-pass and of the low-pass that the rate allows must have their corners, in Hz."""

    def corner(hz: float, factor: float) -> float:  # warped, since the bilinear transform would move it
        return float(np.arctan(factor * np.tan(np.pi * hz / recording.rate)) * recording.rate / np.pi)

    corners = {}
    if band.low is not None:
        corners["highpass"] = corner(band.low, _TWICE)
    if band.high is not None and band.high < _top(recording):
        corners["lowpass"] = corner(band.high, 1 / _TWICE)
    return corners


def _top(recording: Recording) -> float:
    return _TOP * recording.rate / 2
