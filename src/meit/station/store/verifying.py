"""Whether the audit trail holds, and whether signed reports and drafts still are what it says of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from meit.station.store.audit import Anchor, Fault, TrailRow, canonical_json, first_fault, trail_rows
from meit.station.store.database import Store
from meit.station.store.saved_drafts import draft_digest
from meit.station.store.schema import DraftRow, SignedReport
from meit.station.store.signing import SIGNED, report_digest

DRAFTED = "draft.saved"


@dataclass(frozen=True)
class Verdict:
    """fault: the first broken row of the trail. contents: what does not agree with it, in words. head: to be kept."""

    rows: int
    head: Anchor | None
    fault: Fault | None
    contents: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.faults

    @property
    def faults(self) -> tuple[str, ...]:
        """All of it in words."""
        broken = (f"row {self.fault.seq} {self.fault.why}",) if self.fault else ()
        return broken + self.contents


def verify(store: Store, anchors: Sequence[Anchor] = ()) -> Verdict:
    """Reads the whole trail and every signed report and draft; what this can and cannot detect: meit.station.store.audit."""
    seen: dict[tuple[str, str], str] = {}
    head, count = None, 0

    def watched(trail: Iterable[TrailRow]) -> Iterator[TrailRow]:
        nonlocal head, count
        for row in trail:
            head, count = Anchor(row.seq, row.hash), count + 1
            if row.action in (SIGNED, DRAFTED):
                seen[row.action, row.objects] = row.payload_sha256
            yield row

    with store.reading() as session:
        trail = watched(trail_rows(session))
        fault = first_fault(trail, anchors)
        for _ in trail:  # beyond a fault, for the contents
            pass
        contents = _disagreeing(session, seen)
    return Verdict(count, head, fault, contents)


def _disagreeing(session: Session, seen: dict[tuple[str, str], str]) -> tuple[str, ...]:
    found = []

    def compare(action: str, objects: dict, sha256: str, words: str) -> None:
        recorded = seen.pop((action, canonical_json(objects).decode()), None)
        if recorded is None:
            found.append(f"{words} is not in the audit trail")
        elif recorded != sha256:
            found.append(f"{words} was changed")

    for report in session.scalars(select(SignedReport).execution_options(yield_per=200)):
        words = f"version {report.number} of the report of recording {report.recording_id}"
        compare(SIGNED, {"recording": report.recording_id, "number": report.number}, report_digest(report), words)
    for draft in session.scalars(select(DraftRow).execution_options(yield_per=200)):
        words = f"draft {draft.id} of recording {draft.recording_id}"
        objects = {"recording": draft.recording_id, "model": draft.model_sha256}
        compare(DRAFTED, objects, draft_digest(draft.draft, draft.measured), words)
    found += [f"what {action} {objects} recorded is gone" for action, objects in seen]
    return tuple(found)
