"""Contracts, plans and what was drawn, read into the facts of the calculation: by customer or by version."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from tenants.models import Customer
from voice.plans import facts
from voice.plans.allowances import Key
from voice.plans.counting import counts_of, number_spans, seats_of
from voice.plans.facts import Agreed, Clause, Given, Ordered, Situation
from voice.plans.models import AddOn, Component, ComponentTier, Credit, DrawnPeriod, Phase
from voice.plans.tiers import Tier
from voice.plans.users import Users

PLAN = ("version__plan__name", "version__plan__currency", "version__plan__zone", "version__number")
CONTRACT = ("contract_id", "contract__starts", "contract__trial_until")


def situations_of(customer: Customer, ends: date) -> list[Situation]:
    """Return what a customer's bills up to a day depend on, for each currency of its contracts.

    The one that holds last comes last; nothing where there is no contract.
    """
    rows = list(
        Phase.objects.held()
        .filter(tenant=customer, begins__lt=ends)
        .order_by("begins")
        .values("version_id", "begins", "ends", *PLAN, *CONTRACT)
    )
    drawn, until = _drawn(customer) if rows else ({}, None)
    by_currency: dict[str, list[dict[str, Any]]] = {}
    for row in reversed(rows):
        by_currency.setdefault(row["version__plan__currency"], []).insert(0, row)
    return [_situation(customer, each, drawn, until) for each in reversed(by_currency.values())]


def _situation(
    customer: Customer, rows: list[dict[str, Any]], drawn: Mapping[Key, int], until: date | None
) -> Situation:
    currency, zone = rows[-1]["version__plan__currency"], ZoneInfo(rows[-1]["version__plan__zone"])
    clauses = clauses_of({row["version_id"] for row in rows})
    agreed = _agreed(customer, rows)
    phases = [
        facts.Phase(
            row["version__plan__name"],
            row["version__number"],
            row["begins"],
            row["ends"],
            tuple(clauses.get(row["version_id"], ())),
            agreed[row["contract_id"]],
        )
        for row in rows
    ]
    used = [clause for phase in phases for clause in phase.clauses]
    counts = counts_of(customer, zone, wanted_counts(used))
    new = [begins for begins, _ends in number_spans(customer, zone)] if asks_for_new_numbers(used) else []
    return Situation(currency, zone, phases, counts, new, drawn, until, users_of(customer, used))


def wanted_counts(clauses: Iterable[Clause]) -> set[str]:
    """Return what has to be counted for these clauses."""
    found = set()
    for clause in clauses:
        if clause.kind in (facts.MONTHLY, facts.EMERGENCY):
            found.add(clause.per)
        elif clause.kind == facts.MINUTES and clause.pool == "seat":
            found.add(facts.SEAT)
    return found


def users_of(customer: Customer, clauses: Iterable[Clause]) -> Users:
    """Return who had which number when, where these clauses ask for it; it is read for nobody else."""
    return Users(seats_of(customer)) if facts.has_own(clauses) else Users()


def asks_for_new_numbers(clauses: Iterable[Clause]) -> bool:
    """Tell whether there is a one-off fee for each number."""
    return any(clause.kind == facts.ONCE and clause.per == facts.NUMBER for clause in clauses)


def clauses_of(versions: Iterable[int]) -> dict[int, list[Clause]]:
    """Return the components of versions, in their order."""
    found: dict[int, list[Clause]] = {}
    tiers: dict[int, list[Tier]] = {}
    wanted = list(versions)
    for tier in ComponentTier.objects.filter(component__version__in=wanted):
        tiers.setdefault(tier.component_id, []).append(Tier(tier.up_to, tier.per_minute))
    for row in Component.objects.filter(version__in=wanted).order_by("position", "pk"):
        found.setdefault(row.version_id, []).append(clause_of(row, tiers.get(row.pk, [])))
    return found


def clause_of(row: Component, tiers: Iterable[Tier]) -> Clause:
    """Return a component as the calculation sees it."""
    return Clause(
        row.name,
        row.kind,
        row.amount,
        row.per,
        row.minutes,
        row.pool,
        row.roll_over,
        frozenset(row.destinations),
        row.per_million,
        row.scope,
        row.months,
        row.optional,
        row.tax_class,
        tuple(sorted(tiers, key=lambda tier: (tier.up_to is None, tier.up_to or 0))),
    )


def _agreed(customer: Customer, rows: Iterable[dict[str, Any]]) -> dict[int, Agreed]:
    add_ons: dict[int, list[Ordered]] = {}
    for order in AddOn.objects.filter(tenant=customer).order_by("begins", "pk"):
        add_ons.setdefault(order.contract_id, []).append(Ordered(order.name, order.quantity, order.begins, order.ends))
    given: dict[int, list[Given]] = {}
    for each in Credit.objects.filter(tenant=customer).order_by("month", "pk"):
        given.setdefault(each.contract_id, []).append(Given(each.month, each.amount, each.reason))
    return {
        row["contract_id"]: Agreed(
            row["contract_id"],
            row["contract__starts"],
            row["contract__trial_until"],
            tuple(add_ons.get(row["contract_id"], ())),
            tuple(given.get(row["contract_id"], ())),
        )
        for row in rows
    }


def _drawn(customer: Customer) -> tuple[dict[Key, int], date | None]:
    found: dict[Key, int] = {}
    until = None
    for ends, drawn in DrawnPeriod.objects.filter(tenant=customer).order_by("ends").values_list("ends", "drawn"):
        until = ends
        for name, caller, begins, seconds in drawn:
            key = (name, caller, date.fromisoformat(begins))
            found[key] = found.get(key, 0) + seconds
    return found, until
