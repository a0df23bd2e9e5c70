"""What the signal alone says of a recording, found once and handed on: to drafting, to exports, to a viewer."""

from dataclasses import dataclass

from meit.ecg.measure import Look, Measurements, look, measured
from meit.ecg.quality import UNUSABLE, Quality, inspect
from meit.ecg.recording import Recording


@dataclass(frozen=True, eq=False)
class Examined:
    """A recording with its quality, its beats and median beat (look), and what was measured on them."""

    recording: Recording
    quality: Quality
    look: Look
    measurements: Measurements

    @property
    def unusable(self) -> bool:
        """Whether nothing may be drafted from it."""
        return self.quality.verdict == UNUSABLE


def examine(recording: Recording) -> Examined:
    """Inspects and measures a recording; tens of milliseconds for ten seconds of ECG."""
    seen = look(recording)
    return Examined(recording, inspect(recording), seen, measured(recording, seen))
