"""What is to be doubted in a draft as a whole: a normal report over a recording that the encoder finds abnormal, and a
rhythm without P waves over noise that hides them."""

from collections.abc import Sequence

from meit.reports.statements import asserted, read_statements
from meit.reports.word_tables import scp_codes

NORMAL = ("normal ecg.", "no definite pathology.")
LEAST_NORMAL = 0.5  # probability of a normal ECG below which "normal" is doubted
NAMED = 0.25  # probability from which a finding is named as a reason
NO_FINDINGS = ("NORM", "SR")  # and the axis classes
NO_P_WAVES = {"AFIB": "atrial fibrillation", "AFLT": "atrial flutter"}  # what noise is taken for (docs/noise.md)
DISTURBED = {"muscle_noise", "artefacts", "noisy_beats", "restless"}  # of meit.ecg.quality


def doubts(report: str, findings: Sequence[str], probabilities: Sequence[float]) -> list[str]:
    """Warnings of one draft; findings are the encoder's codes, probabilities what it gives each of them (0..1)."""
    given = dict(zip(findings, probabilities, strict=True))
    text = report.lower().replace("otherwise normal ecg", "")
    if "NORM" not in given or given["NORM"] >= LEAST_NORMAL or not any(words in text for words in NORMAL):
        return []
    names = scp_codes()
    likely = sorted((p, code) for code, p in given.items() if p >= NAMED and code in names and code not in NO_FINDINGS)
    reasons = ", ".join(f"{names[code]} {p:.0%}" for p, code in reversed(likely)) or "no single finding stands out"
    return [f"the draft says normal, but the encoder's probability of a normal ECG is {given['NORM']:.0%} ({reasons})"]


def hidden_rhythm(report: str, reasons: Sequence[str]) -> list[str]:
    """A warning of one draft; reasons: what the signal quality found."""
    named = [words for code, words in NO_P_WAVES.items() if code in asserted(read_statements(report))]
    if not named or not DISTURBED & set(reasons):
        return []
    return [
        f"the draft says {' and '.join(named)} over a disturbed recording: noise hides P waves, and is often taken for it; "
        "look for P waves, or record again"
    ]
