"""Which mistake in the order, the names or the sign of the leads explains limb leads that do not add up.

The limb leads follow from two of I, II and III (Einthoven's law and Goldberger's definitions), so a wrong order shows,
and the order under which the laws hold again names the mistake. No exchange of limb leads keeps all four laws; where
some limb leads were not recorded, several mistakes may look the same, and all of them are named. Exchanged electrodes
are not found here: leads recorded from them add up.
"""

from collections.abc import Sequence
from functools import cache
from itertools import permutations

import numpy as np

from meit.ecg.recording import CHEST_LEADS, LEADS, LIMB_LEADS, Recording

LIMB_LAWS = (  # the weighted sum of the leads is zero
    ("I + III = II", ("I", "III", "II"), (1, 1, -1)),
    ("aVR = -(I + II) / 2", ("aVR", "I", "II"), (1, 0.5, 0.5)),
    ("aVL = (I - III) / 2", ("aVL", "I", "III"), (1, -0.5, 0.5)),
    ("aVF = (II + III) / 2", ("aVF", "II", "III"), (1, -0.5, -0.5)),
)
_LAWS = [*LIMB_LAWS, ("aVR + aVL + aVF = 0", ("aVR", "aVL", "aVF"), (1, 1, 1))]  # follows, and holds without I
EXPLAINED = 0.5  # a mistake explains broken laws if, undone, they are off by less than this share of what is allowed
ALIKE = 2.0  # mistakes that leave less than this times the best one's error explain the laws as well as it does
MOST_NAMED = 3
_REORDERED = (  # what stands in the columns that are named I, II, III, aVR, aVL, aVF, V1-V6; "-": inverted, "?": other
    ("all leads look one column late (time read as lead I?)", "? I II III aVR aVL aVF V1 V2 V3 V4 V5"),
    ("all leads look one column early (first column left out?)", "II III aVR aVL aVF V1 V2 V3 V4 V5 V6 ?"),
    ("limb and chest leads look exchanged", "V1 V2 V3 V4 V5 V6 I II III aVR aVL aVF"),
    ("the leads look as if stored row by row of a printed sheet", "I aVR V1 V4 II aVL V2 V5 III aVF V3 V6"),
    ("the limb leads look as if stored in Cabrera's order", "aVL I -aVR II aVF III V1 V2 V3 V4 V5 V6"),
)


def likely_causes(recording: Recording, allowed_mv: float) -> list[str]:
    """The simplest mistakes that, undone, leave every law of the limb leads off by far less than allowed_mv (rms).

    Empty where no mistake does, or too many to be of help.
    """
    recorded = np.array([lead not in recording.derived + recording.missing for lead in LEADS])
    signal = np.where(recorded, recording.signal, 0).astype(np.float64)
    signal = signal[np.isfinite(signal).all(axis=1)]
    if len(signal) < 2:
        return []
    causes, n_changed, weights = _mistakes()
    errors = np.sqrt(np.einsum("mli,ij,mlj->ml", weights, np.cov(signal, rowvar=False, bias=True), weights).clip(0))
    checked = (weights != 0).any(axis=2) & ~(weights[:, :, ~recorded] != 0).any(axis=2)
    worst = np.where(checked, errors, 0).max(axis=1)
    n_checked = checked.sum(axis=1)
    fits = (n_checked >= min(2, n_checked[0])) & (worst < EXPLAINED * allowed_mv)  # the first one leaves all as it is
    fits &= n_changed == n_changed[fits].min(initial=len(LEADS))
    alike = fits & (worst <= ALIKE * worst[fits].min(initial=np.inf))
    named = [causes[number] for number in np.flatnonzero(alike)]
    return named if len(named) <= MOST_NAMED else []


@cache
def _mistakes() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Of each mistake its name, how many leads it moves, and the weights (n_laws, 12) of the columns in the laws.

    A law that needs a lead which the mistake has lost has no weights.
    """
    mistakes: list[tuple[str, int, Sequence[str]]] = [("", 0, LEADS)]
    for limb in permutations(LIMB_LEADS):
        moved = [lead for lead, stored in zip(LIMB_LEADS, limb, strict=True) if lead != stored]
        cause = f"the limb leads look as if stored in the order {', '.join(limb)}"
        if len(moved) == 2:
            cause = f"{' and '.join(moved)} look exchanged"
        if moved:
            mistakes.append((cause, len(moved), limb + CHEST_LEADS))
    for lead in LIMB_LEADS:
        mistakes.append((f"{lead} looks inverted", 2, [f"-{stored}" if stored == lead else stored for stored in LEADS]))
    mistakes += [(cause, 2, stored.split()) for cause, stored in _REORDERED]  # one mistake, though all leads move
    weights = np.zeros((len(mistakes), len(_LAWS), len(LEADS)))
    for number, (_, _, stored) in enumerate(mistakes):
        columns = {lead.lstrip("-"): (column, -1 if lead[0] == "-" else 1) for column, lead in enumerate(stored)}
        for law, (_, leads, terms) in enumerate(_LAWS):
            if set(leads) <= columns.keys():
                for lead, term in zip(leads, terms, strict=True):
                    column, sign = columns[lead]
                    weights[number, law, column] = sign * term
    return [cause for cause, _, _ in mistakes], np.array([n for _, n, _ in mistakes]), weights
