"""Which fold is for what: PTB-XL's recommended split, by patient (Wagner et al., Scientific Data 7, 154, 2020)."""

SPLITS = {"train": tuple(range(1, 9)), "validation": (9,), "test": (10,)}
