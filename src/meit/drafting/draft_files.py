"""Files of recordings, drafted in batches; what cannot be read or drafted is named and never stops the others."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from meit.drafting.draft import Draft, draft_reports
from meit.drafting.report_writing import DRAFTED_AT_ONCE, READ_AHEAD
from meit.ecg.files.formats import read_ecg
from meit.ecg.recording import Recording, check_leads
from meit.errors import MeitError
from meit.model.report_model import ReportModel

_MOST_WORDS = 200  # letters of another library's error


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
    """Drafts recordings `batch` at a time, in the order of the paths; memory does not grow with their number.

    What goes wrong with one recording costs that one alone. An OSError, which is the machine's, goes through.
    """
    rest = iter(paths)
    while part := list(islice(rest, batch * READ_AHEAD)):
        files = [_read(path, model.spec.missing_chest_leads) for path in part]
        readable = [file for file in files if file.recording is not None]
        drafted = iter(_drafted(model, readable, batch, strict))
        for file in files:
            yield file if file.recording is None else next(drafted)


def _read(path: Path, missing_chest_leads: int) -> DraftedFile:
    try:
        recording = read_ecg(path, allow_missing=True)
        check_leads(recording, missing_chest_leads)
        return DraftedFile(path, recording)
    except MeitError as error:
        return DraftedFile(path, error=str(error))
    except MemoryError:
        return DraftedFile(path, error=f"{path}: the memory does not suffice to read it")


def _drafted(model: ReportModel, files: Sequence[DraftedFile], batch: int, strict: bool) -> list[DraftedFile]:
    """All of them together or, where that fails, each by itself: so the one that is to blame is found."""
    recordings = [file.recording for file in files if file.recording is not None]
    try:
        drafts = draft_reports(model, recordings, batch=batch, strict=strict)
    except OSError:
        raise
    except Exception as error:
        if len(files) > 1:
            return [one for file in files for one in _drafted(model, [file], batch, strict)]
        return [DraftedFile(file.path, error=_not_drafted(file.path, error)) for file in files]
    return [DraftedFile(file.path, file.recording, draft) for file, draft in zip(files, drafts, strict=True)]


def _not_drafted(path: Path, error: Exception) -> str:
    if isinstance(error, MeitError):
        return str(error)
    words = " ".join(str(error).split())[:_MOST_WORDS]
    return f"{path}: could not be drafted ({type(error).__name__}: {words}); please report this"
