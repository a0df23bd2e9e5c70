"""What a user is told when a command fails: one line, never a traceback that nobody asked for."""

import logging
import os
import sys
from collections.abc import Callable

from meit.cli.arguments import BAD_INPUT
from meit.errors import MeitError, one_line, system_words

BUG, STOPPED, NOBODY_READS = 70, 130, 141  # EX_SOFTWARE of sysexits.h; what shells make of SIGINT and of SIGPIPE
DEBUG = "MEIT_DEBUG"  # set to anything, it shows tracebacks
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
        what = f"{type(error).__name__}: {one_line(error)}"
        return _said(f"this is a bug of meit ({what}); {DEBUG}=1 shows the traceback to report with it", BUG)


def in_words(error: Exception) -> str:
    """One line that says what is wrong with what, and what to do."""
    match error:
        case OSError(errno=int()):
            return system_words(error)
        case ModuleNotFoundError(name=str(name)) if not name.startswith("meit"):
            return f"the package {name} is not installed: pip install 'meit[benchmark,cluster,quantize,station]'"
        case _ if isinstance(error, MemoryError) or type(error).__name__ == OUT_OF_MEMORY:
            return (
                "the memory does not suffice: free some, quantise the model, or give a smaller one or fewer recordings"
            )
        case _:
            return one_line(error)


def _said(line: str, code: int) -> int:
    if os.environ.get(DEBUG):
        logging.getLogger("meit").exception(line)
    print(f"meit: {line}", file=sys.stderr)
    return code
