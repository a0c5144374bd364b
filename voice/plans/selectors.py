"""Reads of plans and contracts that pages and API share."""

from collections.abc import Iterable, Iterator
from datetime import date

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils import timezone

from tenants.models import Customer
from voice.plans.facts import CALL, DISCOUNT, MINUTES, TIERS
from voice.plans.models import AddOn, Component, Contract, Phase, Plan, PlanVersion
from voice.plans.models.contracts import PhaseQuerySet
from voice.rating.limits import account_of
from voice.rating.selectors_accounts import knows_plans, settled_with_bill

# What a customer may read of its plans, too: the database shows it no more.
SHOWN = (
    "version__plan__name", "version__plan__currency", "version__plan__zone", "version__plan__msp",
    "version__number", "version__state", "version__effective_from", "version__deck", "version__msp",
)  # fmt: skip


def plans(msp: int) -> QuerySet[Plan]:
    """Return an MSP's plans with their newest published version and the contracts that run on any."""
    published = PlanVersion.objects.filter(plan=OuterRef("pk"), state=PlanVersion.State.PUBLISHED)
    drafts = PlanVersion.objects.filter(plan=OuterRef("pk"), state=PlanVersion.State.DRAFT)
    today = timezone.localdate()
    running = Q(versions__phases__begins__lte=today) & (
        Q(versions__phases__ends=None) | Q(versions__phases__ends__gt=today)
    )
    return Plan.objects.filter(msp=msp).annotate(
        newest=Subquery(published.order_by("-number").values("number")[:1]),
        deck_name=Subquery(published.order_by("-number").values("deck__name")[:1]),
        draft=Subquery(drafts.values("number")[:1]),
        customers=Count("versions__phases__tenant", filter=running, distinct=True),
    )


def contracts(**owner: int) -> QuerySet[Contract]:
    """Return contracts with the plan that holds today, or that held last or will hold first."""
    today = timezone.localdate()
    phases = Phase.objects.filter(contract=OuterRef("pk")).held()
    past = phases.filter(begins__lte=today).order_by("-begins")
    future = phases.order_by("begins")
    shown = {
        "plan_name": "version__plan__name",
        "version_number": "version__number",
        "currency": "version__plan__currency",
    }
    annotations = {}
    for name, path in shown.items():
        annotations[f"past_{name}"] = Subquery(past.values(path)[:1])
        annotations[f"future_{name}"] = Subquery(future.values(path)[:1])
    return Contract.objects.filter(**owner).select_related("tenant").annotate(**annotations)


def standing(contract: Contract, today: date) -> str:
    """Return where a contract stands: to come, on trial, running, ending or ended."""
    if contract.starts > today:
        return "scheduled"
    if contract.ends is not None:
        return "ended" if contract.ends <= today else "ending"
    if contract.trial_until is not None and contract.trial_until > today:
        return "trial"
    return "running"


def is_settled_with_bill(customer: Customer) -> bool:
    """Tell whether a limit stops calls that the bill will ask something else for."""
    return bool(settled_with_bill([account_of(customer)]))


def phases_of(contract: Contract) -> QuerySet[Phase]:
    """Return the plans of a contract in the order of their days, without those that never came to hold."""
    return _in_order(contract.phases.all())


def contracts_whole(**owner: int) -> QuerySet[Contract]:
    """Return contracts with all that belongs to them, the newest first; `held_phases` are as `phases_of` tells them."""
    phases = Prefetch("phases", _in_order(Phase.objects.all()), to_attr="held_phases")
    return contracts(**owner).prefetch_related("add_ons", "credits", phases).order_by("-pk")


def _in_order(phases: PhaseQuerySet) -> PhaseQuerySet:
    found = phases.held().select_related("version__plan").order_by("begins")
    return found.only("begins", "ends", "contract", "tenant", "msp", *SHOWN)


def held_on(contract: Contract, day: date) -> Phase | None:
    """Return the phase of a day, else the first that is to come, else the last."""
    phases = list(phases_of(contract))
    found = next((each for each in phases if each.begins <= day and (each.ends is None or each.ends > day)), None)
    coming = next((each for each in phases if each.begins > day), None)
    return found or coming or (phases[-1] if phases else None)


@knows_plans
def ask_otherwise(customers: Iterable[int]) -> set[int]:
    """Return the customers whose plan of today asks something else for their calls than the deck does.

    What a plan only offers counts for those who have ordered it.
    """
    today = timezone.localdate()
    holds = Q(begins__lte=today) & (Q(ends=None) | Q(ends__gt=today))
    held: dict[int, list[Phase]] = {}
    for phase in Phase.objects.filter(holds, tenant__in=list(customers)).only("tenant", "contract", "version"):
        held.setdefault(phase.version_id, []).append(phase)
    priced = Q(kind__in=(MINUTES, TIERS, CALL)) | Q(kind=DISCOUNT) & ~Q(scope=Component.Scope.FEES)
    parts = Component.objects.filter(priced, version__in=held).values_list("version", "name", "optional")
    agreed = {phase.contract_id for phases in held.values() for phase in phases}
    orders = AddOn.objects.filter(holds, contract__in=agreed).values_list("contract", "name")
    ordered = {(contract, name.casefold()) for contract, name in orders}
    return {
        phase.tenant_id
        for version, name, is_offered in parts
        for phase in held[version]
        if not is_offered or (phase.contract_id, name.casefold()) in ordered
    }


def days_without_contract(customers: Iterable[int], begins: date, ends: date) -> dict[int, list[tuple[date, date]]]:
    """Return the days of a period, from and until, without a contract; who has one on all of them is not in it."""
    known = list(customers)
    held: dict[int, list[tuple[date, date]]] = {each: [] for each in known}
    phases = Phase.objects.filter(tenant__in=known, begins__lt=ends).held().exclude(ends__lte=begins)
    for tenant, first, last in phases.order_by("begins").values_list("tenant", "begins", "ends"):
        held[tenant].append((max(first, begins), min(last or ends, ends)))
    free = {each: list(_between(spans, begins, ends)) for each, spans in held.items()}
    return {each: spans for each, spans in free.items() if spans}


def _between(held: Iterable[tuple[date, date]], begins: date, ends: date) -> Iterator[tuple[date, date]]:
    for first, last in (*held, (ends, ends)):
        if begins < first:
            yield begins, first
        begins = max(begins, last)


def contract_of(customer: Customer, day: date) -> Contract | None:
    """Return the contract that a customer has on a day, else the next one."""
    open_ = contracts(tenant=customer.pk).filter(Q(ends=None) | Q(ends__gt=day))
    return open_.order_by("starts").first()
