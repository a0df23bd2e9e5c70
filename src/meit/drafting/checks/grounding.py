"""A draft's statements held against what was measured, by the rules of grounding_rules.tsv.

    support     measured, contradicted or unchecked, of each statement, with the evidence in words and numbers
    omissions   findings that are measured, important, and that the text does not mention

Nothing here looks at the ECG or at the language model: texts, measurements and rules decide.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from meit.drafting.checks.grounding_rules import STATED_LEADS, Rule, RuleCondition, SexAge, grounding_rules, holds
from meit.drafting.checks.rewording import NORMAL_ECG, hedged, without
from meit.ecg.measure.measurements import Measurements
from meit.reports.statements import Statement, asserted, codes, leads_of, read_statements
from meit.reports.word_tables import scp_codes

MEASURED, CONTRADICTED, UNCHECKED = SUPPORTS = ("measured", "contradicted", "unchecked")
ADULT = 16  # years, from which the thresholds hold
ABNORMAL_ECG = "ABECG"


@dataclass(frozen=True)
class Grounded:
    """A statement with its support. confidence: the probability that a reference report asserts it; None where the
    model has no calibration or the statement excludes the finding."""

    statement: Statement
    support: str = UNCHECKED
    evidence: str = ""
    confidence: float | None = None

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
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Grounded":
        """Age and place in the report may be absent, as in drafts that were kept before they had them."""
        statement = Statement(
            given["code"],
            given["text"],
            given.get("start", 0),
            given.get("end", 0),
            given["certainty"],
            given["territory"],
            given.get("age", ""),
        )
        return cls(statement, given["support"], given["evidence"], given["confidence"])


Confidences = Callable[[Sequence[Grounded]], Sequence[float | None]]  # of statements whose support is known


def no_confidences(statements: Sequence[Grounded]) -> list[float | None]:
    return [None] * len(statements)


@dataclass(frozen=True)
class Omission:
    """A measured, important finding that the report does not mention. words: "QTc 512 ms". alike: the codes that the
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
) -> Grounding:
    """The whole way of one draft. confidences: gives each statement, whose support is known, its confidence.

    strict: contradicted statements leave the text, and a warning names each. What is contradicted or measured but not
    mentioned is always named. Statements of low confidence that are not measured get a hedge.
    """
    patient = SexAge(sex, age)
    statements = read_statements(report)
    checked = check_statements(statements, measurements, patient)
    checked = [replace(one, confidence=sure) for one, sure in zip(checked, confidences(checked), strict=True)]
    named = omissions(statements, measurements, patient)
    warnings, removed = [], []
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
    warnings += [f"not mentioned: {one.words} ({finding_of(one.code)})" for one in named]
    report = hedged(report, [None if one.support == MEASURED else one.confidence for one in checked])
    worded = read_statements(report)
    if [one.code for one in worded] == [one.statement.code for one in checked]:
        checked = [replace(one, statement=now) for one, now in zip(checked, worded, strict=True)]
    checked = [replace(one, confidence=one.confidence and round(one.confidence, 3)) for one in checked]
    return Grounding(report, tuple(checked), tuple(named), tuple(removed), tuple(dict.fromkeys(warnings)))


def check_statements(
    statements: Sequence[Statement], measurements: Measurements, patient: SexAge = SexAge()
) -> list[Grounded]:
    """Each statement of a report with its support and evidence."""
    if not _is_adult(patient):
        return [Grounded(one) for one in statements]
    stated = asserted(statements)
    return [Grounded(one, *_support(one, stated, measurements, patient)) for one in statements]


def omissions(
    statements: Sequence[Statement], measurements: Measurements, patient: SexAge = SexAge()
) -> list[Omission]:
    """What is measured, important and not mentioned, each code once; in the order of the table."""
    if not _is_adult(patient):
        return []
    mentioned = {one.code for one in statements}
    omitted: dict[str, Omission] = {}
    for rule in grounding_rules():
        if mentioned & {*rule.codes, *rule.unless}:
            continue
        words = _words(rule, rule.names, measurements, patient, rule.leads)
        if words:
            omitted.setdefault(rule.codes[0], Omission(rule.codes[0], words, rule.codes[1:]))
    return list(omitted.values())


def finding_of(code: str) -> str:
    """A code in words, as reports have them where there are such; what was measured is not called nonspecific."""
    return scp_codes().get(code, codes()[code].description).removeprefix("nonspecific ")


def _is_adult(patient: SexAge) -> bool:
    return patient.age is None or patient.age >= ADULT


def _support(statement: Statement, stated: set[str], measurements: Measurements, patient: SexAge) -> tuple[str, str]:
    for_it, against = _evidence(statement, stated, measurements, patient)
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


def _evidence(
    statement: Statement, stated: set[str], measurements: Measurements, patient: SexAge
) -> tuple[list[str], list[str]]:
    """What speaks for a finding, and what against it."""
    for_it: dict[str, None] = {}
    against: dict[str, None] = {}
    if statement.code in (NORMAL_ECG, ABNORMAL_ECG):
        seen = [
            _words(rule, rule.names, measurements, patient, rule.leads)
            for rule in grounding_rules()
            if rule.refutes_normal and (statement.code == ABNORMAL_ECG or not stated & {*rule.codes, *rule.unless})
        ]
        (against if statement.code == NORMAL_ECG else for_it).update(dict.fromkeys(filter(None, seen)))
    own = leads_of(statement.territory)
    for rule in grounding_rules():
        elsewhere = own and rule.leads not in ((), (STATED_LEADS,)) and not set(own) & set(rule.leads)
        if statement.code in rule.codes and not elsewhere:
            leads = own if rule.leads == (STATED_LEADS,) else rule.leads
            for_it[_words(rule, rule.supports, measurements, patient, leads)] = None
            against[_words(rule, rule.contradicts, measurements, patient, leads, everywhere=True)] = None
    return [words for words in for_it if words], [words for words in against if words]


def _words(
    rule: Rule,
    wanted: Sequence[RuleCondition],
    measurements: Measurements,
    patient: SexAge,
    leads: Sequence[str],
    everywhere: bool = False,
) -> str:
    return holds(
        rule, wanted, measurements, patient, leads, len(leads) if everywhere else min(rule.least_leads, len(leads))
    )
