"""Findings that are measured and that a draft leaves out, written into it: measured_findings.tsv, read and applied.

A row is written where the rules name its finding as not mentioned (grounding.py), its condition holds, and its precision is
proven: the lower end of the 95% interval of right / cases is at least LEAST_PROVEN. Each is a sentence of its own and says
that it was measured: "First-degree AV block (measured: PR 232 ms)." So it can be told apart in every text, whoever reads it.
Nothing is written of what the draft states already, with whatever certainty, nor beside a statement that excludes it,
unless the measurements contradict that one: then it goes. "Normal ECG" beside it is reworded, or goes too.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from meit.drafting.checks.measured_conditions import (
    ADULTS,
    MeasuredRow,
    RuleCondition,
    SexAge,
    conditions,
    holds,
    worded,
)
from meit.drafting.checks.rewording import NORMAL_ECG, without
from meit.ecg.measure.measurements import Measurements
from meit.proportions import Proportion
from meit.reports.statements import Statement, codes, read_sentences, read_statements
from meit.tables import named_rows_of

LEAST_PROVEN = 0.7
WRITTEN_MARK = " (measured: "  # follows the words of a finding that the measurements wrote
OTHERWISE_NORMAL = "Otherwise normal ECG."
# of meit.ecg.quality: what is measured on such a recording is not written
FORBIDDING = frozenset(
    ("limb_laws", "arm_electrodes", "chest_electrodes", "noisy_beats", "restless", "artefacts", "muscle_noise")
)
_RHYTHM = "rhythm"


@dataclass(frozen=True)
class MeasuredFinding:
    """A row of measured_findings.tsv. named: the code by which the rules name it. sentence: what is written, without the
    stop. right_as: codes of a report that make it right, its own among them. proven: how often it was."""

    named: str
    condition: tuple[RuleCondition, ...]
    sentence: str
    right_as: frozenset[str]
    instead_of: frozenset[str]
    excludes: frozenset[str]
    leaves_normal: bool
    proven: Proportion

    @cached_property
    def code(self) -> str:
        return read_statements(self.sentence)[0].code

    @property
    def is_written(self) -> bool:
        return self.proven.ci95[0] >= LEAST_PROVEN

    def holds(self, measurements: Measurements, patient: SexAge) -> bool:
        """Not of a child: no row was proven on children."""
        if patient.is_child:
            return False
        return not self.condition or bool(holds(_ROW, self.condition, measurements, patient, (), 1))

    def says(self, measurements: Measurements, patient: SexAge) -> str:
        return worded(self.sentence, measurements, patient, ())


_ROW = MeasuredRow((), frozenset(), frozenset(), (), 1, "", ADULTS, 0.5, "measured", "")


@cache
def measured_findings() -> tuple[MeasuredFinding, ...]:
    return tuple(
        MeasuredFinding(
            row["named"],
            conditions(row["condition"]),
            row["sentence"],
            frozenset(row["right as"].split()),
            frozenset(row["instead of"].split()),
            frozenset(row["excludes"].split()),
            row["normal ECG"] == "otherwise",
            Proportion(int(row["right"] or 0), int(row["cases"] or 0)),
        )
        for row in named_rows_of("meit.drafting.checks", "measured_findings.tsv")
    )


def measured_rows(named: Collection[str], measurements: Measurements, patient: SexAge) -> list[MeasuredFinding]:
    """Of the codes that the rules name, the rows that hold, proven or not; of rows with one code the first."""
    found: dict[str, MeasuredFinding] = {}
    for row in measured_findings():
        if row.named in named and row.holds(measurements, patient):
            found.setdefault(row.named, row)
    return list(found.values())


def may_be_written(reasons: Collection[str]) -> bool:
    """reasons: what the signal quality found."""
    return not FORBIDDING & set(reasons)


def with_measured(
    report: str,
    statements: Sequence[Statement],
    against: Sequence[str],
    named: Collection[str],
    measurements: Measurements,
    patient: SexAge,
) -> tuple[str, list[str]]:
    """A report with what is measured and proven and not stated in it, and a note of each change; the report itself where
    there is none. against: what contradicts each statement, "" for those that nothing does. named: as measured_rows."""
    stated = {one.code for one in statements}
    standing = {one.code for one, why in zip(statements, against, strict=True) if not why and not one.negated}
    rows = [
        row
        for row in measured_rows(named, measurements, patient)
        if row.is_written and not row.right_as & stated and not row.excludes & standing
    ]
    if not rows or not report:
        return report, []
    excluded = {code for row in rows for code in row.excludes}
    less = {code for row in rows for code in row.instead_of}
    wrong = [one.code in excluded and not one.negated for one in statements]
    normal = [one.code == NORMAL_ECG and one.certainty == "definite" for one in statements]
    unwanted = [bad or plain or one.code in less for one, bad, plain in zip(statements, wrong, normal, strict=True)]
    kept, left = without(report, statements, unwanted)
    sentences = [f"{row.says(measurements, patient)}." for row in rows]
    first = [words for row, words in zip(rows, sentences, strict=True) if codes()[row.code].kind == _RHYTHM]
    last = [words for words in sentences if words not in first]
    reworded = any(normal) and all(row.leaves_normal for row in rows)
    before, otherwise = _before_otherwise_normal(kept)
    parts = [*first, before, *last, otherwise, OTHERWISE_NORMAL if reworded else ""]
    notes = [f"written from the measurements: {words.removesuffix('.')}" for words in sentences]
    replaced = [one.code in less and one.code not in excluded for one in statements]
    notes += [f"replaced by it: '{one.text}'" for one, goes in zip(statements, replaced, strict=True) if goes]
    notes += [f"removed: {why}" for why, goes in zip(against, wrong, strict=True) if goes]
    if any(normal):
        notes.append("reworded: 'normal ECG' as 'otherwise normal ECG'" if reworded else "removed: 'normal ECG'")
    notes += [
        f"removed with it: '{one.text}', which shared its words"
        for index, one in enumerate(statements)
        if index not in left and not unwanted[index]
    ]
    return " ".join(part.strip() for part in parts if part.strip()), notes


def _before_otherwise_normal(report: str) -> tuple[str, str]:
    """A report in two where its last sentence says nothing but that the ECG is normal otherwise."""
    sentences = read_sentences(report)
    if sentences and {one.code for one in sentences[-1].statements} == {NORMAL_ECG}:
        return report[: sentences[-1].start], report[sentences[-1].start :]
    return report, ""


def is_from_measurements(report: str, statement: Statement) -> bool:
    """Whether the measurements wrote a statement of a report, by its mark."""
    return report.startswith(WRITTEN_MARK, statement.end)


def proven(code: str) -> Proportion:
    """How often what the measurements write by this code was right."""
    return next((row.proven for row in measured_findings() if row.code == code), Proportion(0, 0))
