"""Every row of grounding_rules.tsv at, below and above each of its thresholds, as the table's own text says."""

import operator
from pathlib import Path

import pytest

from meit.drafting.checks.grounding import CONTRADICTED, MEASURED, UNCHECKED, check_statements, omissions
from meit.drafting.checks.grounding_rules import grounding_rules
from meit.drafting.checks.measured_conditions import (
    ADULTS,
    CHILDREN,
    NET,
    OPERATORS,
    PATIENTS,
    STATED_LEADS,
    SexAge,
    conditions,
    excuses,
    holds,
)
from meit.drafting.checks.pediatric_limits import limits_of
from meit.drafting.checks.urgent_findings import urgent_rows
from meit.ecg.measure.measurements import BY_LEAD, Measure, Measurements
from meit.reports.statements import Statement, codes
from meit.tables import named_rows_of

STEP = 0.001
SIGNS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq}
INFERIOR = ("II", "III", "aVF")
KINDS = ("supports", "contradicts", "names")
CASES = [(number, kind) for number, rule in enumerate(grounding_rules()) for kind in KINDS if getattr(rule, kind)]
CHILDS_AGE = 6.5  # years, in the tests of children's rows that name no age


def threshold(one, patient) -> float:
    limits = limits_of(one.key, patient.sex, patient.age) if one.limit else None
    return getattr(limits, one.limit) * one.threshold if limits else one.threshold


def fulfilled(wanted, patient) -> dict[str, float]:
    """Values by name for which all conditions hold; those denied ("not ...") have none."""
    values = {}
    wanted = [one for one in wanted if not one.denied]
    for key in dict.fromkeys(one.key for one in wanted):
        same = [one for one in wanted if one.key == key]
        exact = [threshold(one, patient) for one in same if one.operator == "="]
        low = [threshold(one, patient) + STEP for one in same if one.operator[0] == ">"]
        high = [threshold(one, patient) - STEP for one in same if one.operator[0] == "<"]
        values[key] = (exact or [(max(low) + min(high)) / 2 if low and high else (low and max(low)) or min(high)])[0]
    return values


def measurements(values, leads, patient, reliability=1.0) -> tuple[Measurements, SexAge]:
    """With these values, by name, and in these leads; and the patient, of the age among them."""
    values = dict(values)
    patient = patient._replace(age=values.pop("age", patient.age))
    at = {key: value for key, value in values.items() if "@" in key}
    values = {key: value for key, value in values.items() if key not in at}
    whole = {name: Measure(v, reliability) for name, v in values.items() if name not in BY_LEAD and name != NET}
    of_lead = {name: Measure(v, reliability) for name, v in values.items() if name in BY_LEAD}
    if NET in values:
        net = {"r_mv": values[NET], "q_mv": 0.0, "s_mv": 0.0}
        of_lead = {name: Measure(value, reliability) for name, value in net.items()} | of_lead
    of_leads = {lead: dict(of_lead) for lead in leads}
    for key, value in at.items():
        name, lead = key.split("@")
        of_leads.setdefault(lead, {})[name] = Measure(value, reliability)
    return Measurements(whole, of_leads), patient


def about(rule):
    leads = INFERIOR if rule.leads == (STATED_LEADS,) else rule.leads
    sex = rule.sex if rule.sex in ("F", "M") else None
    return leads, SexAge(sex, CHILDS_AGE if rule.patients == CHILDREN else 50)


def age_for(rule):
    """Of an infarction that the rule is for."""
    return sorted(rule.ages - {"-"})[0] if rule.ages and "-" not in rule.ages else ""


@pytest.mark.parametrize(("number", "kind"), CASES)
def test_each_threshold(number, kind):
    rule = grounding_rules()[number]
    wanted = getattr(rule, kind)
    leads, person = about(rule)
    for one in wanted:
        at = threshold(one, person)
        for value in (at - STEP, at, at + STEP):
            values = fulfilled(wanted, person) | {one.key: value}
            found, patient = measurements(values, leads, person)
            same = [other for other in wanted if other.key == one.key]
            expected = all(SIGNS[other.operator](value, threshold(other, person)) != other.denied for other in same)
            evidence = holds(rule, wanted, found, patient, leads, len(leads))
            assert bool(evidence) == expected, (one, value, evidence)
            assert evidence is None or ("None" not in evidence.words and "{" not in evidence.words), evidence
    if any(other.name != "age" and not other.denied for other in wanted):
        unreliable, patient = measurements(fulfilled(wanted, person), leads, person, rule.reliability - STEP)
        assert not holds(rule, wanted, unreliable, patient, leads, len(leads))


@pytest.mark.parametrize(("number", "kind"), CASES)
def test_what_a_row_says_is_what_a_statement_gets(number, kind):
    """No other row of the table speaks against it on the same measurements."""
    rule = grounding_rules()[number]
    leads, person = about(rule)
    found, patient = measurements(fulfilled(getattr(rule, kind), person), leads, person)
    if kind == "names":
        assert rule.codes[0] in {one.code for one in omissions([], found, patient)}
        normal = check_statements([Statement("NORM", "normal ECG", 0, 10)], found, patient)[0]
        assert not rule.refutes_normal or normal.support == CONTRADICTED
        return
    for code in rule.codes:
        territory = ", ".join(INFERIOR) if rule.leads == (STATED_LEADS,) else ""
        stated = Statement(code, code, 0, 1, territory=territory, age=age_for(rule))
        assert check_statements([stated], found, patient)[0].support == (
            MEASURED if kind == "supports" else CONTRADICTED
        ), code
        excluded = Statement(code, code, 0, 1, "excluded", stated.territory, stated.age)
        assert check_statements([excluded], found, patient)[0].support == (
            CONTRADICTED if kind == "supports" else MEASURED
        ), code
        assert check_statements([stated], Measurements(), patient)[0].support == UNCHECKED


def test_the_table_is_well_formed():
    for rule in grounding_rules():
        assert rule.codes and set(rule.codes) | rule.unless <= set(codes()), rule
        assert rule.supports or rule.contradicts or rule.names, rule
        assert rule.sex in ("", "F", "M", "?") and 0 < rule.reliability <= 1 and rule.words and rule.source, rule
        assert rule.patients in PATIENTS and rule.ages <= {"acute", "recent", "old", "undetermined", "-"}, rule
        wanted = (*rule.supports, *rule.contradicts, *rule.names)
        assert any(one.by_lead for one in wanted) == bool(rule.leads), rule
        assert all(rule.patients == CHILDREN for one in wanted if one.limit), rule
        assert any(not one.denied for one in wanted), rule
        assert not (rule.refutes_normal and not rule.names), rule
        assert rule.least_leads <= len(rule.leads) or not rule.leads or rule.leads == (STATED_LEADS,), rule


def test_groups_of_excuses_are_used_and_are_of_codes():
    cells = {
        one
        for name in ("grounding_rules.tsv", "urgent_findings.tsv")
        for row in named_rows_of("meit.drafting.checks", name)
        for one in row["unless"].split()
    }
    assert cells <= set(codes()) | set(excuses()) and set(excuses()) <= cells
    assert all(set(group) <= set(codes()) for group in excuses().values())
    inferior = next(row for row in urgent_rows() if row.finding == "ST elevation")
    assert {"IMI", "INJIN", "PERICARD", "CLBBB"} <= inferior.unless and "infarction" not in inferior.unless


def test_rows_by_sex_come_in_threes():
    for rule in grounding_rules():
        if rule.sex:
            same = {other.sex for other in grounding_rules() if other.codes == rule.codes and other.sex}
            assert same == {"F", "M", "?"}, rule.codes


@pytest.mark.parametrize(
    "text",
    [
        "qrs_ms",
        "qrs_ms > wide",
        "width > 3",
        "qrs_ms >> 3",
        "qrs_ms > 3,pr_ms > 2",
        "qrs_ms@V1 > 3",
        "r_mv@V9 > 3",
        "never qrs_ms > 3",
    ],
)
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(ValueError, match="no condition"):
        conditions(text)


def test_operators():
    assert OPERATORS == SIGNS


def told(wanted) -> str:
    """Conditions, as the document has them."""
    said = []
    for one in wanted:
        limit = one.limit and (f"{one.limit} x {one.threshold:g}" if one.threshold != 1 else one.limit)
        place = f" in {one.at}" if one.at else ""
        said.append(f"{'not ' * one.denied}{one.name}{place} {one.operator} {limit or f'{one.threshold:g}'}")
    return ", ".join(said)


def places(row) -> str:
    return ", ".join(row.leads) + (f" (in {row.least_leads})" if len(row.leads) > 1 else "")


def who(row) -> str:
    return ", ".join(filter(None, (row.sex, row.patients if row.patients != ADULTS else "")))


def as_markdown() -> str:
    """The table of docs/grounding.md."""
    lines = [
        "| codes | measured | contradicted | named where not accounted for | of age | leads | sex, patients | source |",
        "|---" * 8 + "|",
    ]
    for rule in grounding_rules():
        cells = [" ".join(rule.codes), *(told(getattr(rule, kind)) for kind in KINDS), " ".join(sorted(rule.ages))]
        cells += [places(rule), who(rule), rule.source]
        cells[3] += " (abnormal)" if rule.refutes_normal else ""
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def urgent_as_markdown() -> str:
    lines = ["| finding | measured | urgency | leads | sex, patients | source |", "|---" * 6 + "|"]
    for row in urgent_rows():
        cells = [row.finding.replace("_", " "), told(row.measured), row.urgency, places(row), who(row), row.source]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("table", [as_markdown, urgent_as_markdown])
def test_the_document_shows_the_tables(table):
    document = (Path(__file__).parents[3] / "docs" / "grounding.md").read_text()
    assert table() in document, f"docs/grounding.md shows another table; this is the one:\n\n{table()}"
