"""Files of recordings, drafted in batches; what cannot be read or drafted is named and never stops the others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from meit.drafting.draft import Draft, draft_reports
from meit.drafting.report_writing import DRAFTED_AT_ONCE, READ_AHEAD
from meit.ecg.files.formats import read_ecg
from meit.ecg.recording import Recording, check_leads
from meit.errors import MeitError
from meit.model.report_model import ReportModel


@dataclass(frozen=True)
class DraftedFile:
    """A recording and its draft, or the error that stood in the way."""

    path: Path
    recording: Recording | None = None
    draft: Draft | None = None
    error: str | None = None


def draft_paths(
    model: ReportModel, paths: Iterable[Path], batch: int = DRAFTED_AT_ONCE, strict: bool = False
) -> Iterator[DraftedFile]:
    """Drafts recordings `batch` at a time, in the order of the paths; memory does not grow with their number."""
    rest = iter(paths)
    while part := list(islice(rest, batch * READ_AHEAD)):
        files = [_read(path, model.spec.missing_chest_leads) for path in part]
        readable = [file.recording for file in files if file.recording is not None]
        drafts = iter(draft_reports(model, readable, batch=batch, strict=strict))
        for file in files:
            yield file if file.recording is None else DraftedFile(file.path, file.recording, next(drafts))


def _read(path: Path, missing_chest_leads: int) -> DraftedFile:
    try:
        recording = read_ecg(path, allow_missing=True)
        check_leads(recording, missing_chest_leads)
        return DraftedFile(path, recording)
    except MeitError as error:
        return DraftedFile(path, error=str(error))
