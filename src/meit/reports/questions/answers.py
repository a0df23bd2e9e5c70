"""The answer that a report gives to a question: its own sentences, or that it states none.

An answer states no finding that the report does not state; tests/reports/questions holds that over real reports.
"""

from collections.abc import Callable

from meit.reports.gravity import BENIGN, is_abnormal
from meit.reports.questions.askable import bare, named
from meit.reports.statements import Statement, codes, read_sentences, read_statements

REPORT, RHYTHM, ABNORMAL, FINDING, COMPARE = "report", "rhythm", "abnormal", "finding", "compare"
YES, POSSIBLE, NO = "Yes", "Possible", "No"  # how the answer to FINDING begins
# What tells the rhythm beside the codes that PTB-XL counts as rhythm.
RHYTHMS = frozenset(
    {"JUNC", "JTACH", "EAR", "ATACH", "SVR", "IVR", "VTACH", "VFIB", "WCT", "TACHY", "BRADY", "IRREG", "WAP"}
    | {"RVRESP", "SVRESP", "AVDISS", "PACEFAIL"}
)


def answer_of(kind: str, report: str, finding: str = "") -> str:
    """What a report answers to a question of a kind of KINDS. finding: the name of what FINDING asks for."""
    return KINDS[kind](report, finding)


def _report(report: str, finding: str) -> str:
    return report


def _rhythm(report: str, finding: str) -> str:
    return _said(report, _tells_rhythm) or "The rhythm is not stated."


def _abnormal(report: str, finding: str) -> str:
    return _said(report, _is_abnormal) or ("Nothing abnormal." if _said(report, _is_normal) else "None is stated.")


def _compare(report: str, finding: str) -> str:
    if differing := _said(report, _is_abnormal):
        return f"Differs from normal: {differing}"
    return _said(report, _is_normal) or "No difference is stated."


def _finding(report: str, finding: str) -> str:
    asked = named(finding)
    saying = [one for one in read_statements(report) if one.code in asked.codes and not one.negated]
    if not saying:
        return f"{NO} {bare(finding)}."
    word = YES if any(one.certainty == "definite" for one in saying) else POSSIBLE
    return f"{word}: {_said(report, lambda one: one in saying)}"


# A kind of question -> what answers it. The first is what drafts and evaluation ask for.
KINDS: dict[str, Callable[[str, str], str]] = {
    REPORT: _report,
    RHYTHM: _rhythm,
    ABNORMAL: _abnormal,
    FINDING: _finding,
    COMPARE: _compare,
}


def _tells_rhythm(one: Statement) -> bool:
    return not one.negated and (codes()[one.code].kind == "rhythm" or one.code in RHYTHMS)


def _is_abnormal(one: Statement) -> bool:
    return not one.negated and (one.code not in BENIGN or is_abnormal([one]))


def _is_normal(one: Statement) -> bool:
    return one.code == "NORM" and not one.negated


def _said(report: str, wanted: Callable[[Statement], bool]) -> str:
    """The report's sentences with a statement that is wanted, as they stand; "" where there is none."""
    sentences = read_sentences(report)
    words = ""
    for number, one in enumerate(sentences):
        if any(map(wanted, one.statements)):
            goes_on = any(wanted(each) for following in sentences[number + 1 :][:1] for each in following.statements)
            stop = "" if one.text.endswith("?") else ";" if goes_on and report[one.end : one.end + 1] == ";" else "."
            words += f" {one.text}{stop}"
    return words.strip()
