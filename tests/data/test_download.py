"""Downloads from a real HTTP server on this machine, with the faults that real servers and lines have."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import numpy as np
import pytest

from meit.data import download, transfer
from meit.data.download import Download
from meit.errors import DataError

FOLDER = "/ptb-xl/1.0.3/"


class Server(ThreadingHTTPServer):
    """Serves `files` (path -> bytes) with byte ranges, unless a fault below says otherwise; notes each GET."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.gets: list[tuple[str, str | None, int]] = []  # path, Range, status
        self.ranges = True
        self.cut: dict[str, int] = {}  # path -> bytes after which each connection is dropped
        self.cuts_left: dict[str, int] = {}  # path -> how often that happens; absent: always
        self.flip: dict[str, int] = {}  # path -> how often a wrong byte is served
        self.refuse: dict[str, list[int]] = {}  # path -> statuses to answer first
        self.wrong_range = False
        self.slow = 0.0  # seconds a piece of 1000 bytes

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def publish(self, files: dict[str, bytes], extra_lines: str = "") -> None:
        sums = "".join(f"{hashlib.sha256(data).hexdigest()} {path}\n" for path, data in files.items())
        every = {**files, "SHA256SUMS.txt": (sums + extra_lines).encode()}
        self.files = {FOLDER + path: data for path, data in every.items()}

    def count(self, path: str) -> int:
        return sum(got == FOLDER + path for got, _, _ in self.gets)

    def handle_error(self, request, client_address):
        pass  # a client that was stopped


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body: bool):
        self.path = unquote(self.path)
        server, range_ = self.server, self.headers.get("Range")
        data, status, begin = server.files.get(self.path), 200, 0
        if data is None:
            status, data = 404, b""
        elif body and server.refuse.get(self.path):
            status, data = server.refuse[self.path].pop(0), b""
        elif range_ and server.ranges:
            begin, status = int(re.fullmatch(r"bytes=(\d+)-", range_)[1]), 206
            if server.wrong_range:
                begin = max(0, begin - 7)
            if begin >= len(data):
                status, data = 416, b""
        if body:
            server.gets.append((self.path, range_, status))
        if body and status < 300 and server.flip.get(self.path, 0) > 0:
            server.flip[self.path] -= 1
            data = data[:-1] + bytes([data[-1] ^ 1])
        piece = data[begin:] if status == 206 else data
        self.send_response(status)
        self.send_header("Content-Length", str(len(piece)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if not body:
            return
        cut = server.cut.get(self.path)
        if cut is not None and status < 300 and server.cuts_left.get(self.path, 1) > 0 and cut < len(piece):
            if self.path in server.cuts_left:
                server.cuts_left[self.path] -= 1
            piece = piece[:cut]
            self.close_connection = True
        for at in range(0, len(piece), 1000 if server.slow else max(1, len(piece))):
            self.wfile.write(piece[at : at + 1000] if server.slow else piece)
            time.sleep(server.slow)

    def log_message(self, *arguments):
        pass


def record(seed: int, size: int = 24_000) -> bytes:
    return np.random.default_rng(seed).bytes(size)


FILES = {
    "LICENSE.txt": b"Creative Commons Attribution 4.0\n",
    "ptbxl_database.csv": b"ecg_id,report\n" * 3000,
    "a file with blanks & signs.txt": b"x",
    "empty.txt": b"",
    **{f"records100/00000/{n:05d}_lr.dat": record(n) for n in range(20)},
    **{f"records500/00000/{n:05d}_hr.dat": record(n, 120_000) for n in range(3)},
}
ONE = "records100/00000/00007_lr.dat"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(transfer, "FIRST_PAUSE", 0.01)
    with Server() as server:
        server.publish(FILES)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def check(folder, files=FILES):
    """All files are there with their bytes, and nothing else but the list and the record of what was verified."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {name for name in found if not name.startswith(".verified-")} == {*files, "SHA256SUMS.txt"}
    for name, data in files.items():
        assert (folder / name).read_bytes() == data, name


def test_everything_arrives_once_and_nothing_is_asked_for_again(server, tmp_path):
    source = Download("ptb-xl", tmp_path, server.base)
    assert source.run() == len(FILES)
    check(tmp_path)
    assert all(server.count(path) == 1 for path in FILES)
    server.gets.clear()
    assert Download("ptb-xl", tmp_path, server.base + "/").run() == len(FILES)
    assert source.run() == len(FILES)
    assert server.gets == []  # not even the list


def test_verified_files_are_not_hashed_again_and_changed_ones_are(server, tmp_path, monkeypatch):
    Download("ptb-xl", tmp_path, server.base).run()
    hashed = []
    real = download._sha256
    monkeypatch.setattr(download, "_sha256", lambda path: hashed.append(path) or real(path))
    Download("ptb-xl", tmp_path, server.base).run()
    assert hashed == []
    (tmp_path / ONE).write_bytes(b"changed")
    (tmp_path / "empty.txt").unlink()
    os.utime(tmp_path / "ptbxl_database.csv")
    server.gets.clear()
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path)
    assert sorted(path for path, _, _ in server.gets) == [FOLDER + "empty.txt", FOLDER + ONE]
    hashed.clear()
    Download("ptb-xl", tmp_path, server.base).run()
    assert hashed == []


def test_files_fetched_by_other_means_are_kept(server, tmp_path):
    (tmp_path / ONE).parent.mkdir(parents=True)
    (tmp_path / ONE).write_bytes(FILES[ONE])
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path)
    assert server.count(ONE) == 0


def test_dropped_connections_go_on_where_they_broke(server, tmp_path):
    server.cut = dict.fromkeys(server.files, 7000)
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path)
    ranges = [(range_, status) for path, range_, status in server.gets if path == FOLDER + ONE]
    assert ranges == [(None, 200), ("bytes=7000-", 206), ("bytes=14000-", 206), ("bytes=21000-", 206)]


def test_dropped_connections_without_range_support_begin_again(server, tmp_path):
    server.ranges = False
    server.cut = dict.fromkeys(server.files, 7000)
    server.cuts_left = dict.fromkeys(server.files, 2)
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path)
    assert server.count(ONE) == 3


def test_connections_dropped_before_the_first_byte(server, tmp_path):
    server.cut = dict.fromkeys(server.files, 0)
    server.cuts_left = dict.fromkeys(server.files, 2)
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path)


def test_a_file_that_never_gets_further_ends_the_download(server, tmp_path):
    server.ranges = False
    server.cut = {FOLDER + ONE: 7_000}
    with pytest.raises(DataError, match="00007_lr.dat: cannot be fetched .*run again to go on"):
        Download("ptb-xl", tmp_path, server.base).run()
    assert server.count(ONE) == transfer.CONNECTIONS_TRIED + 1
    assert (tmp_path / f"{ONE}.part").stat().st_size == 7_000 and not (tmp_path / ONE).exists()
    server.cut, server.ranges = {}, True
    server.gets.clear()
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path)
    assert (FOLDER + ONE, "bytes=7000-", 206) in server.gets


def test_a_wrong_byte_is_fetched_afresh_once(server, tmp_path):
    server.flip = {FOLDER + ONE: 1}
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path)
    assert server.count(ONE) == 2


def test_a_byte_that_stays_wrong_names_the_file_and_stops_no_other(server, tmp_path):
    server.flip = {FOLDER + ONE: 99}
    with pytest.raises(DataError, match=r"00007_lr.dat: arrived twice with other bytes than SHA256SUMS.txt") as caught:
        Download("ptb-xl", tmp_path, server.base).run()
    assert "\n" not in str(caught.value) and server.count(ONE) == 2
    check(tmp_path, {name: data for name, data in FILES.items() if name != ONE})


@pytest.mark.parametrize("left", [FILES[ONE][:5000], b"?" * 5000, FILES[ONE], FILES[ONE] + b"more"])
def test_any_left_part_is_completed_or_replaced(server, tmp_path, left):
    part = tmp_path / f"{ONE}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(left)
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path)


def test_another_range_than_the_one_asked_for_is_not_appended(server, tmp_path):
    part = tmp_path / f"{ONE}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(FILES[ONE][:5000])
    server.wrong_range = True
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path)
    assert [status for path, _, status in server.gets if path == FOLDER + ONE] == [206, 200]


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.refuse = {FOLDER + ONE: [503, 429]}
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path)


def test_a_file_that_the_server_lacks_is_named(server, tmp_path):
    del server.files[FOLDER + ONE], server.files[FOLDER + "empty.txt"]
    with pytest.raises(DataError, match="404 Not Found.*and 1 more"):
        Download("ptb-xl", tmp_path, server.base).run()
    gone = {ONE, "empty.txt"}
    check(tmp_path, {name: data for name, data in FILES.items() if name not in gone})


@pytest.mark.parametrize(
    "path",
    ["../outside", "/etc/outside", "a/../../outside", "a//b", "./a", "c:outside", "a\\..\\b", ".verified-0", "\x1bc"],
)
def test_no_path_leads_out_of_the_folder(server, tmp_path, path):
    server.publish(FILES, f"{'0' * 64}  {path}\n")
    with pytest.raises(DataError, match=f"line {len(FILES) + 1} names no file inside the data set"):
        Download("ptb-xl", tmp_path / "in", server.base).run()
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["SHA256SUMS.txt"]


def test_both_spellings_of_a_sums_file(server, tmp_path):
    data = record(99)
    digest = hashlib.sha256(data).hexdigest()
    server.publish(FILES, f"{digest}  two\n{digest} *binary\n")
    server.files |= {FOLDER + "two": data, FOLDER + "binary": data}
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path, FILES | {"two": data, "binary": data})


def test_a_damaged_or_empty_list(server, tmp_path):
    for text in (b"<html>not found</html>", b""):
        server.files[FOLDER + "SHA256SUMS.txt"] = text
        with pytest.raises(DataError, match="SHA256SUMS.txt.*delete"):
            Download("ptb-xl", tmp_path, server.base).run()


def test_a_new_list_takes_the_place_of_the_old(server, tmp_path):
    Download("ptb-xl", tmp_path, server.base).run()
    more = FILES | {"new.csv": b"a,b\n"}
    server.publish(more)
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path, more)
    assert server.count(ONE) == 1  # what was there is hashed again, not fetched again


def test_one_rate_leaves_the_other_out_and_both_share_the_record(server, tmp_path):
    slow = {name: data for name, data in FILES.items() if "records500" not in name}
    assert Download("ptb-xl", tmp_path, server.base, rate=100).run() == len(slow)
    check(tmp_path, slow)
    assert "0.6 GB" in (size := Download("ptb-xl", tmp_path, server.base, rate=100).size()) and "reckoned" in size
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path)
    assert server.count(ONE) == 1
    with pytest.raises(DataError, match="no recordings of 250 Hz"):
        Download("ptb-xl", tmp_path, server.base, rate=250)
    with pytest.raises(DataError, match="one rate only"):
        Download("mimic-iv-ecg", tmp_path, server.base, rate=500)


def test_size_counts_what_is_verified(server, tmp_path):
    big = FILES | {"big.bin": bytes(25_000_000)}
    server.publish(big)
    source = Download("ptb-xl", tmp_path, server.base)
    assert "3 GB (as PhysioNet states it)" in source.size() and "0.00 GB of it" in source.size()
    source.run()
    assert "0.03 GB of it are verified" in Download("ptb-xl", tmp_path, server.base).size()
    (tmp_path / "big.bin").unlink()
    assert "0.00 GB of it" in source.size()


def test_no_server(tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "FIRST_PAUSE", 0.001)
    for base in ("http://127.0.0.1:9", "no address at all", "ftp://127.0.0.1"):
        source = Download("ptb-xl", tmp_path, base)
        for ask in (source.licence, source.run):
            with pytest.raises(DataError, match="cannot be fetched") as caught:
                ask()
            assert "\n" not in str(caught.value)


def test_a_disk_that_refuses(server, tmp_path):
    (tmp_path / "records100").write_bytes(b"a file where a folder must be")
    with pytest.raises(DataError, match="cannot be written"):
        Download("ptb-xl", tmp_path, server.base).run()


def meit(*arguments):
    return [sys.executable, "-m", "meit.cli", "download", "ptb-xl", *map(str, arguments)]


def test_command_shows_the_licence_first_and_a_dry_run_fetches_nothing(server, tmp_path):
    done = subprocess.run(meit(tmp_path / "new", "--base", server.base, "--dry-run"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Creative Commons Attribution 4.0") and "about 3 GB" in done.stdout
    assert not (tmp_path / "new").exists() and [path for path, _, _ in server.gets] == [FOLDER + "LICENSE.txt"]
    done = subprocess.run(meit(tmp_path / "new", "--base", server.base), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{len(FILES)}/{len(FILES)}" in done.stderr  # the bar
    check(tmp_path / "new")
    done = subprocess.run(meit(tmp_path, "--base", server.base + "/none"), capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("meit: ") and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_it_goes_on_where_it_was(server, tmp_path, how):
    big = FILES | {"big.bin": record(5, 1_000_000)}
    server.publish(big)
    server.slow = 0.005  # five seconds for the big one
    running = subprocess.Popen(meit(tmp_path, "--base", server.base), stdout=-3, stderr=subprocess.PIPE, text=True)
    part = tmp_path / "big.bin.part"
    for _ in range(600):
        if part.exists() and part.stat().st_size > 0:
            break
        time.sleep(0.05)
    running.send_signal(how)
    _, errors = running.communicate(timeout=30)
    assert running.returncode in (130, -signal.SIGKILL) and "Traceback" not in errors
    assert not (tmp_path / "big.bin").exists()
    left, server.slow = part.stat().st_size, 0.0
    assert 0 < left < 1_000_000
    server.gets.clear()
    Download("ptb-xl", tmp_path, server.base).run()
    check(tmp_path, big)
    assert (FOLDER + "big.bin", f"bytes={left}-", 206) in server.gets
