"""Assignment by chance, balanced in every way that was promised."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from meit.station.study.assignment import ARMS, assign


@given(st.integers(1, 7), st.integers(2, 25), st.integers(0, 2**31))
def test_balanced(readers, recordings, seed):
    found = assign(readers, recordings, seed)
    assert len(found) == readers and all(sorted(one for one, _ in order) == list(range(recordings)) for order in found)
    for order in found:
        arms = [arm for _, arm in order]
        counts = [arms.count(arm) for arm in ARMS]
        assert abs(counts[0] - counts[1]) <= 1
        for place in range(0, min(counts) // 2 * 4, 4):  # permuted blocks
            assert Counter(arms[place : place + 4]) == dict.fromkeys(ARMS, 2)
    for recording in range(recordings):
        given = Counter(arm for order in found for one, arm in order if one == recording)
        assert abs(given["draft"] - given["blank"]) <= 1
    assert found == assign(readers, recordings, seed)


def test_every_pairing_happens():
    """No reader always shares his arms with another, and no recording comes first always."""
    agree, first = Counter(), Counter()
    for seed in range(400):
        orders = assign(4, 8, seed)
        agree[dict(orders[0])[0] == dict(orders[1])[0]] += 1
        first[orders[0][0][0]] += 1
    assert 0.2 < agree[True] / 400 < 0.5  # with two of four readers, a third on average
    assert set(first) == set(range(8)) and max(first.values()) < 90
