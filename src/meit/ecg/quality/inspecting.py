"""All detectors, one after the other, and one verdict."""

from meit.ecg.quality.disturbances import MOST_RESTLESS, disturbances, named, restlessness
from meit.ecg.quality.integrity import integrity, integrity_reasons
from meit.ecg.quality.likeness import HARDLY_ALIKE, failing, likeness
from meit.ecg.quality.signals import View, view
from meit.ecg.quality.swaps import beat_of, exchanged
from meit.ecg.quality.verdicts import Quality, Reason, because
from meit.ecg.recording import LEADS, LIMB_LEADS, Recording

KINDS = {  # of disturbances, as they are reported
    "artefacts": ("artefacts", "unsteady"),
    "baseline_wander": ("baseline_wander",),
    "muscle_noise": ("muscle_noise",),
    "mains_hum": ("mains_hum",),
}


def inspect(recording: Recording) -> Quality:
    """The quality of a recording, of a long one that of its first ten seconds where noise, beats and electrodes are
    concerned; never raises for one that passed Recording's own checks. Whether the model knows such recordings is
    added when it drafts (meit.model.familiarity).
    """
    found = integrity(recording)
    reasons = integrity_reasons(found, recording)
    seen = view(recording, found.flat)
    if seen is not None:
        reasons += signal_reasons(seen, ordered=not found.broken_laws)
    parts = {name: value for name, value in vars(found).items() if name != "seconds"}
    return Quality(**parts, missing=recording.missing, derived=recording.derived).also(*reasons)


def signal_reasons(seen: View, ordered: bool) -> list[Reason]:
    """ordered: whether the limb leads are what they are named; else exchanged electrodes cannot be told."""
    like = likeness(seen)
    against = failing(like)
    if against:
        return [because("no_ecg", why=against[0])]
    reasons = []
    if like.alike is not None and like.alike < HARDLY_ALIKE:
        reasons.append(because("noisy_beats", value=like.alike, why=str(HARDLY_ALIKE)))
    restless = restlessness(seen)
    if restless > MOST_RESTLESS:
        reasons.append(because("restless", value=restless, why=str(MOST_RESTLESS)))
    amounts = disturbances(seen)
    over = named(seen, amounts)
    for reason, kinds in KINDS.items():
        leads = [any(over[kind][place] for kind in kinds) for place in range(len(LEADS))]
        if any(leads):
            most = max(amounts[kind][leads].max() for kind in kinds)
            reasons.append(because(reason, tuple(lead for lead, bad in zip(LEADS, leads, strict=True) if bad), most))
    beat = beat_of(seen) if ordered else None
    swap = exchanged(beat) if beat is not None else None
    if swap:
        one, other = swap.split("-")
        chest = swap.startswith("V")
        reason, leads = ("chest_electrodes", (one, other)) if chest else ("arm_electrodes", LIMB_LEADS)
        reasons.append(because(reason, leads, why=f"{one} and {other}"))
    return reasons
