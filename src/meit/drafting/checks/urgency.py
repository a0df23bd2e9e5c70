"""What is to be read first.

    CRITICAL    a critical finding (meit.reports.gravity) is drafted, or measured and not mentioned; or one that
                urgent_findings.tsv calls critical is measured, whatever the text says
    ABNORMAL    the draft calls the ECG abnormal, states what the measurements contradict, or leaves out what they show
    UNREAD      nothing has read it: not drafted yet, failed, or unusable
    NORMAL      the rest

UNREAD stands before NORMAL, since it may be anything, and after ABNORMAL, since a heap of uploads must not hide that.
"""

from enum import IntEnum

from meit.drafting.checks.grounding import CONTRADICTED, omissions
from meit.drafting.checks.grounding_rules import SexAge
from meit.drafting.checks.text_check import read_whole
from meit.drafting.checks.urgent_findings import urgent_findings
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
    """The urgency of a drafted recording, and the names of its critical findings. Those of the text are taken from
    sentences that were read whole; what other sentences state can make a recording ABNORMAL. What is measured decides
    even where nothing was written."""
    if draft.measurements is None:
        return Urgency.UNREAD, ()
    patient = SexAge(draft.recording.sex, draft.recording.age)
    measured = urgent_findings(draft.measurements, patient)
    whole = read_whole(draft.report)
    unmentioned = omissions(whole, draft.measurements, patient)
    stated = critical_findings([*whole, *(Statement(one.code, one.words, 0, 0) for one in unmentioned)])
    critical = (*stated, *(one.row.finding for one in measured if one.row.urgency == "critical"))
    if critical:
        return Urgency.CRITICAL, tuple(dict.fromkeys(critical))
    if not draft.report:
        return Urgency.UNREAD, ()
    doubtful = bool(measured or unmentioned) or any(one.support == CONTRADICTED for one in draft.statements)
    abnormal = doubtful or is_abnormal(read_statements(draft.report))
    return (Urgency.ABNORMAL if abnormal else Urgency.NORMAL), ()
