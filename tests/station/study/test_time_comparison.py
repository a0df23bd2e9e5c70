"""Simulated studies with a known effect: it is found, and its interval holds as often as it says."""

import itertools

import numpy as np
import pytest

from meit.station.study.assignment import assign
from meit.station.study.time_comparison import Done, compare_times, hodges_lehmann, medians
from meit.station.study.time_plot import times


def simulated(readers: int, recordings: int, ratio: float, seed: int, helped: float = 0.0) -> list[Done]:
    """Times with a draft are `ratio` of those without; readers differ by half, recordings by a third, each
    reading by a quarter. helped: by how much readers differ in what a draft does for them (SD of log)."""
    draw = np.random.default_rng(seed)
    by_reader, by_recording = draw.normal(0, 0.4, readers), draw.normal(0, 0.3, recordings)
    by_helped = np.log(ratio) + draw.normal(0, helped, readers)
    return [
        Done(
            f"reader {reader}",
            f"recording {one}",
            arm,
            place,
            float(
                np.exp(
                    4
                    + by_reader[reader]
                    + by_recording[one]
                    - 0.01 * place
                    + (arm == "draft") * by_helped[reader]
                    + draw.normal(0, 0.25)
                )
            ),
            100,
            8,
            *((3, 2, 1, 1) if arm == "draft" else ()),
        )
        for reader, order in enumerate(assign(readers, recordings, seed))
        for place, (one, arm) in enumerate(order)
    ]


def test_a_known_effect_is_found():
    mixed, by_recording, by_reader = compare_times(simulated(6, 16, 0.6, 1))
    for found in (mixed, by_recording, by_reader):
        assert found.low < 0.6 < found.high < 0.85 and found.p < 0.05, found
    assert (mixed.pairs, by_recording.pairs, by_reader.pairs) == (96, 16, 6)


def test_no_effect_is_not_found_more_often_than_chance_allows():
    seen = dict.fromkeys(range(2), 0)
    rounds = 40
    for seed in range(rounds):
        for name, found in enumerate(compare_times(simulated(4, 12, 1.0, 100 + seed))[:2]):
            seen[name] += found.low <= 1 <= found.high
    assert all(0.85 * rounds <= held for held in seen.values()), (
        seen
    )  # 95% of 40 is 38; 34 is three standard errors less


def test_the_interval_holds_though_a_draft_helps_one_reader_more_than_another():
    rounds, held = 40, 0
    for seed in range(rounds):
        mixed = compare_times(simulated(4, 30, 0.7, 200 + seed, helped=0.2))[0]
        held += mixed.low <= 0.7 <= mixed.high
    assert held >= 0.85 * rounds, held  # 26 of 40 without a random slope


def test_one_reader_alone_is_compared_by_the_model():
    rounds, held = 40, 0
    for seed in range(rounds):
        mixed, by_recording, by_reader = compare_times(simulated(1, 24, 0.5, 300 + seed))
        held += mixed.low <= 0.5 <= mixed.high
        assert mixed.p > 0 and not mixed.why
    assert held >= 0.85 * rounds, held
    assert by_recording.value is None and "both kinds" in by_recording.why and by_reader.value is None


@pytest.mark.parametrize("few", [[], simulated(2, 2, 1, 0)[:1], simulated(2, 2, 1, 0)])
def test_too_little_is_said_to_be_too_little(few):
    assert all(one.value is None and one.why for one in compare_times(few))


def test_arms_side_by_side():
    done = simulated(3, 10, 0.5, 5)
    draft, blank = medians(done)
    assert draft["n"] == blank["n"] == 15 and draft["active_s"][1] < blank["active_s"][1]
    assert (draft["distance"], draft["kept"], draft["removed"], draft["added"]) == (3, 2, 1, 1) and "kept" not in blank
    assert times(done).startswith(b"\x89PNG")


@pytest.mark.parametrize("pairs", range(6, 13))
def test_the_interval_of_the_median_holds_in_95_of_100(pairs):
    """Exactly: differences of no effect have each sign by chance, so of all tables of signs 95 % and more have zero in
    their interval; and the next narrower interval would have it too seldom."""
    sizes = 1.3 ** np.arange(pairs)
    i, j = np.triu_indices(pairs)
    held = narrower = 0
    for signs in itertools.product((-1, 1), repeat=pairs):
        differences = sizes * signs
        _, low, high = hodges_lehmann(differences)
        held += low <= 0 <= high
        walsh = np.sort((differences[i] + differences[j]) / 2)
        k = np.searchsorted(walsh, low) + 1
        narrower += walsh[k] <= 0 <= walsh[-k - 1]
    assert held >= 0.95 * 2**pairs > narrower


def test_six_pairs_have_the_whole_range_as_their_interval():
    differences = np.array([0.3, -0.1, 0.7, 1.9, -2.3, 0.05])
    assert hodges_lehmann(differences)[1:] == (-2.3, 1.9)
