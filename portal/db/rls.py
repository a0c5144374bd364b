"""Migration operations for public tables of many tenants: row-level security, append-only, partitions by day."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import migrations
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import CreateModel

from .context import ROLES

APP, MSP, INGEST, OWNER = ROLES["app"], ROLES["msp"], ROLES["ingest"], ROLES["owner"]
# A setting that was never made is NULL, one that was taken back is empty: neither equals anything.
TENANT = "nullif(current_setting('app.tenant', true), '')::bigint"
THIS_MSP = "nullif(current_setting('app.msp', true), '')::bigint"
# The erasure at work, for guards that let nobody else take rows away.
IS_ERASED = f"current_user = '{OWNER}' AND coalesce(current_setting('app.erasing', true), '') = 'on'"


class EnableRls(Operation):
    """Closes a public table to all but its own tenant (role app) and its own MSP (role msp).

    `app_select` adds rows that a customer may read and not write, as an SQL condition (an MSP's trunk that was granted
    to it); `ingest` names what the nodes' role may do with every row; `maintained` lets the owner do the same.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(
        self,
        table: str,
        *,
        tenant_column: str | None = "tenant_id",
        msp_column: str | None = "msp_id",
        app_select: str = "",
        ingest: Sequence[str] = (),
        maintained: Sequence[str] = (),
    ) -> None:
        self.table, self.tenant_column, self.msp_column = table, tenant_column, msp_column
        self.app_select, self.ingest, self.maintained = app_select, tuple(ingest), tuple(maintained)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, [self.table], {
            "tenant_column": self.tenant_column, "msp_column": self.msp_column, "app_select": self.app_select,
            "ingest": self.ingest, "maintained": self.maintained,
        }  # fmt: skip

    def policies(self) -> Iterable[str]:
        """Yield a CREATE POLICY statement for each thing that somebody may do."""
        if self.tenant_column:
            own = f'"{self.tenant_column}" = {TENANT}'
            yield self._policy("app_own", APP, "ALL", own, own)
        if self.msp_column:
            own = f'"{self.msp_column}" = {THIS_MSP}'
            yield self._policy("msp_own", MSP, "ALL", own, own)
        if self.app_select:
            yield self._policy("app_granted", APP, "SELECT", self.app_select, "")
        for role, commands in ((INGEST, self.ingest), (OWNER, self.maintained)):
            for command in commands:
                name, word = f"{role.removeprefix('strowger_')}_{command}", command.upper()
                using = "" if word == "INSERT" else "true"
                yield self._policy(name, role, word, using, "true" if word in ("INSERT", "UPDATE") else "")

    def _policy(self, name: str, role: str, command: str, using: str, check: str) -> str:
        conditions = (f" USING ({using})" if using else "") + (f" WITH CHECK ({check})" if check else "")
        return f'CREATE POLICY "{name}" ON "{self.table}" FOR {command} TO {role}{conditions}'

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: models do not know who may see their rows."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        schema_editor.execute(f'ALTER TABLE "{self.table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY')
        for statement in self.policies():
            schema_editor.execute(statement, params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for statement in self.policies():
            name = statement.split('"')[1]
            schema_editor.execute(f'DROP POLICY "{name}" ON "{self.table}"')
        schema_editor.execute(f'ALTER TABLE "{self.table}" NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY')

    def describe(self) -> str:
        return f"Protect the rows of {self.table}"

    @property
    def migration_name_fragment(self) -> str:
        return f"rls_{self.table}"


def AppendOnly(table: str) -> migrations.RunSQL:
    """Return the operation that lets rows of `table` be added and never changed or taken away."""
    roles = f"{APP}, {MSP}, {INGEST}"
    return migrations.RunSQL(
        f'REVOKE UPDATE, DELETE ON "{table}" FROM {roles}', f'GRANT UPDATE, DELETE ON "{table}" TO {roles}'
    )


class CreatePartitionedModel(CreateModel):
    """Creates a table partitioned by range of one column; its partitions are made by portal.db.partitions.

    The primary key has to contain that column, so the model declares a CompositePrimaryKey.
    """

    def __init__(self, *args: Any, partition_by: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.partition_by = partition_by

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        name, args, kwargs = super().deconstruct()
        return name, args, kwargs | {"partition_by": self.partition_by}

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        stock = schema_editor.sql_create_table
        schema_editor.sql_create_table = f'{stock} PARTITION BY RANGE ("{self.partition_by}")'
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = stock

    def reduce(self, operation: Any, app_label: str) -> Any:
        # Merging with a later operation would lose the partitioning.
        return False
