"""What the signal alone says of a recording, found once and handed on: to drafting, to exports, to a viewer."""

from dataclasses import dataclass
from functools import cached_property

from meit.ecg.measure import Look, Measurements, look, measured
from meit.ecg.quality import UNUSABLE, Quality, inspect
from meit.ecg.recording import Recording


@dataclass(frozen=True, eq=False)
class Examined:
    """A recording with its quality, its beats and median beat (look), and what is measured on them: once, when asked for."""

    recording: Recording
    quality: Quality

    @cached_property
    def look(self) -> Look:
        return look(self.recording)

    @cached_property
    def measurements(self) -> Measurements:
        return measured(self.recording, self.look)

    @property
    def unusable(self) -> bool:
        """Whether nothing may be drafted from it."""
        return self.quality.verdict == UNUSABLE


def examine(recording: Recording) -> Examined:
    """Inspects a recording; measuring, a tenth of a second for ten seconds of ECG, waits until it is asked for."""
    return Examined(recording, inspect(recording))
