"""How grave is what a report states: critical findings, and whether the ECG is called abnormal."""

from collections.abc import Callable, Iterable, Sequence

from meit.reports.statements import Statement, codes

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
# What must neither be missed nor invented.
CRITICAL: dict[str, Callable[[Statement], bool]] = {
    "atrial_fibrillation": lambda one: one.code == "AFIB",
    "complete_av_block": lambda one: one.code == "3AVB",
    "acute_infarction": lambda one: codes()[one.code].superclass == "MI" and one.age in ("acute", "recent"),
    "long_qt": lambda one: one.code == "LNGQT",
    "ventricular_tachycardia": lambda one: one.code in ("VTACH", "VFIB"),
    "pacing": lambda one: one.code == "PACE",
}
# Findings of a normal ECG; what is in no superclass, not critical and not here makes a report abnormal unless it says
# that the ECG is (otherwise) normal.
BENIGN = frozenset({"NORM", "SR", "SARRH", "MID", "AXL", "AXR", "EREPOL", "ARTEFACT"})


def critical_findings(statements: Sequence[Statement]) -> tuple[str, ...]:
    """The names of CRITICAL that statements assert."""
    stated = [one for one in statements if not one.negated]
    return tuple(name for name, holds in CRITICAL.items() if any(holds(one) for one in stated))


def critical_words(name: str) -> str:
    """ "complete AV block", of a name of CRITICAL; of words, themselves."""
    return name.replace("_", " ").replace(" av ", " AV ").replace(" qt", " QT")


def beyond(known: Iterable[str]) -> tuple[str, ...]:
    """The names of CRITICAL that no statement with one of these codes asserts, whatever its age."""
    all_ages = [Statement(code, "", 0, 0, age=age) for code in known if code in codes() for age in ("", "acute")]
    return tuple(name for name in CRITICAL if name not in critical_findings(all_ages))


def is_abnormal(statements: Sequence[Statement]) -> bool:
    """Whether a report calls the ECG abnormal: a finding of MI, STTC, CD or HYP, a critical one, the words "abnormal
    ECG"; or any finding that is not BENIGN where it does not say that the ECG is normal otherwise."""
    stated = [one for one in statements if not one.negated]
    names = {one.code for one in stated}
    if "ABECG" in names or {codes()[name].superclass for name in names} & set(SUPERCLASSES[1:]):
        return True
    if critical_findings(stated):
        return True
    return "NORM" not in names and bool(names - BENIGN)
