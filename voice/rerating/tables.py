"""The table of a proposal: a partition of its own, in parts that are filled before anybody can see them."""

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from psycopg import sql

from portal.db import contexts
from portal.db.context import ROLES
from voice.rerating import copying

PARENT = "rerating_line"
COLUMNS = {
    "tenant_id": "int4", "invited": "moment", "id": "uuid", "number": "int4", "rate_id": "int8", "seconds": "int4",
    "billed": "int4", "micros": "int8", "was_micros": "int8",
}  # fmt: skip
# Read by its own name a partition ignores the policies of its parent: so nobody may.
CLOSED = "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; REVOKE ALL ON {name} FROM {roles}"


def make(proposal: int) -> None:
    """Make the proposal's table anew, empty."""
    with contexts.owner(), transaction.atomic():
        _run("DROP TABLE IF EXISTS {name}", _name(proposal))
        _run(
            "CREATE TABLE {name} PARTITION OF {parent} FOR VALUES IN ({proposal}) PARTITION BY LIST (part)",
            _name(proposal), proposal=proposal,
        )  # fmt: skip
        _run(CLOSED, _name(proposal))


def fill(proposal: int, msp: int, part: int, values: Mapping[str, Any], count: int) -> None:
    """Write the calls of one part and let the readers of the proposal see them."""
    name = f"{_name(proposal)}_{part}"
    with contexts.owner(), transaction.atomic():
        # COPY into a table under row-level security is refused: this one is under it before anybody else knows it.
        _run("CREATE TABLE {name} (LIKE {parent})", name)
        for column, value in (("proposal_id", proposal), ("msp_id", msp), ("part", part)):
            _run("ALTER TABLE {name} ALTER {column} SET DEFAULT {value}", name, column=column, value=value)
        copying.write(name, COLUMNS, values, count)
        _run(CLOSED, name)
        _run("ALTER TABLE {whole} ATTACH PARTITION {name} FOR VALUES IN ({part})", name, part=part,
             whole=sql.Identifier(_name(proposal)))  # fmt: skip


def drop(proposal: int) -> None:
    """Drop the proposal's table with all its calls."""
    with contexts.owner():
        _run("DROP TABLE IF EXISTS {name}", _name(proposal))


def _name(proposal: int) -> str:
    return f"{PARENT}_{int(proposal)}"


def _run(statement: str, name: str, *, column: str = "", **values: Any) -> None:
    roles = sql.SQL(", ").join(sql.Identifier(ROLES[role]) for role in ("app", "msp", "ingest"))
    said = sql.SQL(statement).format(
        name=sql.Identifier(name), parent=sql.Identifier(PARENT), roles=roles, column=sql.Identifier(column or name),
        **values,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(said)
