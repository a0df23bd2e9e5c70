"""Questions about an ECG, and the answers that a report of it gives: for the whole report, the rhythm, what is abnormal,
a finding, or the comparison with a normal ECG.

What can be asked is data: question_wordings.tsv (how each kind of question is worded) and askable_findings.tsv (findings by
their plain names). What is answered is a rule for each kind, over the report's own statements and sentences.
"""

from meit.reports.questions.answers import COMPARE, FINDING, KINDS, REPORT, answer_of, has_form
from meit.reports.questions.askable import Askable, askable_findings, wordings

__all__ = ["COMPARE", "FINDING", "KINDS", "REPORT", "Askable", "answer_of", "askable_findings", "has_form", "wordings"]
