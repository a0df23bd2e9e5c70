"""The audit trail: every event a row, chained by hashes, written in the transaction of what it records.

Each row's hash is SHA-256 over its fields and the hash of the row before (Schneier and Kelsey, "Secure Audit Logs to
Support Computer Forensics", ACM TISSEC 1999, without its evolving key; RFC 6962, section 2.1, for hashes over typed,
unambiguous input), in canonical JSON (RFC 8785; only strings, integers and null occur, so no number has two spellings).

    detected      a row that was changed, deleted, inserted or moved; a head that was cut off, where an anchor or a signed
                  report is younger; signed reports and drafts that differ from what was recorded, or have no row
    not detected  rows cut off at the end that are younger than every anchor and record no signing or draft; and a trail
                  whose tail was written anew with fitting hashes by someone who may write to the database, unless an
                  anchor lies within the tail. So anchors have to be kept where he cannot write: each signed report that
                  leaves the station carries one (Signed.anchor), and `anchor` gives one at any time.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from meit.errors import StationError
from meit.station.store.database import Store
from meit.station.store.moments import moment_text
from meit.station.store.schema import AuditRow, now

START = "0" * 64
CREATED = "store.created"
NOTHING = hashlib.sha256(b"").hexdigest()
_ANCHOR = re.compile(r"meit-audit:(\d{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True)
class TrailRow:
    """As stored; objects is canonical JSON of ids, payload_sha256 of the content that the event is about."""

    seq: int
    at: str
    account_id: int | None
    action: str
    objects: str
    payload_sha256: str
    previous: str
    hash: str


@dataclass(frozen=True)
class Anchor:
    """A row's number and hash: whoever holds it can tell whether the trail up to there is still the same."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"meit-audit:{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Self:
        found = _ANCHOR.fullmatch(text.strip())
        if found is None:
            raise StationError("an anchor reads meit-audit:NUMBER:HASH")
        return cls(int(found[1]), found[2])


@dataclass(frozen=True)
class Fault:
    """seq: of the first row that is not as it was written (or missing)."""

    seq: int
    why: str


def canonical_json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: object) -> str:
    return hashlib.sha256(canonical_json(value)).hexdigest()


def row_hash(
    seq: int, at: str, account_id: int | None, action: str, objects: str, payload_sha256: str, previous: str
) -> str:
    event = {
        "seq": seq,
        "at": at,
        "account": account_id,
        "action": action,
        "objects": objects,
        "payload": payload_sha256,
    }
    return digest({"format": "meit-audit-1", **event, "previous": previous})


def append(
    session: Session, action: str, account_id: int | None = None, payload: str = NOTHING, **objects: int | str
) -> Anchor:
    """Adds an event within a transaction of Store.writing. objects: what it is about, ids and never patient data."""
    last = session.execute(select(AuditRow.seq, AuditRow.hash).order_by(AuditRow.seq.desc()).limit(1)).first()
    seq, previous = (1, START) if last is None else (last.seq + 1, last.hash)
    fields = (seq, moment_text(now()), account_id, action, canonical_json(objects).decode(), payload, previous)
    row = TrailRow(*fields, row_hash(*fields))
    session.add(AuditRow(**vars(row)))
    session.flush()
    return Anchor(row.seq, row.hash)


def anchor(store: Store) -> Anchor:
    """The head of the trail, to be kept elsewhere."""
    with store.reading() as session:
        last = session.execute(select(AuditRow.seq, AuditRow.hash).order_by(AuditRow.seq.desc()).limit(1)).first()
    if last is None:
        raise StationError("the audit trail is empty: it was deleted, or this is no station database")
    return Anchor(*last)


def trail_rows(session: Session) -> Iterator[TrailRow]:
    """The trail from its beginning."""
    columns = [getattr(AuditRow, name) for name in TrailRow.__dataclass_fields__]
    for found in session.execute(select(*columns).order_by(AuditRow.seq), execution_options={"yield_per": 1000}):
        yield TrailRow(*found)


def first_fault(trail: Iterable[TrailRow], anchors: Sequence[Anchor] = ()) -> Fault | None:
    """The first row that breaks the chain; None where it holds and all anchors lie on it."""
    held: dict[int, str] = {}
    for one in anchors:
        if held.setdefault(one.seq, one.hash) != one.hash:
            return Fault(one.seq, "two anchors contradict each other")
    previous, seq = START, 0
    for seq, row in enumerate(trail, 1):
        if row.seq != seq:
            return Fault(seq, "is missing")
        if seq == 1 and row.action != CREATED:
            return Fault(1, "is not the beginning of a trail")
        if row.previous != previous:
            return Fault(seq, "does not follow from the row before: one of them was changed")
        previous = row.hash
        if row.hash != row_hash(*[value for name, value in vars(row).items() if name != "hash"]):
            return Fault(seq, "was changed: its hash does not fit")
        if held.pop(seq, row.hash) != row.hash:
            return Fault(seq, "is not the row that the anchor names: the trail was written anew")
    if seq == 0:
        return Fault(1, "is missing: the trail is empty")
    return Fault(seq + 1, f"is missing: the trail ends before anchor {min(held)}") if held else None
