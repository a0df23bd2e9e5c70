"""What is to be read first.

    CRITICAL    a critical finding (meit.reports.gravity) is drafted, or measured and not mentioned
    ABNORMAL    the draft calls the ECG abnormal, or states what the measurements contradict
    UNREAD      nothing has read it: not drafted yet, failed, or unusable
    NORMAL      the rest

UNREAD stands before NORMAL, since it may be anything, and after ABNORMAL, since a heap of uploads must not hide that.
"""

from enum import IntEnum

from meit.drafting.checks.grounding import CONTRADICTED, omissions
from meit.drafting.checks.grounding_rules import SexAge
from meit.drafting.checks.text_check import read_whole
from meit.drafting.draft_types import Draft
from meit.reports.gravity import critical_findings, is_abnormal
from meit.reports.statements import Statement, read_statements


class Urgency(IntEnum):
    """In the order of reading."""

    CRITICAL = 0
    ABNORMAL = 1
    UNREAD = 2
    NORMAL = 3


def urgency_of(draft: Draft) -> tuple[Urgency, tuple[str, ...]]:
    """The urgency of a drafted recording, and the names of its critical findings. These are taken from sentences that
    were read whole, and from what was measured; what other sentences state can make a recording ABNORMAL."""
    if draft.measurements is None or not draft.report:
        return Urgency.UNREAD, ()
    whole = read_whole(draft.report)
    unmentioned = omissions(whole, draft.measurements, SexAge(draft.recording.sex, draft.recording.age))
    critical = critical_findings([*whole, *(Statement(one.code, one.words, 0, 0) for one in unmentioned)])
    if critical:
        return Urgency.CRITICAL, critical
    doubtful = any(one.support == CONTRADICTED for one in draft.statements)
    abnormal = doubtful or is_abnormal(read_statements(draft.report))
    return (Urgency.ABNORMAL if abnormal else Urgency.NORMAL), ()
