"""Which fold is for what: PTB-XL's recommended split, by patient (Wagner et al., Scientific Data 7, 154, 2020)."""

import hashlib

ALL = tuple(range(1, 11))
SPLITS = {"train": tuple(range(1, 9)), "validation": (9,), "test": (10,)}


def folds_of(split: str) -> tuple[int, ...]:
    """Of a split's name, or of "all"."""
    return ALL if split == "all" else SPLITS[split]


def fold_of(patient_id: str, seed: int = 0) -> int:
    """1..10, evenly, where a source has no folds of its own: a patient's recordings share one, whatever else is there."""
    digest = hashlib.blake2b(f"{seed}:{patient_id}".encode(), digest_size=8).digest()
    return 1 + int.from_bytes(digest) % 10
