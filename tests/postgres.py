"""A PostgreSQL server of one's own, for as long as it is needed: a private cluster in a temporary folder."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "postgres"  # made by Debian's package; the server refuses to run as root


def binaries() -> Path | None:
    """Where initdb and pg_ctl lie: Debian keeps them off the path."""
    found = shutil.which("pg_ctl")
    places = [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


@contextmanager
def cluster(*settings: str) -> Iterator[str]:
    """The URL of a running server without databases but its own, reached by a socket alone; removed at the end.

    settings: "name=value" of its configuration.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has at most 107 characters
    as_user = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
    if as_user:
        shutil.chown(folder, USER, USER)

    def call(program: str, *arguments: str) -> None:
        command = [str(binaries() / program), "-D", str(folder / "data"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, **as_user)
        if done.returncode:
            log = (folder / "log").read_text() if (folder / "log").exists() else ""
            raise RuntimeError(f"{program}: {done.stdout[-500:]} {done.stderr[-500:]} {log[-1000:]}")

    try:
        call("initdb", "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        options = [f"-c {one}" for one in ("listen_addresses=", f"unix_socket_directories={folder}", *settings)]
        call("pg_ctl", "-l", str(folder / "log"), "-w", "-o", " ".join(options), "start")
        try:
            yield f"postgresql+pg8000://{USER}@/postgres?unix_sock={folder}/.s.PGSQL.5432"
        finally:
            call("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
