"""What electrocardiographs measure, on the median beat of 12 leads: rate, intervals, axes, amplitudes, early beats."""

from meit.ecg.measure.looking import Look, look
from meit.ecg.measure.measurements import BY_LEAD, GLOBAL, Measure, Measurements
from meit.ecg.measure.measuring import measure, measured

__all__ = ["BY_LEAD", "GLOBAL", "Look", "Measure", "Measurements", "look", "measure", "measured"]
