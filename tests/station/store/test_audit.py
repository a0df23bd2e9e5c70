"""The chain of the audit trail: every single change, deletion, insertion and swap is found, and where."""

import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stations import add_drafted, quick_reader

from meit.errors import StationError
from meit.station.store.audit import (
    CREATED,
    START,
    Anchor,
    TrailRow,
    anchor,
    append,
    canonical_json,
    first_fault,
    row_hash,
)
from meit.station.store.signing import save_text
from meit.station.store.verifying import verify

WORDS = st.text(max_size=12)
EVENTS = st.lists(
    st.tuples(WORDS, st.none() | st.integers(1, 9), st.dictionaries(WORDS, st.integers() | WORDS)), max_size=7
)
HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
OTHER = {  # field -> values of its type
    "seq": st.integers(-2, 12),
    "at": WORDS,
    "account_id": st.none() | st.integers(1, 9),
    "action": WORDS,
    "objects": WORDS,
    "payload_sha256": HEX,
    "previous": HEX,
    "hash": HEX,
}


def chain(events) -> list[TrailRow]:
    """Rows as append makes them."""
    rows, previous = [], START
    for seq, (action, account, objects) in enumerate([(CREATED, None, {}), *events], 1):
        at = f"2026-01-01T00:00:{seq:02}.000000Z"
        fields = (seq, at, account, action, canonical_json(objects).decode(), "0" * 64, previous)
        rows.append(TrailRow(*fields, row_hash(*fields)))
        previous = rows[-1].hash
    return rows


@given(EVENTS)
def test_a_chain_holds_and_every_row_of_it_is_an_anchor(events):
    rows = chain(events)
    assert first_fault(rows, [Anchor(row.seq, row.hash) for row in rows]) is None


@given(EVENTS, st.data())
def test_any_change_of_any_field_is_found_at_its_row_or_the_next(events, data):
    rows = chain(events)
    place = data.draw(st.integers(0, len(rows) - 1))
    field = data.draw(st.sampled_from(sorted(OTHER)))
    changed = replace(rows[place], **{field: data.draw(OTHER[field])})
    if changed == rows[place]:
        return
    fault = first_fault([*rows[:place], changed, *rows[place + 1 :]])
    assert fault is not None and fault.seq == place + 1


@given(EVENTS, st.data())
def test_a_change_with_a_fitting_hash_is_found_at_the_next_row_or_by_an_anchor(events, data):
    rows = chain(events)
    place = data.draw(st.integers(0, len(rows) - 1))
    field = data.draw(st.sampled_from(["at", "account_id", "objects", "payload_sha256"]))
    changed = replace(rows[place], **{field: data.draw(OTHER[field])})
    if changed == rows[place]:
        return
    forged = replace(changed, hash=row_hash(*list(vars(changed).values())[:-1]))
    tampered = [*rows[:place], forged, *rows[place + 1 :]]
    if place + 1 < len(rows):
        assert first_fault(tampered).seq == place + 2
    assert first_fault(tampered, [Anchor(place + 1, rows[place].hash)]).seq == place + 1


@given(EVENTS, st.data())
def test_any_deleted_doubled_or_swapped_row_is_found(events, data):
    rows = chain(events)
    one = data.draw(st.integers(0, len(rows) - 1))
    head = [Anchor(len(rows), rows[-1].hash)]
    fault = first_fault([*rows[:one], *rows[one + 1 :]], head)
    assert fault.seq == one + 1 and "missing" in fault.why
    assert first_fault([*rows[: one + 1], rows[one], *rows[one + 1 :]]).seq == one + 2
    two = data.draw(st.integers(0, len(rows) - 1))
    if one != two:
        swapped = list(rows)
        swapped[one], swapped[two] = rows[two], rows[one]
        assert first_fault(swapped).seq == min(one, two) + 1


@given(EVENTS, st.data())
def test_a_cut_end_is_found_by_an_anchor_in_it_and_by_nothing_else(events, data):
    rows = chain(events)
    left = data.draw(st.integers(0, len(rows) - 1))
    cut = rows[:left]
    younger = data.draw(st.integers(left, len(rows) - 1))
    assert first_fault(cut, [Anchor(younger + 1, rows[younger].hash)]).seq == left + 1
    assert left == 0 or first_fault(cut) is None


@given(EVENTS, EVENTS)
def test_a_trail_written_anew_is_found_by_an_anchor(events, others):
    rows, forged = chain(events), chain(others)
    head = Anchor(len(rows), rows[-1].hash)
    assert (first_fault(forged, [head]) is None) == (rows == forged[: len(rows)])


def test_the_trail_of_the_database(store):
    recording, reader = add_drafted(store), quick_reader(store)
    for version in range(3):
        save_text(store, reader, recording, f"Text {version}.", version)
    found = verify(store)
    assert found.holds and found.rows == 6 and found.head == anchor(store) == Anchor.parse(str(found.head))
    with pytest.raises(StationError, match="an anchor reads"):
        Anchor.parse("meit-audit:1")


def test_what_is_rolled_back_leaves_no_row(store):
    with pytest.raises(ZeroDivisionError), store.writing() as session:
        append(session, "nothing")
        1 / 0  # noqa: B018
    assert verify(store).rows == 1


def test_many_writers_make_one_chain(store):
    def work(number):
        for _ in range(8):
            with store.writing() as session:
                append(session, "counted", worker=number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    found = verify(store)
    assert found.holds and found.rows == 49
