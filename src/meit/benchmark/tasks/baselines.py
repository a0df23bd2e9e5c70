"""What a model that reads the ECG has to beat."""

from collections import Counter, defaultdict

import numpy as np

from meit.errors import DataError

SIMILARITIES_AT_ONCE = 2**26  # 256 MB of float32


def most_frequent_report(train_reports: list[str]) -> str:
    """The commonest training report, the same for every ECG; of equally common ones the first."""
    if not train_reports:
        raise DataError("no training reports")
    return Counter(train_reports).most_common(1)[0][0]


def nearest_reports(train_features: np.ndarray, train_reports: list[str], features: np.ndarray) -> list[str]:
    """For each row of `features` (m, d) the report of the training record whose row of `train_features` (n, d) has the
    greatest cosine similarity; of equally near ones the first."""
    if len(train_features) != len(train_reports) or not train_reports:
        raise DataError(f"{len(train_features)} training features for {len(train_reports)} training reports")
    train, queries = _unit_rows(train_features), _unit_rows(features)
    if train.shape[1] != queries.shape[1]:
        raise DataError(f"training features of {train.shape[1]} dimensions, but features of {queries.shape[1]}")
    step = max(1, SIMILARITIES_AT_ONCE // len(train))
    return [
        train_reports[nearest]
        for start in range(0, len(queries), step)
        for nearest in np.argmax(queries[start : start + step] @ train.T, axis=1)
    ]


def commonest_of_nearest(train_plans: np.ndarray, train_reports: list[str], plans: np.ndarray) -> list[str]:
    """For each row of `plans` (m, F), 0 or 1, the commonest of the training reports whose rows of `train_plans` (n, F) differ
    from it in the fewest findings."""
    if len(train_plans) != len(train_reports) or not train_reports:
        raise DataError(f"{len(train_plans)} training plans for {len(train_reports)} training reports")
    reports_of: dict[bytes, Counter[str]] = {}
    known = np.asarray(train_plans, np.float32)
    for row, text in zip(known, train_reports, strict=True):
        reports_of.setdefault(row.tobytes(), Counter())[text] += 1
    kinds = np.stack([np.frombuffer(key, np.float32) for key in reports_of])
    counts = list(reports_of.values())
    chosen = []
    for plan in np.asarray(plans, np.float32):
        differing = np.abs(kinds - plan).sum(axis=1)
        nearest = np.flatnonzero(differing == differing.min())
        chosen.append(sum((counts[kind] for kind in nearest), Counter[str]()).most_common(1)[0][0])
    return chosen


def _unit_rows(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, dtype=np.float32)
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    if not np.all(np.isfinite(norms) & (norms > 0)):
        raise DataError("a feature vector is zero or not finite: it has no direction to compare")
    return features / norms


def other_patient(patients: list, seed: int) -> np.ndarray:
    """(records,) indices: record i gets the ECG of record `index[i]`, which is of another patient.

    Each ECG is used once, so the ECGs keep their distribution and only lose their reports. Seeded; not uniform over
    all such permutations. It is impossible if one patient has more than half of the records.
    """
    rng = np.random.default_rng(seed)
    records_of = defaultdict(list)
    for record, patient in enumerate(patients):
        records_of[patient].append(record)
    groups = [rng.permutation(records) for records in records_of.values()]
    n, largest = len(patients), max(map(len, groups), default=0)
    if 2 * largest > n or n == 0:
        raise DataError(f"one patient has {largest} of {n} records: not every record can get another patient's ECG")
    order = np.concatenate([groups[i] for i in rng.permutation(len(groups))])
    # with patients in a row, a turn by at least the largest group, either way round, leaves every group behind
    turn = rng.integers(largest, n - largest + 1)
    index = np.empty(n, dtype=np.int64)
    index[order] = np.roll(order, -turn)
    return index
