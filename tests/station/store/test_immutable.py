"""What is signed or recorded can be neither changed nor deleted, also not by SQL; who drops the triggers is noticed."""

import re
import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError
from stations import add_drafted, quick_reader

from meit.errors import StationError
from meit.station.store.signing import save_text, sign
from meit.station.store.verifying import verify

TABLES = ("audit", "signed_reports", "drafts", "files", "recording_files", "recordings", "accounts")
CHANGES = {
    "signed_reports": "UPDATE signed_reports SET text = 'Normal ECG.'",
    "audit": "UPDATE audit SET account_id = 2 WHERE seq = 2",
    "drafts": "UPDATE drafts SET draft = '{}'",
    "files": "UPDATE files SET content = content",
    "recording_files": "UPDATE recording_files SET name = 'other'",
    "recordings": "UPDATE recordings SET content_sha256 = 'x'",
    "accounts": "UPDATE accounts SET login = 'other'",
}


@pytest.fixture
def signed(store):
    recording, reader = add_drafted(store), quick_reader(store)
    save_text(store, reader, recording, "Right bundle branch block.", 0)
    return sign(store, reader, recording, 1)


def run(store, *statements):
    with store.engine.execution_options(writes=True).begin() as connection:
        for one in statements:
            connection.exec_driver_sql(one)


def without_triggers(store):
    on = " ON {}" if store.engine.dialect.name == "postgresql" else ""
    return [f"DROP TRIGGER {table}_{kind}{on.format(table)}" for table in TABLES for kind in ("unchanged", "undeleted")]


@pytest.mark.parametrize("table", TABLES)
def test_no_row_is_changed_or_deleted(store, signed, table):
    for statement in (CHANGES[table], f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match=f"immutable: {table}"):
            run(store, statement)
    with pytest.raises(StationError, match="never changed or deleted"), store.writing() as session:
        session.connection().exec_driver_sql(f"DELETE FROM {table}")
    assert verify(store).holds


def test_neither_by_truncating_nor_by_replacing(store, signed):
    if store.engine.dialect.name == "postgresql":
        statement = "TRUNCATE audit CASCADE"
    else:
        statement = "REPLACE INTO audit SELECT seq, at, 2, action, objects, payload_sha256, previous, hash FROM audit"
    with pytest.raises(DBAPIError, match="immutable"):
        run(store, statement)


@pytest.mark.parametrize(
    ("table", "change", "words"),
    [
        ("signed_reports", CHANGES["signed_reports"], "version 1 of the report of recording 1 was changed"),
        ("signed_reports", "UPDATE signed_reports SET signer = 'Dr. Other'", "report of recording 1 was changed"),
        ("signed_reports", "DELETE FROM signed_reports", "report.signed .* is gone"),
        ("drafts", "UPDATE drafts SET measured = NULL", "draft 1 of recording 1 was changed"),
    ],
)
def test_what_was_changed_without_triggers_is_noticed(store, signed, table, change, words):
    run(store, *without_triggers(store), change)
    found = verify(store)
    assert not found.holds and found.fault is None
    assert len(found.contents) == 1 and re.search(words, found.contents[0]), found.contents


def test_a_report_signed_beside_the_trail_is_noticed(store, signed):
    last = "SELECT max(seq) - 1 FROM audit"
    columns = "recording_id, text, acknowledged, subject, draft_id, account_id, signer, profession, signed_at"
    run(
        store,
        f"INSERT INTO signed_reports (number, reason, audit_seq, {columns}) "
        f"SELECT 2, 'forged', ({last}), {columns} FROM signed_reports",
    )
    assert verify(store).contents == ("version 2 of the report of recording 1 is not in the audit trail",)


def test_a_trail_that_lost_its_end_is_noticed(store, signed):
    statements = [*without_triggers(store), f"DELETE FROM audit WHERE seq >= {signed.anchor.seq}"]
    if store.engine.dialect.name == "sqlite":
        with sqlite3.connect(store.engine.url.database) as connection:  # which by itself minds no foreign keys
            for one in statements:
                connection.execute(one)
        connection.close()
    else:
        run(store, "SET LOCAL session_replication_role = replica", *statements)
    found = verify(store)
    assert found.fault is None and found.contents == (
        "version 1 of the report of recording 1 is not in the audit trail",
    )
    assert verify(store, [signed.anchor]).fault.seq == signed.anchor.seq
