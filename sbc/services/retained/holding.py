"""What a holding is: the rows of one class of data in one table."""

from dataclasses import dataclass

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
