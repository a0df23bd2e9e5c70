"""Which fold is for what: PTB-XL's recommended split, by patient (Wagner et al., Scientific Data 7, 154, 2020)."""

import hashlib

ALL = tuple(range(1, 11))
SPLITS = {"train": tuple(range(1, 9)), "validation": (9,), "test": (10,)}


def folds_of(split: str) -> tuple[int, ...]:
    """Of a split's name, or of "all"."""
    return ALL if split == "all" else SPLITS[split]


def fold_of(patient_id: str, seed: int = 0) -> int:
    """1..10, evenly, where a source has no folds of its own: a patient's recordings share one, whatever else is there."""
    return 1 + _drawn(f"{seed}:{patient_id}") % 10


def in_share(patient_id: str, share: float) -> bool:
    """Whether a patient belongs to a share (0..1) of a set; a smaller share lies within a larger one."""
    return share >= 1 or _drawn(f"share:{patient_id}") < share * 2**64


def _drawn(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
