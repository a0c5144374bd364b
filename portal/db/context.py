"""What a database connection may see: one value, set on the connection before the first statement that needs it."""

import re
from dataclasses import dataclass

PUBLIC = "public"
TEMPLATE = "customer_template"
LOGIN_ROLE = "strowger"
ROLES = {"owner": "strowger_owner", "app": "strowger_app", "msp": "strowger_msp", "ingest": "strowger_ingest"}

# Made by us from the customer's id, never from what somebody typed.
CUSTOMER_SCHEMA = re.compile(r"c[0-9]{6,10}\Z")
_OURS = re.compile(rf"{CUSTOMER_SCHEMA.pattern}|{PUBLIC}\Z|{TEMPLATE}\Z")


class ContextRefused(Exception):
    """A context was asked for that must not exist: no such schema name, or a customer that is not open."""


@dataclass(frozen=True, slots=True)
class Context:
    """The role, the schema and the tenant and MSP that row-level security goes by."""

    role: str = "app"
    schema: str = PUBLIC
    tenant: int | None = None
    msp: int | None = None

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ContextRefused(f"There is no role {self.role!r}.")
        if not _OURS.match(self.schema):
            raise ContextRefused(f"{self.schema!r} is not the name of a customer's schema.")

    @property
    def search_path(self) -> str:
        return PUBLIC if self.schema == PUBLIC else f'"{self.schema}",{PUBLIC}'

    @property
    def settings(self) -> tuple[str, str, str, str]:
        """The values for role, search_path, app.tenant and app.msp; an empty one lets nothing through."""
        tenant = "" if self.tenant is None else str(int(self.tenant))
        return ROLES[self.role], self.search_path, tenant, "" if self.msp is None else str(int(self.msp))

    @property
    def statement(self) -> str:
        """What tells the server all four at once, so that they never disagree; nothing in it was typed by anybody."""
        names = ("role", "search_path", "app.tenant", "app.msp")
        told = zip(names, self.settings, strict=True)
        return "SELECT " + ", ".join([f"set_config('{name}', '{value}', false)" for name, value in told])


# Where every connection begins: no tenant's row and no customer's table is visible.
NOBODY = Context()
