"""What is to be read first.

    0 CRITICAL    a critical finding (meit.reports.gravity) is drafted, or measured and not mentioned
    1 ABNORMAL    the draft calls the ECG abnormal, or states what the measurements contradict
    2 UNREAD      nothing has read it: not drafted yet, failed, or unusable
    3 NORMAL      the rest

UNREAD stands before NORMAL, since it may be anything, and after ABNORMAL, since a heap of uploads must not hide that.
"""

from collections.abc import Mapping

from meit.drafting.grounding import CONTRADICTED, omissions
from meit.drafting.rules import Patient
from meit.ecg.measure import Measurements
from meit.reports.gravity import critical_findings, is_abnormal
from meit.reports.statements import Statement, read_statements

CRITICAL, ABNORMAL, UNREAD, NORMAL = range(4)


def urgency_of(draft: Mapping, measurements: Measurements | None) -> tuple[int, tuple[str, ...]]:
    """The urgency of a drafted recording, and the names of its critical findings. draft: as Draft.to_dict() gives it."""
    if measurements is None or not draft["report"]:
        return UNREAD, ()
    stated = read_statements(draft["report"])
    unsaid = omissions(stated, measurements, Patient(draft["recording"]["sex"], draft["recording"]["age"]))
    critical = critical_findings([*stated, *(Statement(one.code, one.words, 0, 0) for one in unsaid)])
    if critical:
        return CRITICAL, critical
    doubtful = any(one["support"] == CONTRADICTED for one in draft["statements"])
    return (ABNORMAL if doubtful or is_abnormal(stated) else NORMAL), ()
