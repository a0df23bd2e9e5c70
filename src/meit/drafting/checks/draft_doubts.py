"""What is to be doubted in a draft as a whole: a normal report over a recording that the encoder finds abnormal, a
rhythm without P waves over noise that hides them, and a draft of less, or other, signal than one would think."""

import re
from collections.abc import Collection, Mapping

from meit.drafting.checks.rewording import NORMAL_ECG
from meit.reports.statements import asserted, read_sentences, read_statements
from meit.reports.word_tables import scp_codes

LEAST_NORMAL = 0.5  # probability of a normal ECG below which "normal" is doubted
NAMED = 0.25  # probability from which a finding is named as a reason
NO_FINDINGS = (NORMAL_ECG, "SR")  # and the axis classes
NO_P_WAVES = {"AFIB": "atrial fibrillation", "AFLT": "atrial flutter"}  # what noise is taken for (docs/noise.md)
DISTURBED = {"muscle_noise", "artefacts", "noisy_beats", "restless"}  # of meit.ecg.quality
_BUT = re.compile(r"\b(?:otherwise|except|apart from|aside from)\b", re.IGNORECASE)


def unlikely_normal(report: str, probabilities: Mapping[str, float]) -> list[str]:
    """A warning where a report calls the ECG normal, and not "otherwise normal", and the encoder holds that unlikely.

    probabilities: the encoder's, 0 to 1, by the codes of its findings; empty where it was trained to find none.
    """
    normal = probabilities.get(NORMAL_ECG, 1.0)
    if normal >= LEAST_NORMAL or not _calls_normal(report):
        return []
    names = scp_codes()
    likely = [(p, code) for code, p in probabilities.items() if p >= NAMED and code in names]
    reasons = [f"{names[code]} {p:.0%}" for p, code in sorted(likely, reverse=True) if code not in NO_FINDINGS]
    because = ", ".join(reasons) or "no single finding stands out"
    return [f"the draft says normal, but the encoder's probability of a normal ECG is {normal:.0%} ({because})"]


def _calls_normal(report: str) -> bool:
    return any(
        NORMAL_ECG in asserted(sentence.statements) and not _BUT.search(sentence.text)
        for sentence in read_sentences(report)
    )


def hidden_rhythm(report: str, reasons: Collection[str]) -> list[str]:
    """A warning of one draft; reasons: what the signal quality found."""
    stated = asserted(read_statements(report))
    named = [words for code, words in NO_P_WAVES.items() if code in stated]
    if not named or not DISTURBED & set(reasons):
        return []
    return [
        f"the draft says {' and '.join(named)} over a disturbed recording: noise hides P waves, and is often taken for it; "
        "look for P waves, or record again"
    ]


def partly_read(recorded_s: float, seen_s: float, window_s: float, windows: int, reasons: Collection[str]) -> list[str]:
    """A warning where the model has not seen all of a recording of recorded_s seconds, or has seen less than a window.

    seen_s: how much of the first window is recorded. windows: how many the recording fills. reasons: what the signal
    quality found, which may have said so already.
    """
    if windows > 1:
        return [f"the recording has {recorded_s:.0f} s; the draft reads its first {window_s:.0f} s"]
    if seen_s < window_s and "short" not in reasons:
        return [f"only {seen_s:.1f} s of {window_s:.0f} s are recorded"]
    return []
