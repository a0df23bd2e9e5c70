"""The answer that a report gives to a question: its own sentences, or that it states none.

An answer states no finding that the report does not state; tests/reports/questions holds that over real reports.
"""

from collections.abc import Callable

from meit.reports.gravity import BENIGN, is_abnormal
from meit.reports.questions.askable import bare, named
from meit.reports.statements import Statement, codes, read_sentences, read_statements

REPORT, RHYTHM, ABNORMAL, FINDING, COMPARE = "report", "rhythm", "abnormal", "finding", "compare"
YES, POSSIBLE, NO = "Yes", "Possible", "No"  # how the answer to FINDING begins
_DIFFERS = "Differs from normal: "
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
        return f"{_DIFFERS}{differing}"
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


def has_form(kind: str, answer: str, finding: str = "") -> bool:
    """Whether an answer is what its kind of question asks for, right or wrong: a rhythm and nothing else, abnormal findings
    alone, yes, possible or no with the finding that was asked for, a comparison; of REPORT, any statement at all."""
    if kind == REPORT:
        return bool(read_statements(answer))
    if kind == FINDING:
        word, asked = answer.partition(" ")[0].removesuffix(":"), named(finding)
        of_it = [one for one in read_statements(answer) if one.code in asked.codes]
        return word in (YES, POSSIBLE, NO) and bool(of_it) and all(one.negated == (word == NO) for one in of_it)
    if kind == COMPARE and answer.startswith(_DIFFERS):
        return has_form(ABNORMAL, answer.removeprefix(_DIFFERS)) and any(map(_is_abnormal, read_statements(answer)))
    return answer == answer_of(kind, answer)
