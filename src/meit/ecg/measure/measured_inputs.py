"""Measurements as a row of numbers, by name: what is measured on an encoder's own input."""

from collections.abc import Sequence

import numpy as np

from meit.ecg.measure.measurements import BY_LEAD, GLOBAL
from meit.ecg.measure.measuring import measure
from meit.ecg.recording import LEADS, Recording


def measure_names() -> tuple[str, ...]:
    """Every measurement by name; those of a lead as "V1 r_mv"."""
    return (*GLOBAL, *(f"{lead} {name}" for lead in LEADS for name in BY_LEAD))


def measured_inputs(ecgs: np.ndarray, masks: np.ndarray, rate: float, names: Sequence[str]) -> np.ndarray:
    """(B, n, 12) encoder inputs and masks (B, n) -> (B, K) float32, NaN where the signal does not bear it.

    The inputs are normalised, so that amplitudes are no millivolts; they are alike for recordings with and without
    an absolute scale.
    """
    values = np.full((len(ecgs), len(names)), np.nan, np.float32)
    for row, (ecg, mask) in enumerate(zip(ecgs, masks, strict=True) if names else ()):
        signal = np.where(np.asarray(mask, bool)[:, None], ecg, np.nan).astype(np.float32)
        measurements = measure(Recording("", signal, rate))
        for column, name in enumerate(names):
            lead, _, of_lead = name.rpartition(" ")
            value = (measurements.lead(lead, of_lead) if lead else measurements[name]).value
            if value is not None:
                values[row, column] = value
    return values
