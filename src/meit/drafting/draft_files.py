"""Files of recordings, drafted in batches; what cannot be read or drafted is named and never stops the others."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from meit.drafting.draft import Draft, draft_reports, input_form
from meit.drafting.reading_ahead import ReadFile, not_drafted, read_ahead
from meit.drafting.report_writing import DRAFTED_AT_ONCE, READ_AHEAD
from meit.ecg.recording import Recording
from meit.machine import cores
from meit.model.report_model import ReportModel


@dataclass(frozen=True)
class DraftedFile:
    """A recording and its draft, or the error that stood in the way."""

    path: Path
    recording: Recording | None = None
    draft: Draft | None = None
    error: str | None = None


def draft_paths(
    model: ReportModel,
    paths: Iterable[Path],
    batch: int = DRAFTED_AT_ONCE,
    strict: bool = False,
    processes: int = 0,
    waited: Callable[[float], object] = lambda seconds: None,
) -> Generator[DraftedFile]:
    """Drafts recordings `batch` at a time, in the order of the paths; memory does not grow with their number.

    processes, waited: read and measure ahead of the model, as meit.drafting.reading_ahead has it; by default one for each
    processor. What goes wrong with one recording costs that one alone. An OSError, which is the machine's, goes through.
    """
    ahead = batch * READ_AHEAD
    needs = input_form(model), model.spec.missing_chest_leads
    with closing(read_ahead(paths, *needs, processes or cores(), ahead, waited)) as read:
        while part := list(islice(read, ahead)):
            drafted = iter(_drafted(model, [file for file in part if file.prepared is not None], batch, strict))
            for file in part:
                yield DraftedFile(file.path, error=file.error) if file.prepared is None else next(drafted)


def _drafted(model: ReportModel, files: Sequence[ReadFile], batch: int, strict: bool) -> list[DraftedFile]:
    """All of them together or, where that fails, each by itself: so the one that is to blame is found."""
    prepared = [file.prepared for file in files if file.prepared is not None]
    try:
        drafts = draft_reports(model, prepared, batch=batch, strict=strict)
    except OSError:
        raise
    except Exception as error:
        if len(files) > 1:
            return [one for file in files for one in _drafted(model, [file], batch, strict)]
        return [DraftedFile(file.path, error=not_drafted(file.path, error)) for file in files]
    read = zip(files, prepared, drafts, strict=True)
    return [DraftedFile(file.path, one.recording, draft) for file, one, draft in read]
