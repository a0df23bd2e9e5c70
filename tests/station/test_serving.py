"""`meit serve` as a command: what it checks, and what it says where it cannot start."""

import socket

import pytest
from forked_meit import run_meit
from stations import make_admin

from meit.station.app import StationSettings
from meit.station.posture import posture, posture_table
from meit.station.serving import take_in
from meit.station.store import open_store
from meit.station.store.recording_entries import worklist


def test_check_says_what_is_to_be_done(tmp_path):
    url = f"sqlite:///{tmp_path / 'station.db'}"
    fresh = run_meit("serve", "--database", url, "--check")
    assert fresh.returncode == 1 and "!!  Accounts" in fresh.stdout and "make the first account" in fresh.stdout
    store = open_store(url)
    make_admin(store)
    store.close()
    done = run_meit("serve", "--database", url, "--check")
    assert done.returncode == 0 and "!!" not in done.stdout and "this machine alone" in done.stdout


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        (StationSettings(), ""),
        (StationSettings(host="0.0.0.0"), "TLS"),
        (StationSettings(host="0.0.0.0", https=True), ""),
    ],
)
def test_open_to_others_it_asks_for_tls(tmp_path, settings, fault):
    store = open_store(f"sqlite:///{tmp_path / 'station.db'}")
    make_admin(store)
    found = {one.what: one.fault for one in posture(store, settings) if one.fault}
    assert bool(found) == bool(fault) and all(fault in one for one in found.values())
    (tmp_path / "station.db").chmod(0o644)
    assert "chmod 600" in posture_table(posture(store, settings))
    store.close()


def test_a_changed_trail_is_a_fault(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'station.db'}")
    make_admin(store)
    with store.engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_unchanged")
        connection.exec_driver_sql("UPDATE audit SET action = 'nothing' WHERE seq = 2")
    (point,) = (one for one in posture(store, StationSettings()) if one.fault)
    assert point.what == "Audit trail" and "row 2 was changed" in point.fault
    store.close()


def test_what_cannot_start_says_why(tmp_path):
    url = f"sqlite:///{tmp_path / 'station.db'}"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        found = run_meit("serve", "--database", url, "--port", port, "--workers", "0")
    assert found.returncode == 2 and f"port {port}" in found.stderr and "Traceback" not in found.stderr
    nowhere = run_meit(
        "serve", "--database", url, "--watch", str(tmp_path / "nowhere"), "--workers", "0", "--port", "0"
    )
    assert nowhere.returncode == 2 and str(tmp_path / "nowhere") in nowhere.stderr and "Traceback" not in nowhere.stderr
    no_model = run_meit("serve", "--database", url, "--model", str(tmp_path), "--port", "0")
    assert no_model.returncode == 2 and str(tmp_path) in no_model.stderr and "Traceback" not in no_model.stderr
    wrong = run_meit("serve", "--database", "mysql://x")
    assert wrong.returncode == 2 and "give a database as" in wrong.stderr


def test_examples_are_taken_in_once(tmp_path, example):
    store = open_store(f"sqlite:///{tmp_path / 'station.db'}")
    assert take_in(store, example.parents[1]) == 3 and take_in(store, example.parents[1]) == 0
    assert {one.name for one in worklist(store).entries} == {"00041_lr", "00178_lr", "00195_hr"}
    store.close()
