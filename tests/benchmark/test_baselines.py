import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meit.benchmark.tasks import baselines
from meit.benchmark.tasks.baselines import most_frequent_report, nearest_reports, other_patient
from meit.errors import DataError


def test_most_frequent_report():
    assert most_frequent_report(["a", "b", "c", "c", "b"]) == "b"
    with pytest.raises(DataError, match="no training reports"):
        most_frequent_report([])


def test_nearest_is_by_angle_not_by_distance():
    train = np.array([[100.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    assert nearest_reports(train, ["right", "up", "left"], np.array([[0.1, 0.01], [1, 9], [-5, 1]])) == [
        "right",
        "up",
        "left",
    ]


def test_nearest_in_blocks_is_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    train, features = rng.normal(size=(50, 8)), rng.normal(size=(23, 8))
    reports = [str(i) for i in range(50)]
    cosines = features @ train.T / np.linalg.norm(train, axis=1)
    expected = [str(i) for i in cosines.argmax(axis=1)]
    assert nearest_reports(train, reports, features) == expected
    monkeypatch.setattr(baselines, "SIMILARITIES_AT_ONCE", 200)
    assert nearest_reports(train, reports, features) == expected


@pytest.mark.parametrize(
    ("train", "reports", "features"),
    [
        (np.ones((2, 3)), ["a"], np.ones((1, 3))),
        (np.ones((0, 3)), [], np.ones((1, 3))),
        (np.ones((1, 3)), ["a"], np.ones((1, 4))),
        (np.ones((1, 3)), ["a"], np.zeros((1, 3))),
        (np.full((1, 3), np.nan), ["a"], np.ones((1, 3))),
    ],
)
def test_features_that_do_not_fit(train, reports, features):
    with pytest.raises(DataError):
        nearest_reports(train, reports, features)


@given(patients=st.lists(st.integers(0, 6), min_size=1, max_size=40), seed=st.integers(0, 99))
def test_every_record_gets_another_patients_ecg_wherever_that_is_possible(patients, seed):
    largest = max(patients.count(patient) for patient in patients)
    if 2 * largest > len(patients):
        with pytest.raises(DataError, match=f"one patient has {largest} of {len(patients)} records"):
            other_patient(patients, seed)
        return
    index = other_patient(patients, seed)
    assert sorted(index) == list(range(len(patients)))
    assert all(patients[i] != patients[j] for i, j in enumerate(index))
    assert np.array_equal(index, other_patient(patients, seed))


def test_other_seeds_give_other_patients():
    patients = list(range(100))
    assert not np.array_equal(other_patient(patients, 0), other_patient(patients, 1))
    with pytest.raises(DataError):
        other_patient([], 0)
