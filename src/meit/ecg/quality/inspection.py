"""All detectors, one after the other, and one verdict."""

import numpy as np

from meit.ecg.quality.disturbances import MOST_RESTLESS, disturbances, over_limit, restlessness
from meit.ecg.quality.excerpt import Excerpt, excerpt_of
from meit.ecg.quality.integrity import integrity, integrity_reasons
from meit.ecg.quality.likeness import HARDLY_ALIKE, failing, likeness_of
from meit.ecg.quality.swaps import beat_of, exchanged
from meit.ecg.quality.verdicts import Quality, Reason, because
from meit.ecg.recording import LEADS, LIMB_LEADS, Recording
from meit.ecg.signal.gaps import as_recorded
from meit.ecg.signal.spikes import lifted

KINDS = {  # of disturbances, as they are reported
    "artefacts": ("artefacts", "unsteady"),
    "baseline_wander": ("baseline_wander",),
    "muscle_noise": ("muscle_noise",),
    "mains_hum": ("mains_hum",),
}


def inspect(recording: Recording) -> Quality:
    """The quality of a recording, of a long one that of its first ten seconds where noise, beats and electrodes are
    concerned; never raises for one that passed Recording's own checks. Whether the model knows such recordings is
    added when it drafts (meit.model.encoders.familiarity).
    """
    given, recording = recording, as_recorded(recording)
    recording, _ = lifted(recording)  # pacing spikes are no beats, and as steep as nothing else
    checks = integrity(recording, given)
    reasons = integrity_reasons(checks, recording)
    excerpt = excerpt_of(recording, checks.flat)
    if excerpt is not None:
        reasons += signal_reasons(excerpt, ordered=not checks.broken_laws)
    parts = {name: value for name, value in vars(checks).items() if name != "seconds"}
    return Quality(**parts, missing=recording.missing, derived=recording.derived).also(*reasons)


def signal_reasons(excerpt: Excerpt, ordered: bool) -> list[Reason]:
    """ordered: whether the limb leads are what they are named; else exchanged electrodes cannot be told."""
    like = likeness_of(excerpt)
    against = failing(like)
    if against:
        return [because("no_ecg", why=against[0])]
    reasons = []
    if like.alike is not None and like.alike < HARDLY_ALIKE:
        reasons.append(because("noisy_beats", value=like.alike, why=str(HARDLY_ALIKE)))
    restless = restlessness(excerpt)
    if restless > MOST_RESTLESS:
        reasons.append(because("restless", value=restless, why=str(MOST_RESTLESS)))
    amounts = disturbances(excerpt)
    over = over_limit(excerpt, amounts)
    for reason, kinds in KINDS.items():
        disturbed = np.any([over[kind] for kind in kinds], axis=0)
        if disturbed.any():
            most = max(amounts[kind][disturbed].max() for kind in kinds)
            reasons.append(because(reason, _names(disturbed), float(most)))
    beat = beat_of(excerpt) if ordered else None
    swap = exchanged(beat) if beat is not None else None
    if swap:
        one, other = swap.split("-")
        if swap.startswith("V"):
            reasons.append(because("chest_electrodes", (one, other), why=f"{one} and {other}"))
        else:
            reasons.append(because("arm_electrodes", LIMB_LEADS, why=f"{one} and {other}"))
    return reasons


def _names(chosen: np.ndarray) -> tuple[str, ...]:
    """Of the leads for which (12,) is True."""
    return tuple(lead for lead, use in zip(LEADS, chosen, strict=True) if use)
