"""Reports without recordings borrow the probabilities of recordings."""

import numpy as np

from meit.training.targets import as_if_recorded


def test_a_report_borrows_from_the_recording_with_its_findings():
    known = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    held_out = np.array([[0.9, 0.1, 0.2], [0.3, 0.8, 0.1], [0.2, 0.4, 0.6]], np.float32)
    given = as_if_recorded(known[[2, 0]], known, held_out, np.random.default_rng(0))
    assert np.array_equal(given, held_out[[2, 0]])


def test_where_findings_differ_another_recording_fills_in():
    known = np.array([[1, 0], [0, 1], [0, 0]], np.float32)
    held_out = np.array([[0.9, 0.1], [0.3, 0.8], [0.2, 0.4]], np.float32)
    both = np.ones((50, 2), np.float32)
    given = as_if_recorded(both, known, held_out, np.random.default_rng(0))
    assert np.array_equal(given, np.tile(np.array([0.9, 0.8], np.float32), (50, 1)))


def test_equally_near_recordings_take_turns():
    known = np.zeros((4, 1), np.float32)
    held_out = np.array([[0.1], [0.2], [0.3], [0.4]], np.float32)
    given = as_if_recorded(np.zeros((200, 1), np.float32), known, held_out, np.random.default_rng(0))
    assert set(given[:, 0]) == set(held_out[:, 0])


def test_compared_in_parts_the_same_is_borrowed():
    """Of 700,000 recordings and 10,000 reports the whole comparison would take 27 GB."""
    rng = np.random.default_rng(1)
    known = (rng.random((83, 6)) < 0.3).astype(np.float32)
    held_out = rng.random((83, 6), dtype=np.float32)
    asked = (rng.random((57, 6)) < 0.3).astype(np.float32)
    whole = as_if_recorded(asked, known, held_out, np.random.default_rng(2))
    for kept in (1, 83 * 5, 83 * 57 - 1):
        assert np.array_equal(as_if_recorded(asked, known, held_out, np.random.default_rng(2), kept), whole)
