"""A draft's statements held against what was measured, by the rules of grounding_rules.tsv.

    support     measured, contradicted or unchecked, of each statement, with the evidence in words and numbers
    omissions   findings that are measured, important, and that the text does not account for

Nothing here looks at the ECG or at the language model: texts, measurements and rules decide.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from meit.drafting.checks.accounting import accounts_for, is_of_age, wall_of
from meit.drafting.checks.grounding_rules import Rule, SexAge, grounding_rules
from meit.drafting.checks.measured_conditions import STATED_LEADS, Evidence, RuleCondition, holds
from meit.drafting.checks.measured_findings import is_from_measurements, proven, with_measured
from meit.drafting.checks.rewording import NORMAL_ECG, hedged, without
from meit.drafting.checks.urgent_findings import UrgentRow, urgent_findings
from meit.ecg.measure.measurements import Measurements
from meit.ecg.stated import age_words
from meit.reports.statements import Statement, leads_of, read_statements, report_words

MEASURED, CONTRADICTED, UNCHECKED = SUPPORTS = ("measured", "contradicted", "unchecked")
ABNORMAL_ECG = "ABECG"
_OVERALL = (NORMAL_ECG, ABNORMAL_ECG)  # statements on the whole, which other statements bear on


@dataclass(frozen=True)
class Grounded:
    """A statement with its support. confidence: the probability that a reference report asserts it; None where the
    model has no calibration or the statement excludes the finding. from_measurements: they wrote it, and no model; the
    confidence is then how often such a statement was right (measured_findings.tsv). worth: in words, how often such
    statements of this model were right; "" where that was not counted."""

    statement: Statement
    support: str = UNCHECKED
    evidence: str = ""
    confidence: float | None = None
    from_measurements: bool = False
    worth: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` is its inverse. start and end: of the words, in the report."""
        statement = self.statement
        return {
            "text": statement.text,
            "code": statement.code,
            "certainty": statement.certainty,
            "territory": statement.territory,
            "age": statement.age,
            "start": statement.start,
            "end": statement.end,
            "confidence": self.confidence,
            "support": self.support,
            "evidence": self.evidence,
            "from_measurements": self.from_measurements,
            "worth": self.worth,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Grounded":
        """Age, place in the report and who wrote it may be absent, as in drafts that were kept before they had them."""
        statement = Statement(
            given["code"],
            given["text"],
            given.get("start", 0),
            given.get("end", 0),
            given["certainty"],
            given["territory"],
            given.get("age", ""),
        )
        more = given.get("from_measurements", False), given.get("worth", "")
        return cls(statement, given["support"], given["evidence"], given["confidence"], *more)


Confidences = Callable[[Sequence[Grounded]], Sequence[float | None]]  # of statements whose support is known


def no_confidences(statements: Sequence[Grounded]) -> list[float | None]:
    return [None] * len(statements)


@dataclass(frozen=True)
class Omission:
    """A measured, important finding that the report does not account for. words: "QTc 512 ms". alike: the codes that the
    measurement bears as well, such as PAC beside SVPC."""

    code: str
    words: str
    alike: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grounding:
    """What becomes of a draft: its text (without what strict removed, with hedges), its statements, what to look at."""

    report: str
    statements: tuple[Grounded, ...]
    omissions: tuple[Omission, ...]
    removed: tuple[Grounded, ...]
    warnings: tuple[str, ...]


def ground(
    report: str,
    measurements: Measurements,
    sex: str | None = None,
    age: float | None = None,
    confidences: Confidences = no_confidences,
    strict: bool = False,
    write: bool = False,
) -> Grounding:
    """The whole way of one draft. confidences: gives each statement, whose support is known, its confidence.

    write: what is measured, proven and not stated is written into the text (measured_findings.py). strict: contradicted statements leave the text, and a warning names each. What is contradicted or measured but not
    accounted for is always named. Statements of low confidence that are not measured get a hedge.
    """
    patient = SexAge(sex, age)
    statements = read_statements(report)
    checked = check_statements(statements, measurements, patient)
    warnings: list[str] = []
    removed: list[Grounded] = []
    if write:
        against = [one.evidence if one.support == CONTRADICTED else "" for one in checked]
        named = [one.code for one in _omissions(checked, measurements, patient)]
        report, warnings = with_measured(report, statements, against, named, measurements, patient)
        statements = read_statements(report)
        checked = check_statements(statements, measurements, patient)
    checked = [replace(one, confidence=sure) for one, sure in zip(checked, confidences(checked), strict=True)]
    checked = marked(report, checked)
    if strict and any(one.support == CONTRADICTED for one in checked):
        report, left = without(report, statements, [one.support == CONTRADICTED for one in checked])
        for index, one in enumerate(checked):
            if one.support == CONTRADICTED:
                removed.append(one)
                warnings.append(f"removed: {one.evidence}")
            elif index not in left:
                warnings.append(f"removed with it: '{one.statement.text}', which shared its words")
        checked = [checked[index] for index in left]
    else:
        warnings += [f"contradicted: {one.evidence}" for one in checked if one.support == CONTRADICTED]
    sure_enough = [one.support == MEASURED or one.from_measurements for one in checked]
    report = hedged(report, [None if so else one.confidence for so, one in zip(sure_enough, checked, strict=True)])
    worded = read_statements(report)
    if [one.code for one in worded] == [one.statement.code for one in checked]:
        checked = [replace(one, statement=now) for one, now in zip(checked, worded, strict=True)]
    checked = [replace(one, confidence=one.confidence and round(one.confidence, 3)) for one in checked]
    omitted = _omissions(checked, measurements, patient)
    warnings += [_naming(one, checked) for one in omitted]
    if patient.is_child and age is not None:
        warnings.append(_OF_A_CHILD.format(age_words(age)))
    return Grounding(report, tuple(checked), tuple(omitted), tuple(removed), tuple(dict.fromkeys(warnings)))


def marked(report: str, checked: Sequence[Grounded]) -> list[Grounded]:
    """The statements of a report, those that the measurements wrote marked so, with how often such are right."""
    return [_marked(one) if is_from_measurements(report, one.statement) else one for one in checked]


def _marked(one: Grounded) -> Grounded:
    share = proven(one.statement.code)
    told = f"written from the measurements, such being right {share} times"
    evidence = "; ".join(filter(None, (one.evidence, told)))
    return replace(one, from_measurements=True, evidence=evidence, confidence=share.value if share.cases else None)


_OF_A_CHILD = (
    "age {}: held against the limits of that age for rate, PR, QRS, QTc, axis and the voltages of V1 and V6 "
    "(Davignon 1980, Rijnbeek 2001), not against adults'; ST, T and Q waves are not judged"
)


def _naming(one: Omission, checked: Iterable[Grounded]) -> str:
    hedged_codes = {each.statement.code for each in checked if each.statement.certainty == "possible"}
    how = "measured, though the text says possible" if one.code in hedged_codes else "not mentioned"
    return f"{how}: {one.words} ({finding_of(one.code)})"


def check_statements(
    statements: Sequence[Statement], measurements: Measurements, patient: SexAge = SexAge()
) -> list[Grounded]:
    """Each statement of a report with its support and evidence."""
    single = [
        Grounded(one, *_support(one, *_evidence(one, measurements, patient)))
        for one in statements
        if one.code not in _OVERALL
    ]
    left = iter(single)
    return [_overall(one, single, measurements, patient) if one.code in _OVERALL else next(left) for one in statements]


def _overall(one: Statement, others: Sequence[Grounded], measurements: Measurements, patient: SexAge) -> Grounded:
    """ "Normal ECG" or "abnormal ECG": what is measured and refutes normal speaks against the one where no other
    statement accounts for it, and for the other in any case."""
    seen = [
        evidence.words
        for row, evidence in _important(measurements, patient)
        if (isinstance(row, UrgentRow) or row.refutes_normal)
        and (one.code == ABNORMAL_ECG or not _accounted(row, evidence, others))
    ]
    seen = list(dict.fromkeys(seen))
    return Grounded(one, *(_support(one, [], seen) if one.code == NORMAL_ECG else _support(one, seen, [])))


def omissions(
    statements: Sequence[Statement], measurements: Measurements, patient: SexAge = SexAge()
) -> list[Omission]:
    """What is measured, important and not accounted for, each code once; in the order of the tables."""
    return _omissions(check_statements(statements, measurements, patient), measurements, patient)


def _omissions(checked: Sequence[Grounded], measurements: Measurements, patient: SexAge) -> list[Omission]:
    omitted: dict[str, Omission] = {}
    for row, evidence in _important(measurements, patient):
        if not _accounted(row, evidence, checked):
            omitted.setdefault(row.codes[0], Omission(row.codes[0], evidence.words, row.codes[1:]))
    return list(omitted.values())


def _important(measurements: Measurements, patient: SexAge) -> list[tuple[Rule | UrgentRow, Evidence]]:
    """What is to be named where a text does not account for it: by the rules, and what is urgent."""
    by_rule = [
        (rule, evidence)
        for rule in grounding_rules()
        if (evidence := _found(rule, rule.names, measurements, patient, rule.leads))
    ]
    return [*by_rule, *urgent_findings(measurements, patient)]


def _accounted(row: Rule | UrgentRow, evidence: Evidence, checked: Iterable[Grounded]) -> bool:
    known = {*row.codes, *row.unless}
    return any(
        one.support != CONTRADICTED and accounts_for(one.statement, known, row.ages, evidence) for one in checked
    )


def finding_of(code: str) -> str:
    """A code in words, as reports have them where there are such; what was measured is not called nonspecific."""
    words = report_words(code).removeprefix("nonspecific ")
    return words.removesuffix(", origin not told")


def _support(statement: Statement, for_it: Sequence[str], against: Sequence[str]) -> tuple[str, str]:
    """Support and evidence, of what speaks for a finding and what against it."""
    if statement.negated:
        if for_it:
            return CONTRADICTED, f"'{statement.text}' is excluded, but {', '.join(for_it)}"
        if against:
            return MEASURED, f"{', '.join(against)}: no {finding_of(statement.code)}"
    elif against:
        return CONTRADICTED, f"'{statement.text}' but {', '.join(against)}"
    elif for_it:
        return MEASURED, f"{', '.join(for_it)}: {finding_of(statement.code)}"
    return UNCHECKED, ""


def _evidence(statement: Statement, measurements: Measurements, patient: SexAge) -> tuple[list[str], list[str]]:
    """What speaks for a finding, and what against it."""
    for_it: dict[str, None] = {}
    against: dict[str, None] = {}
    stated, wall = leads_of(statement.territory), wall_of(statement)
    for rule in grounding_rules():
        if statement.code not in rule.codes or not is_of_age(statement, rule.ages):
            continue
        elsewhere = wall and rule.leads not in ((), (STATED_LEADS,)) and not set(wall) & set(rule.leads)
        if not elsewhere:
            leads = stated if rule.leads == (STATED_LEADS,) else rule.leads
            if found := _found(rule, rule.supports, measurements, patient, leads):
                for_it[found.words] = None
            if found := _found(rule, rule.contradicts, measurements, patient, leads, everywhere=True):
                against[found.words] = None
    return list(for_it), list(against)


def _found(
    rule: Rule,
    wanted: Sequence[RuleCondition],
    measurements: Measurements,
    patient: SexAge,
    leads: Sequence[str],
    everywhere: bool = False,
) -> Evidence | None:
    return holds(
        rule, wanted, measurements, patient, leads, len(leads) if everywhere else min(rule.least_leads, len(leads))
    )
