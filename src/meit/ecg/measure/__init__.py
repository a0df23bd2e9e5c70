"""What electrocardiographs measure: rate, intervals, axes, amplitudes, premature beats, on the median beat of 12 leads."""

from meit.ecg.measure.measurements import BY_LEAD, GLOBAL, Measure, Measurements
from meit.ecg.measure.measuring import measure

__all__ = ["BY_LEAD", "GLOBAL", "Measure", "Measurements", "measure"]
