"""The database backend: django-tenants', with role, search path and row-level security set together (decision D3)."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import NO_DB_ALIAS
from django.utils.asyncio import async_unsafe
from django_tenants.postgresql_backend import base
from psycopg.pq import TransactionStatus

from .context import CUSTOMER_SCHEMA, LOGIN_ROLE, NOBODY, PUBLIC, ROLES, Context
from .cursor import REFUSED, ContextCursor
from .introspection import SchemaIntrospection
from .pool import Pool

# Each of these would walk through row-level security as if it were not there.
ALL_POWERFUL = (
    "SELECT rolname FROM pg_roles WHERE (rolsuper OR rolbypassrls) AND rolname IN (session_user, %s, %s, %s, %s)"
)


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    """A connection whose every statement runs under `self.context`."""

    _guarded = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.context: Context = NOBODY
        # What the server has been told; None is unknown, and then it is told again.
        self._applied: Context | None = None
        super().__init__(*args, **kwargs)
        self.introspection = SchemaIntrospection(self)
        self.execute_wrappers.append(self._under_context)

    @property
    def pool(self) -> Pool | None:
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        if self.alias not in self._connection_pools:
            parameters = {**self.get_connection_params(), "autocommit": True}
            # As Django's, but for the check; of two threads that make one, the first wins, and none is open yet.
            made = Pool(kwargs=parameters, open=False, configure=self._configure_connection, **options)
            self._connection_pools.setdefault(self.alias, made)
        pool: Pool = self._connection_pools[self.alias]
        return pool

    def use(self, context: Context, tenant: Any = None) -> None:
        """Run what follows on this connection under `context`; the server is told with the next statement."""
        self.context = context
        self.schema_name = context.schema
        self.tenant = tenant or base.FakeTenant(schema_name=context.schema)

    # django-tenants' own way in, used by its helpers and by libraries that know it.

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:
        schema = tenant.schema_name
        self.include_public_schema = include_public
        if schema == PUBLIC:
            return self.use(NOBODY)
        number = getattr(tenant, "pk", None) or (int(schema[1:]) if CUSTOMER_SCHEMA.match(schema) else None)
        return self.use(Context("app", schema, tenant=number), tenant)

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "cursor_factory": ContextCursor}

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = super().create_cursor(name)
        if isinstance(cursor, ContextCursor):
            cursor.database = self
        return cursor

    def _cursor(self, name: str | None = None) -> Any:
        # Not django-tenants' cursor, which would set its own search path.
        return super(base.DatabaseWrapper, self)._cursor(name=name)

    def _under_context(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        # A cursor on the server's side is Django's own, and does not see to it.
        if not isinstance(context["cursor"].cursor, ContextCursor):
            self.tell()
        return execute(sql, params, many, context)

    def untold(self) -> bool:
        if self._applied is not self.context and self._applied == self.context:
            self._applied = self.context
        return self._applied is not self.context

    def told(self, context: Context | None) -> None:
        self._applied = context

    def tell(self) -> None:
        if self.connection is None or not self.untold():
            return
        self._applied = None
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            # Nothing but a rollback runs now, and it takes the old setting with it.
            return
        wanted = self.context
        with self.wrap_database_errors, self.connection.cursor() as cursor:
            try:
                cursor.execute(wanted.statement)
            except REFUSED as error:
                raise ImproperlyConfigured(f"Run `manage.py upgrade`: {str(error).strip()}") from error
        self._applied = wanted

    def init_connection_state(self) -> None:
        self._applied = None
        super().init_connection_state()
        if not DatabaseWrapper._guarded and self.connection is not None:
            with self.connection.cursor() as cursor:
                found = cursor.execute(ALL_POWERFUL, list(ROLES.values())).fetchall()
            if found:
                names = ", ".join(sorted(row[0] for row in found))
                self.close()
                raise ImproperlyConfigured(
                    f"The database role {names} is superuser or has BYPASSRLS: "
                    "no customer would be protected from another. "
                    f"Log in as {LOGIN_ROLE} (docs/deploy.md)."
                )
            DatabaseWrapper._guarded = True

    # A SET is undone by the rollback of the transaction or savepoint that it was made in.

    def _rollback(self) -> None:
        self._applied = None
        super()._rollback()

    def _savepoint_rollback(self, sid: str) -> None:
        try:
            super()._savepoint_rollback(sid)
        finally:
            self._applied = None

    def _commit(self) -> None:
        if self.connection is not None and self.connection.info.transaction_status == TransactionStatus.INERROR:
            # The server answers the commit of a transaction that has failed with a rollback, and says no more.
            self._applied = None
        try:
            super()._commit()
        except BaseException:
            self._applied = None
            raise

    @async_unsafe
    def close(self) -> None:
        self._applied = None
        super().close()
