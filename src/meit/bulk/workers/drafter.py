"""What every process does that drafts: the model in its memory, recordings in, outcomes out."""

import errno
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from meit.atomic import atomic_path
from meit.bulk.bookkeeping.identity import FileIdentity
from meit.bulk.outcome import DRAFTED, FAILED, UNUSABLE, DraftTask, Handed, Outcome
from meit.bulk.row_shards import SHARD_FORMATS
from meit.bulk.rows import drafted_row, failed_row, row_line
from meit.drafting.draft import Draft
from meit.drafting.draft_files import DraftedFile, draft_paths
from meit.ecg.recording import Recording
from meit.errors import MeitError, system_words
from meit.exports import EXPORT_FORMATS
from meit.exports.document import untouched
from meit.exports.draft_targets import draft_file

OF_ONE_FILE = {errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EINVAL, errno.EILSEQ}


class Drafter:
    """Raises ModelError where the model cannot be loaded."""

    def __init__(self, task: DraftTask):
        from meit.model.report_model import load_model

        self._task = task
        self._model = load_model(task.model, task.quantised, task.device, task.dtype, task.operating_point)

    def outcomes(self, handed: Iterable[Handed]) -> Iterator[Outcome]:
        """Of each recording, in their order; some are read ahead. Close it where nobody asks for the rest.

        An OSError of the machine, such as a full disk, goes through.
        """
        ahead: deque[tuple[Handed, FileIdentity]] = deque()

        def paths() -> Iterator[Path]:
            for one in handed:
                path = Path(one.path)
                ahead.append((one, FileIdentity.of(path)))
                yield path

        task = self._task
        with closing(draft_paths(self._model, paths(), strict=task.strict, processes=task.threads)) as drafted:
            for file in drafted:
                yield self._outcome(*ahead.popleft(), file)

    def _outcome(self, handed: Handed, identity: FileIdentity, file: DraftedFile) -> Outcome:
        try:
            if file.recording is None or file.draft is None:
                raise MeitError(file.error)
            target, size, row = self._written(handed, file.recording, file.draft)
            status = UNUSABLE if file.draft.unusable else DRAFTED
            return Outcome(handed.path, status, target, size, "", identity, row)
        except (MeitError, OSError) as error:
            reason = why_failed(error, handed.path)
        except Exception as error:
            reason = f"{handed.path}: its report could not be written ({type(error).__name__}); please report this"
        return failed(self._task, handed, reason, identity)

    def _written(self, handed: Handed, recording: Recording, draft: Draft) -> tuple[str, int, bytes]:
        """Where the draft is, how large, and its row."""
        task = self._task
        if task.plot is not None:
            from meit.ecg.paper import draw_paper

            sheet = draft_file(Path(handed.path), handed.name, task.out, f".{task.plot}")
            sheet.parent.mkdir(parents=True, exist_ok=True)
            draw_paper(recording, sheet)
        if task.kind in SHARD_FORMATS:
            return "", 0, row_line(drafted_row(handed.path, draft))
        form = EXPORT_FORMATS[task.kind]
        written = form.write(untouched(recording, draft))
        place = draft_file(Path(handed.path), handed.name, task.out, form.suffix)
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(place, task.temporary) as temporary:
            temporary.write_bytes(written)
        return str(place.relative_to(task.out)), len(written), b""


def why_failed(error: MeitError | OSError, path: str) -> str:
    """Why one recording has no draft. Raises an OSError that is not about this one, such as of a full disk."""
    if not isinstance(error, OSError):
        return str(error)
    if error.errno not in OF_ONE_FILE:
        raise error
    return system_words(error, path)


def failed(task: DraftTask, handed: Handed, reason: str, identity: FileIdentity | None = None) -> Outcome:
    row = row_line(failed_row(handed.path, reason)) if task.kind in SHARD_FORMATS else b""
    return Outcome(handed.path, FAILED, reason=reason, identity=identity, row=row)
