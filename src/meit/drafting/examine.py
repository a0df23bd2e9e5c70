"""What the signal alone says of a recording, found once and handed on: to drafting, to exports, to a viewer."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from meit.ecg.measure import Look, Measurements, look, measured
from meit.ecg.measure.measured_inputs import INPUT, measured_inputs, measured_row
from meit.ecg.quality import UNUSABLE, Quality, inspect
from meit.ecg.recording import Recording
from meit.ecg.signal.windowing import model_input


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

    def __getstate__(self) -> dict[str, Any]:
        """What another process is sent: the look, which is large, is found again where somebody asks for it."""
        return {name: value for name, value in self.__dict__.items() if name != "look"}


def examine(recording: Recording) -> Examined:
    """Inspects a recording; measuring, a tenth of a second for ten seconds of ECG, waits until it is asked for."""
    return Examined(recording, inspect(recording))


@dataclass(frozen=True)
class InputForm:
    """What an encoder takes, as meit.model.encoders.encoder.EncoderConfig says it: plain values for processes without PyTorch."""

    rate: float
    seconds: float
    normalisation: str
    measures: tuple[str, ...]
    measured_on: str = INPUT


@dataclass(frozen=True, eq=False)
class Prepared:
    """A recording as an encoder takes it: its first window ecg (n, 12) and mask (n,), float32, and what was measured on
    that or on the recording, measures (K,), NaN where there is none. windows: how many it fills. seen_s: seconds
    recorded of the first."""

    examined: Examined
    ecg: np.ndarray
    mask: np.ndarray
    measures: np.ndarray
    windows: int
    seen_s: float

    @property
    def recording(self) -> Recording:
        return self.examined.recording


def prepare(given: Recording | Examined, form: InputForm) -> Prepared:
    """Examines what is not yet, measures the recording, if it is usable, and the encoder's input where that is asked for."""
    examined = given if isinstance(given, Examined) else examine(given)
    if not examined.unusable:
        _ = examined.measurements
    recording = examined.recording
    ecgs, masks = model_input(recording.signal, recording.rate, "mV", form.rate, form.seconds, form.normalisation)
    ecg, mask = ecgs[:1], masks[:1].astype(np.float32)
    if form.measured_on == INPUT:
        measures = measured_inputs(ecg, mask, form.rate, form.measures)[0]
    elif examined.unusable:
        measures = measured_row(Look(), Measurements(), form.measures)
    else:
        measures = measured_row(examined.look, examined.measurements, form.measures)
    return Prepared(examined, ecg[0], mask[0], measures, len(masks), float(masks[0].mean() * form.seconds))
