"""What a user is told when a command fails: one line, never a traceback that nobody asked for."""

import errno
import logging
import os
import sys
from collections.abc import Callable

from meit.cli.arguments import BAD_INPUT
from meit.errors import MeitError

BUG, STOPPED, NOBODY_READS = 70, 130, 141  # EX_SOFTWARE of sysexits.h; what shells make of SIGINT and of SIGPIPE
DEBUG = "MEIT_DEBUG"  # set to anything, it shows tracebacks
FULL = "make room there, then start the same command again"
DENIED = "get the right to it, or name another place"
SYSTEM_REMEDIES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
    errno.EACCES: DENIED,
    errno.EPERM: DENIED,
    errno.EROFS: DENIED,
    errno.ENOENT: "check how it is written",
    errno.EISDIR: "name a file",
    errno.ENOTDIR: "name a folder",
    errno.EEXIST: "name another, or move what lies there",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "allow more open files: ulimit -n 4096",
}


OUT_OF_MEMORY = "OutOfMemoryError"  # PyTorch's, a RuntimeError; to name it would import PyTorch


def exit_code(run: Callable[[], int]) -> int:
    """Runs a command; its exit code, or that of the error, of which stderr gets one line."""
    try:
        code = run()
        sys.stdout.flush()  # a full disk shall be noticed here, not when Python ends
        return code
    except BrokenPipeError:  # `meit report FOLDER | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return NOBODY_READS
    except KeyboardInterrupt:
        return _said("stopped", STOPPED)
    except (MeitError, OSError, ModuleNotFoundError, MemoryError) as error:
        return _said(in_words(error), BAD_INPUT)
    except Exception as error:
        if type(error).__name__ == OUT_OF_MEMORY:
            return _said(in_words(error), BAD_INPUT)
        what = f"{type(error).__name__}: {_one_line(error)}"
        return _said(f"this is a bug of meit ({what}); {DEBUG}=1 shows the traceback to report with it", BUG)


def in_words(error: Exception) -> str:
    """One line that says what is wrong with what, and what to do."""
    match error:
        case OSError(errno=int(number)):
            places = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
            told = f"{' -> '.join(places) or 'the output'}: {error.strerror or _one_line(error)}"
            return f"{told}; {SYSTEM_REMEDIES[number]}" if number in SYSTEM_REMEDIES else told
        case ModuleNotFoundError(name=str(name)) if not name.startswith("meit"):
            return f"the package {name} is not installed: pip install 'meit[benchmark,cluster,quantize,station]'"
        case _ if isinstance(error, MemoryError) or type(error).__name__ == OUT_OF_MEMORY:
            return (
                "the memory does not suffice: free some, quantise the model, or give a smaller one or fewer recordings"
            )
        case _:
            return _one_line(error)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _said(line: str, code: int) -> int:
    if os.environ.get(DEBUG):
        logging.getLogger("meit").exception(line)
    print(f"meit: {line}", file=sys.stderr)
    return code
