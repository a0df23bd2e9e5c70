"""What a model takes into account beside the signal, as a row of numbers: measurements by name, and the median beat."""

from collections.abc import Sequence

import numpy as np

from meit.ecg.measure.looking import Look, look
from meit.ecg.measure.measurements import BY_LEAD, GLOBAL, Measurements
from meit.ecg.measure.measuring import measure, measured
from meit.ecg.recording import LEADS, Recording
from meit.ecg.signal.median_beat import AFTER_MS, BEFORE_MS
from meit.ecg.signal.normalising import normalise
from meit.ecg.signal.usable_leads import RATE

RECORDING, INPUT = "recording", "input"  # what a model's measurements are taken of
MEDIAN_BEAT = "median beat"  # the last of a model's measurements, where it takes that
BEAT_STEP = 4  # samples of the median beat, which is low-passed at 40 Hz
BEAT_SAMPLES = -(-round((BEFORE_MS + AFTER_MS) * RATE / 1000) // BEAT_STEP)
BEAT_COLUMNS = 1 + BEAT_SAMPLES * len(LEADS)  # whether it is in millivolts, then its samples
_IN_MV = "_mv"  # the end of the names of voltages


def measure_names() -> tuple[str, ...]:
    """Every measurement that is one number, by name; those of a lead as "V1 r_mv"."""
    return (*GLOBAL, *(f"{lead} {name}" for lead in LEADS for name in BY_LEAD))


def n_numbers(names: Sequence[str]) -> int:
    """How many of these measurements are one number: all but the median beat, which stands at the end."""
    return len(names) - (MEDIAN_BEAT in names)


def measured_row(seen: Look, measurements: Measurements, names: Sequence[str], in_mv: bool = True) -> np.ndarray:
    """(K,) float32 of a recording that was looked at already, NaN where the signal does not bear it.

    K: one for each name, and BEAT_COLUMNS for the median beat. in_mv: whether the voltage is known; where it is not,
    everything is given but what is in millivolts, and the beat in other units.
    """
    count = n_numbers(names)
    values = _values(measurements, names[:count])
    if not in_mv:
        values[[name.endswith(_IN_MV) for name in names[:count]]] = np.nan
    if count == len(names):
        return values
    beat = np.full((BEAT_SAMPLES, len(LEADS)), np.nan, np.float32)
    if seen.beat is not None and seen.leads is not None:
        beat[:, [LEADS.index(name) for name in seen.leads.names]] = seen.beat.smooth[::BEAT_STEP]
    return np.concatenate([values, np.array([in_mv], np.float32), beat.ravel()])


def measured_recordings(recordings: Sequence[tuple[np.ndarray, float, str]], names: Sequence[str]) -> np.ndarray:
    """(n, 12) signal, rate and unit ("mV", or "z" where the voltage is lost) of each of B recordings -> (B, K) float32."""
    rows = []
    for signal, rate, unit in recordings if names else ():
        in_mv = unit == "mV"
        recording = Recording("", signal if in_mv else normalise(signal, rate, unit), rate)
        seen = look(recording)
        rows.append(measured_row(seen, measured(recording, seen), names, in_mv))
    return np.stack(rows) if rows else np.zeros((len(recordings), 0), np.float32)


def measured_inputs(ecgs: np.ndarray, masks: np.ndarray, rate: float, names: Sequence[str]) -> np.ndarray:
    """(B, n, 12) encoder inputs and masks (B, n) -> (B, K) float32, NaN where the signal does not bear it.

    The inputs are normalised, so that amplitudes are no millivolts; they are alike for recordings with and without
    an absolute scale.
    """
    values = np.full((len(ecgs), len(names)), np.nan, np.float32)
    for row, (ecg, mask) in enumerate(zip(ecgs, masks, strict=True) if names else ()):
        signal = np.where(np.asarray(mask, bool)[:, None], ecg, np.nan).astype(np.float32)
        values[row] = _values(measure(Recording("", signal, rate)), names)
    return values


def _values(measurements: Measurements, names: Sequence[str]) -> np.ndarray:
    values = np.full(len(names), np.nan, np.float32)
    for column, name in enumerate(names):
        lead, _, of_lead = name.rpartition(" ")
        value = (measurements.lead(lead, of_lead) if lead else measurements[name]).value
        if value is not None:
            values[column] = value
    return values
