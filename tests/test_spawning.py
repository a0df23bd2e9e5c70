"""Spawned processes end with the one that started them, however that ends, and do not hear Ctrl-C."""

import os
import signal
import subprocess
import sys
import time

STARTS = """
import os
from meit.spawning import spawned
if __name__ == "__main__":
    pool = spawned(2, 3, 4)
    threads = pool.submit(os.getenv, "OMP_NUM_THREADS").result()
    niceness = pool.submit(os.nice, 0).result()
    print(*pool._processes, threads, os.environ.get("OMP_NUM_THREADS"), niceness, flush=True)
    {ends}
"""


def started(tmp_path, ends):
    script = tmp_path / "starts.py"
    script.write_text(STARTS.format(ends=ends))
    given = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=given) as process:
        one, other, threads, own, niceness = process.stdout.readline().split()
        yield process, [int(one), int(other)]
        assert (threads, own, int(niceness)) == ("3", "None", os.nice(0) + 4)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


def test_they_are_gone_when_their_parent_is_killed(tmp_path):
    for process, pids in started(tmp_path, "pool.submit(__import__('time').sleep, 60).result()"):
        for pid in pids:
            os.kill(pid, signal.SIGINT)
        time.sleep(0.2)
        assert all(map(alive, pids)), "they do not hear Ctrl-C"
        process.kill()
        ends = time.monotonic() + 20
        while any(map(alive, pids)) and time.monotonic() < ends:
            time.sleep(0.05)
        assert not any(map(alive, pids))
