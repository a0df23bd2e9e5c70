"""Every row of grounding_rules.tsv at, below and above each of its thresholds, as the table's own text says."""

import operator
from pathlib import Path

import pytest

from meit.drafting.checks.grounding import CONTRADICTED, MEASURED, UNCHECKED, check_statements, omissions
from meit.drafting.checks.grounding_rules import (
    NET,
    OPERATORS,
    STATED_LEADS,
    SexAge,
    conditions,
    grounding_rules,
    holds,
)
from meit.ecg.measure.measurements import BY_LEAD, Measure, Measurements
from meit.reports.statements import Statement, codes

STEP = 0.001
SIGNS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq}
INFERIOR = ("II", "III", "aVF")
KINDS = ("supports", "contradicts", "names")
CASES = [(number, kind) for number, rule in enumerate(grounding_rules()) for kind in KINDS if getattr(rule, kind)]


def fulfilled(wanted) -> dict[str, float]:
    """Values by name for which all conditions hold."""
    values = {}
    for name in dict.fromkeys(one.name for one in wanted):
        low = [one.threshold + STEP for one in wanted if one.name == name and one.operator[0] == ">"]
        high = [one.threshold - STEP for one in wanted if one.name == name and one.operator[0] == "<"]
        values[name] = (max(low) + min(high)) / 2 if low and high else (low or high)[0]
    return values


def measurements(values, leads, reliability=1.0) -> tuple[Measurements, SexAge]:
    """With these values, by name, and in these leads; and a patient of the age among them."""
    values = dict(values)
    age = values.pop("age", 50)
    whole = {name: Measure(v, reliability) for name, v in values.items() if name not in BY_LEAD and name != NET}
    of_lead = {name: Measure(v, reliability) for name, v in values.items() if name in BY_LEAD}
    if NET in values:
        net = {"r_mv": values[NET], "q_mv": 0.0, "s_mv": 0.0}
        of_lead = {name: Measure(value, reliability) for name, value in net.items()} | of_lead
    return Measurements(whole, dict.fromkeys(leads, of_lead)), SexAge(age=age)


def about(rule):
    leads = INFERIOR if rule.leads == (STATED_LEADS,) else rule.leads
    sex = rule.sex if rule.sex in ("F", "M") else None
    return leads, sex


@pytest.mark.parametrize(("number", "kind"), CASES)
def test_each_threshold(number, kind):
    rule = grounding_rules()[number]
    wanted = getattr(rule, kind)
    leads, sex = about(rule)
    for one in wanted:
        for value in (one.threshold - STEP, one.threshold, one.threshold + STEP):
            values = fulfilled(wanted) | {one.name: value}
            found, patient = measurements(values, leads)
            expected = all(SIGNS[other.operator](value, other.threshold) for other in wanted if other.name == one.name)
            words = holds(rule, wanted, found, patient._replace(sex=sex), leads, len(leads))
            assert bool(words) == expected, (one, value, words)
            assert "None" not in words and "{" not in words, words
        unreliable, patient = measurements(fulfilled(wanted), leads, rule.reliability - STEP)
        if any(other.name != "age" for other in wanted):
            assert not holds(rule, wanted, unreliable, patient._replace(sex=sex), leads, len(leads))


@pytest.mark.parametrize(("number", "kind"), CASES)
def test_what_a_row_says_is_what_a_statement_gets(number, kind):
    """No other row of the table speaks against it on the same measurements."""
    rule = grounding_rules()[number]
    leads, sex = about(rule)
    found, patient = measurements(fulfilled(getattr(rule, kind)), leads)
    patient = patient._replace(sex=sex)
    if kind == "names":
        assert rule.codes[0] in {one.code for one in omissions([], found, patient)}
        for code in (*rule.codes, *rule.unless):
            mentioned = Statement(code, code, 0, 1)
            assert not {one.code for one in omissions([mentioned], found, patient)} & {rule.codes[0]} or any(
                other.codes[0] == rule.codes[0] and code not in (*other.codes, *other.unless)
                for other in grounding_rules()
            )
        normal = check_statements([Statement("NORM", "normal ECG", 0, 10)], found, patient)[0]
        assert not rule.refutes_normal or normal.support == CONTRADICTED
        return
    for code in rule.codes:
        stated = Statement(code, code, 0, 1, territory=", ".join(INFERIOR) if rule.leads == (STATED_LEADS,) else "")
        assert check_statements([stated], found, patient)[0].support == (
            MEASURED if kind == "supports" else CONTRADICTED
        )
        excluded = Statement(code, code, 0, 1, "excluded", stated.territory)
        assert check_statements([excluded], found, patient)[0].support == (
            CONTRADICTED if kind == "supports" else MEASURED
        )
        assert check_statements([stated], Measurements(), patient)[0].support == UNCHECKED


def test_the_table_is_well_formed():
    for rule in grounding_rules():
        assert rule.codes and set(rule.codes) | rule.unless <= set(codes()), rule
        assert rule.supports or rule.contradicts or rule.names, rule
        assert rule.sex in ("", "F", "M", "?") and 0 < rule.reliability <= 1 and rule.words and rule.source, rule
        by_lead = any(one.by_lead for one in (*rule.supports, *rule.contradicts, *rule.names))
        assert by_lead == bool(rule.leads), rule
        assert not (rule.refutes_normal and not rule.names), rule
        assert rule.least_leads <= len(rule.leads) or not rule.leads or rule.leads == (STATED_LEADS,), rule


def test_rows_by_sex_come_in_threes():
    for rule in grounding_rules():
        if rule.sex:
            same = {other.sex for other in grounding_rules() if other.codes == rule.codes and other.sex}
            assert same == {"F", "M", "?"}, rule.codes


@pytest.mark.parametrize("text", ["qrs_ms", "qrs_ms > wide", "width > 3", "qrs_ms >> 3", "qrs_ms > 3,pr_ms > 2"])
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(ValueError, match="no condition"):
        conditions(text)


def test_operators():
    assert OPERATORS == SIGNS


def as_markdown() -> str:
    """The table of docs/grounding.md."""

    def told(wanted):
        return ", ".join(f"{one.name} {one.operator} {one.threshold:g}" for one in wanted)

    lines = ["| codes | measured | contradicted | named where not mentioned | leads | sex | source |", "|---" * 7 + "|"]
    for rule in grounding_rules():
        leads = ", ".join(rule.leads) + (f" (in {rule.least_leads})" if len(rule.leads) > 1 else "")
        cells = [" ".join(rule.codes), *(told(getattr(rule, kind)) for kind in KINDS), leads, rule.sex, rule.source]
        cells[3] += " (abnormal)" if rule.refutes_normal else ""
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def test_the_document_shows_the_table():
    document = (Path(__file__).parents[3] / "docs" / "grounding.md").read_text()
    assert as_markdown() in document, f"docs/grounding.md shows another table; this is the one:\n\n{as_markdown()}"
