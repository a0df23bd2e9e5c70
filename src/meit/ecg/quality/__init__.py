"""Signal quality: one verdict on a recording (good, limited, unusable), with its reasons by lead; docs/quality.md."""

from meit.ecg.quality.inspection import inspect
from meit.ecg.quality.integrity import HIGH_MV, LOW_MV
from meit.ecg.quality.verdicts import GOOD, LIMITED, UNUSABLE, Quality, Reason, because
from meit.ecg.signal.plateaus import FLAT_MV

__all__ = ["FLAT_MV", "GOOD", "HIGH_MV", "LIMITED", "LOW_MV", "UNUSABLE", "Quality", "Reason", "because", "inspect"]
