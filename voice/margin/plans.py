"""What customers on the same plan left together; in the context of the MSP."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery

from tenants.models import Msp
from voice.margin.lens import next_month
from voice.margin.selectors import OfCustomer, Result
from voice.plans.models import Phase


@dataclass(frozen=True)
class OfPlan:
    """What a month of all customers on one plan came to; no name stands for those without a contract."""

    name: str
    customers: int
    result: Result


def in_month(month: date) -> QuerySet[Phase]:
    """Return the phases of contracts that hold on some day of the month, the one that holds last first."""
    holds = Phase.objects.held().filter(begins__lt=next_month(month)).filter(Q(ends=None) | Q(ends__gt=month))
    return holds.order_by("-begins", "-pk")


def plan_of(month: date) -> Subquery:
    """Return the name of the plan that a customer of a query had last in the month."""
    rows = in_month(month).filter(tenant=OuterRef("pk")).values("version__plan__name")[:1]
    return Subquery(rows, output_field=CharField())


def names(msp: Msp, month: date) -> dict[int, str]:
    """Return the plan that each customer had last in the month."""
    rows = in_month(month).filter(msp=msp).values_list("tenant", "version__plan__name")
    # The first of a customer counts.
    return dict(reversed(list(rows)))


def by_plan(customers: Iterable[OfCustomer], plans: Mapping[int, str]) -> list[OfPlan]:
    """Return what each plan left, the one that left most first; those with a part in another currency are left out."""
    found: dict[str, OfPlan] = {}
    for each in customers:
        if each.elsewhere:
            continue
        name = plans.get(each.pk, "")
        known = found.get(name, OfPlan(name, 0, Result()))
        found[name] = OfPlan(name, known.customers + 1, known.result + each.result)
    return sorted(found.values(), key=lambda plan: (-plan.result.margin, plan.name))
