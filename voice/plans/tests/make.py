"""Plans, contracts and calls for tests."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from portal.core.audit import Actor
from voice.plans import ordering, services
from voice.plans.facts import Agreed, Clause, Phase, Situation
from voice.plans.items import CallToBill, UsageSum
from voice.plans.models import Component, Contract, Plan
from voice.rating.models import Charge

BY = Actor(email="nadia@northwind.example")
BERLIN = ZoneInfo("Europe/Berlin")
EUR = 1_000_000
JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)


def phase(*clauses: Clause, begins=date(2026, 1, 1), ends=None, contract=None, plan="Office") -> Phase:
    return Phase(plan, 1, begins, ends, clauses, contract or Agreed(1, begins))


def situation(*phases: Phase, **more) -> Situation:
    return Situation("EUR", BERLIN, phases, **more)


def call(seconds, at="2026-06-10 10:00", per_minute=20_000, destination="Germany", direction="out") -> CallToBill:
    answered = datetime.fromisoformat(at)
    answered = answered if answered.tzinfo else answered.replace(tzinfo=BERLIN)
    micros = (seconds * per_minute + 30) // 60
    return CallToBill(
        answered - timedelta(seconds=5), uuid4(), answered, direction, destination, "EUR", seconds, seconds, micros
    )  # fmt: skip


def sums(calls) -> list[UsageSum]:
    found: dict = {}
    for each in calls:
        key = (each.direction, each.destination, each.currency)
        before = found.get(key, (0, 0, 0, 0))
        more = (1, each.seconds, each.billed, each.micros)
        found[key] = tuple(a + b for a, b in zip(before, more, strict=True))
    return [UsageSum(*key, *figures) for key, figures in found.items()]


def published(msp, *parts, name="Office", deck=None, currency="EUR", since=date(2026, 1, 1)):
    """Return a published version; a part is the facts of a component, with its `tiers`."""
    plan = Plan.objects.filter(msp=msp, name=name).first()
    if plan is None:
        plan = services.save_plan(Plan(msp=msp, name=name, currency=currency, zone="Europe/Berlin"), by=BY)
        version = plan.versions.get()
    else:
        version = services.new_version(plan, by=BY)
        version.components.all().delete()
    version.effective_from, version.deck = since, deck
    services.save_version(version, by=BY)
    for part in parts:
        tiers = part.get("tiers", ())
        facts = {key: value for key, value in part.items() if key != "tiers"}
        services.save_component(Component(version=version, **facts), tiers=tiers, by=BY)
    return services.publish(version, by=BY)


def contract(customer, version, starts=date(2026, 1, 1), **facts):
    return ordering.start_contract(
        Contract(msp_id=customer.msp_id, tenant=customer, starts=starts, **facts), version, by=BY
    )


def charge(customer, seconds, at="2026-06-10 10:00", per_minute=20_000, destination="Germany", **facts) -> Charge:
    """Return the row of a charge, not stored: only ingest may."""
    made = call(seconds, at, per_minute, destination)
    told = {"prefix": "49", "outcome": "rated", "rated_at": datetime(2026, 6, 10, tzinfo=UTC)} | facts
    return Charge(
        tenant_id=customer.pk, msp_id=customer.msp_id, invited=made.invited, id=made.id, answered=made.answered,
        direction=made.direction, destination=made.destination, micros=made.micros, currency=made.currency,
        seconds=made.seconds, billed=made.billed, **told,
    )  # fmt: skip
