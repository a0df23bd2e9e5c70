"""Whether limb leads are what they are named: they follow from two of I, II and III, and so must add up."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from meit.ecg.lead_order import LIMB_LAWS
from meit.ecg.recording import LIMB_LEADS

_LEAST_MV = 0.03
_SHARE = 0.2  # of the size of the limb leads
_SUM = ("aVR + aVL + aVF = 0", ("aVR", "aVL", "aVF"), (1, 1, 1))  # follows, and holds without I, II and III


@dataclass(frozen=True)
class LimbLaws:
    """errors_mv: by how much each law whose leads are all there is off (rms); offsets between leads do not count.
    allowed_mv: what is put down to noise. broken: the laws that are off by more."""

    errors_mv: dict[str, float]
    allowed_mv: float
    broken: tuple[str, ...]


def limb_laws(leads: Mapping[str, np.ndarray]) -> LimbLaws:
    """leads: (n,) mV by name, NaN in gaps; those that were recorded, since derived ones add up whatever they are.

    I and III exchanged obey the first law, so the augmented leads are needed too; their own sum is looked at where no
    law joins them to the others.
    """
    laws = [law for law in LIMB_LAWS if leads.keys() >= set(law[1])]
    if not any(name.startswith("aV") for name, _, _ in laws) and leads.keys() >= set(_SUM[1]):
        laws.append(_SUM)
    errors = {}
    for name, members, weights in laws:
        signed = np.stack([leads[lead] for lead in members], axis=1).astype(np.float64) @ np.array(weights)
        signed = signed[np.isfinite(signed)]
        if len(signed):
            errors[name] = float(signed.std())
    allowed = max(_LEAST_MV, _SHARE * _size([leads[lead] for lead in LIMB_LEADS if lead in leads]))
    return LimbLaws(errors, allowed, tuple(name for name, error in errors.items() if error > allowed))


def _size(limb: list[np.ndarray]) -> float:
    """Root mean square in mV of the limb leads around their means; 0 where there is none."""
    parts = [lead[np.isfinite(lead)].astype(np.float64) for lead in limb]
    centred = [part - part.mean() for part in parts if len(part)]
    return float(np.sqrt(np.mean(np.concatenate(centred) ** 2))) if centred else 0.0
