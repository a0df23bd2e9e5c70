"""Many recordings, drafted in batches; what cannot be read or drafted is named and never stops the others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from meit.drafting.draft import Draft, draft_reports
from meit.drafting.writing import BATCH
from meit.ecg.files.formats import read_ecg
from meit.ecg.recording import Recording, check_leads
from meit.errors import MeitError
from meit.model.report_model import ReportModel

READ_AHEAD = 8  # batches whose recordings are read at once, to be written in the order of their length


@dataclass(frozen=True)
class Drafted:
    """A recording and its draft, or the error that stood in the way."""

    path: Path
    recording: Recording | None = None
    draft: Draft | None = None
    error: str | None = None


def draft_paths(
    model: ReportModel, paths: Iterable[Path], batch: int = BATCH, strict: bool = False
) -> Iterator[Drafted]:
    """Drafts recordings `batch` at a time, in the order of the paths; memory does not grow with their number."""
    rest = iter(paths)
    while part := list(islice(rest, batch * READ_AHEAD)):
        found = [_read(path, model.spec.missing_chest_leads) for path in part]
        readable = [one.recording for one in found if one.recording is not None]
        drafts = iter(draft_reports(model, readable, batch=batch, strict=strict)) if readable else iter(())
        for one in found:
            yield one if one.recording is None else Drafted(one.path, one.recording, next(drafts))


def _read(path: Path, missing_chest_leads: int) -> Drafted:
    try:
        recording = read_ecg(path, allow_missing=True)
        check_leads(recording, missing_chest_leads)
        return Drafted(path, recording)
    except MeitError as error:
        return Drafted(path, error=str(error))
