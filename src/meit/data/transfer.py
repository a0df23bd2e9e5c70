"""Files over HTTP with ranges: what breaks goes on at the byte where it broke."""

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.exceptions import HTTPError

from meit import __version__
from meit.errors import DataError

WORKERS = 8  # connections at a time; the small files' time is mostly waiting for the server
CONNECTIONS_TRIED = 5  # connections in a row that bring nothing new
FIRST_PAUSE = 0.5  # seconds before the second of them; doubled for each one after it
TIMEOUT = (10, 30)  # seconds to connect, and between two packets
CHUNK = 1 << 18  # bytes

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class Refused(DataError):
    """The server answers, and will not give this file."""


class Server:
    """HTTP with ranges. Set `stop` to end all transfers; what has arrived stays in the files."""

    def __init__(self):
        self.stop = threading.Event()
        self._session = requests.Session()
        # compressed on the way, a file would have other ranges and lengths
        self._session.headers.update({"Accept-Encoding": "identity", "User-Agent": f"meit/{__version__}"})
        busy = Retry(
            connect=0,
            read=0,
            status=CONNECTIONS_TRIED,
            status_forcelist=(429, 500, 502, 503, 504),
            backoff_factor=FIRST_PAUSE,
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=WORKERS, max_retries=busy))

    def length(self, url: str) -> int | None:
        """Bytes that a file has on the server; None where it does not say."""
        try:
            answer = self._session.head(url, timeout=TIMEOUT, allow_redirects=True)
        except requests.RequestException:
            return None
        return int(answer.headers.get("Content-Length", -1)) if answer.ok else None

    def receive(self, url: str, part: Path, tell: Callable[[int], object] = lambda size: None) -> int:
        """Completes the file `part`, going on after what it holds; returns the bytes received.

        A lost connection is made again, where the server allows it from the byte at which it broke. Raises DataError
        after CONNECTIONS_TRIED connections in a row that brought the file no further, and Refused for an HTTP error.
        """
        received, furthest, failures = 0, size_of(part), 0
        while True:
            try:
                for size in self._append(url, part):
                    received += size
                    tell(size)
                return received
            except (requests.ConnectionError, requests.Timeout, HTTPError) as error:
                failures = 0 if size_of(part) > furthest else failures + 1
                furthest = max(furthest, size_of(part))
                if failures == CONNECTIONS_TRIED:
                    raise _unreachable(url, error) from None
                self.stop.wait(FIRST_PAUSE * 2 ** (failures - 1) if failures else 0)
            except requests.RequestException as error:
                raise _unreachable(url, error) from None

    def _append(self, url: str, part: Path) -> Iterator[int]:
        """Asks once for what `part` lacks and gives the size of each piece written to it."""
        here = size_of(part)
        range_ = {"Range": f"bytes={here}-"} if here else {}
        with self._session.get(url, headers=range_, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code == 416 and here:  # nothing after it: whole, or too long, as its sum will tell
                return
            if not answer.ok:
                raise Refused(f"{url}: the server answers {answer.status_code} {answer.reason}; check --base")
            if answer.status_code == 206 and _begins_at(answer) != here:
                part.unlink(missing_ok=True)  # the next connection asks for all of it
                raise requests.ConnectionError("the server sent another range than the one asked for")
            with part.open("ab" if answer.status_code == 206 else "wb") as file:
                while chunk := answer.raw.read1(CHUNK):  # what came before a break is not lost, as with iter_content
                    if self.stop.is_set():
                        raise Refused(f"{url}: stopped")
                    file.write(chunk)
                    yield len(chunk)


def _begins_at(answer: requests.Response) -> int | None:
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def size_of(path: Path) -> int:
    """Bytes; 0 where there is no file."""
    return path.stat().st_size if path.exists() else 0


def _unreachable(url: str, error: Exception) -> DataError:
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return DataError(f"{url}: cannot be fetched ({reason}); check the connection and --base; run again to go on")
