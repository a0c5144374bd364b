"""What a holding is: the rows of one class of data in one table."""

from dataclasses import dataclass, replace

from tenants.models import DataClass


@dataclass(frozen=True)
class Holding:
    """Rows of one class of data in one table: `at` says how old a row is, `where` which rows are meant.

    `at`, `tenant` and `company` are columns, or expressions in brackets. Where `tenant` or `call` is empty, no hold can
    name the rows. `company` is needed where the class goes by the country of the company that bills; where it is empty,
    the rule of all countries holds.
    """

    data_class: DataClass
    table: str
    at: str
    where: str = "true"
    tenant: str = "tenant_id"
    msp: str = "msp_id"
    call: str = ""
    by_day: bool = False
    company: str = ""
    # One such table in each customer's schema, which `{schema}` stands for.
    in_schemas: bool = False

    def at_home(self, schema: str, tenant: int, msp: int) -> "Holding":
        """Return the holding as it stands in one customer's schema."""
        name = f'"{schema}"'
        return replace(
            self,
            table=f"{name}.{self.table}",
            at=self.at.format(schema=name),
            tenant=f"({tenant})",
            msp=f"({msp})",
            company=self.company.replace("t.tenant_id", str(tenant)),
        )

    @property
    def age(self) -> str:
        return column(self.at)

    @property
    def home(self) -> str:
        """Whose country says how long: the company's or the customer's; empty where all have one rule."""
        return column(self.company if self.data_class.is_of_company else self.tenant)


def column(name: str) -> str:
    """Return a column of the table at hand, or an expression as it is."""
    return name if not name or name.startswith("(") else f"t.{name}"
