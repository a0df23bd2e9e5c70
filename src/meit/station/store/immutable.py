"""Triggers by which a database itself refuses to change or delete what is signed or recorded.

They stop programs and slips, not an owner of the database, who can drop them; the audit trail is what shows that.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

_FUNCTION = """
CREATE OR REPLACE FUNCTION meit_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'immutable: %', TG_TABLE_NAME; END $$
"""


def forbid_changes(connection: Connection, table: str, columns: Sequence[str] = ()) -> None:
    """Forbids deleting rows of a table, and changing the given columns of it; all columns if none is given."""
    for statement in _DIALECTS[connection.dialect.name](table, f" OF {', '.join(columns)}" if columns else ""):
        connection.exec_driver_sql(statement)


def _sqlite(table: str, of: str) -> list[str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, 'immutable: {table}'); END"
    return [
        f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE{of} ON {table} {refuse}",
        f"CREATE TRIGGER {table}_undeleted BEFORE DELETE ON {table} {refuse}",
    ]


def _postgresql(table: str, of: str) -> list[str]:
    return [
        _FUNCTION,
        f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE{of} ON {table} FOR EACH ROW EXECUTE FUNCTION meit_refuse()",
        f"CREATE TRIGGER {table}_undeleted BEFORE DELETE OR TRUNCATE ON {table} EXECUTE FUNCTION meit_refuse()",
    ]


_DIALECTS = {"sqlite": _sqlite, "postgresql": _postgresql}
