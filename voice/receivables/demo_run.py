"""The demo's calls of last month, the run that billed them, and questions about its lines."""

import random
import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from portal.core.audit import Actor
from portal.db import contexts
from portal.db.partitions import ensure_days
from tenants.models import Customer, Msp
from voice.billing.models import BillLine
from voice.calls.models import Cdr
from voice.inventory.models import StockNumber
from voice.rating import live
from voice.receivables import services
from voice.receivables.models import Invoice, InvoiceRun, LineQuestion
from voice.receivables.services import questions, runs

CALLS = 36
# Told as the node of these calls, so that the day of calls to look at is told besides.
NODE = "demo"
# How the numbers begin that each customer gets in the demo.
CALLERS = {"acme": "+493023125", "globex": "+1206555", "initech": "+442079460"}
# Numbers that nobody has: of films, and of the tests of their regulators.
CALLED = ("+442079460018", "+33199000017", "+41791234500", "+4915550100017", "+12125550117", "+390699999917")


def seed(cast: Any, msp: Msp, begins: date, ends: date, *, by: Actor) -> None:
    """Price last month's calls, collect them, issue what nobody has to look at; Acme asks about two lines."""
    for customer in (each for each in cast.customers if each.msp_id == msp.pk):
        _call(cast, customer, begins, ends)
    with cast.as_msp(msp):
        # On the first of a month it may still be the day before where a customer is.
        over = datetime.combine(ends, time(), UTC) + timedelta(days=1)
        run = runs.start_run(msp, begins, by=by, now=max(timezone.now(), over), queued=False)
        runs.collect(run)
        run.refresh_from_db()
        if runs.approve_customers(run, None, by=by)[0]:
            _issue(run, ends, by)
        issued = Invoice.objects.issued().filter(msp=msp, source="run", tenant__label="acme").first()
    if issued is not None:
        with cast.as_customer(issued.tenant):
            _ask(issued)
        with cast.as_msp(msp):
            waiting = LineQuestion.objects.filter(msp=msp, disputed=0).order_by("pk").first()
            if waiting is not None:
                words = "Mostly +49 30 23125002, in the first week. Open the line: each call is there with its number."
                questions.answer(waiting, text=words, by=Actor(email="nadia@northwind.example"))


def _ask(issued: Invoice) -> None:
    """Let Acme ask who made the calls of a line, and not accept a part of its dearest one."""
    lines, alice = BillLine.objects.filter(bill=issued.pk).select_related("bill"), Actor(email="alice@acme.example")
    calls, dearest = lines.filter(kind="usage").order_by("position").first(), lines.order_by("-net").first()
    if calls is not None:
        questions.ask(calls, issued.tenant, text="Which of our people make these calls?", by=alice)
    if dearest is not None and dearest.net > 0:
        half = dearest.net // 2 // 10_000 * 10_000
        questions.ask(dearest, issued.tenant, text="We moved in on the 16th only.", disputed=half, by=alice)


def _issue(run: InvoiceRun, on: date, by: Actor) -> None:
    run.refresh_from_db()
    runs.start_issuing(run, on=on, by=by, queued=False)
    runs.issue_approved(run)
    for invoice in Invoice.objects.filter(pk__in=services.without_files()):
        services.store_files(invoice)


def _call(cast: Any, customer: Customer, begins: date, ends: date) -> None:
    with cast.as_msp(customer.msp):
        own = StockNumber.objects.filter(msp=customer.msp_id, e164__startswith=CALLERS[customer.label])
        numbers = list(own.order_by("e164").values_list("e164", flat=True)[:8])
    if not numbers:
        return
    chance = random.Random(customer.pk)  # noqa: S311 the same calls each time
    days = [begins + timedelta(days=day) for day in range((ends - begins).days)]
    for table in ("calls_cdr", "rating_charge", "rating_cost"):
        ensure_days(table, days)
    calls = [_record(customer, chance.choice(numbers), chance, chance.choice(days)) for _ in range(CALLS)]
    with contexts.ingest():
        Cdr.objects.bulk_create(calls)
        live.rate(live.Ahead(), calls, at=datetime.now(UTC))


def _record(customer: Customer, caller: str, chance: random.Random, day: date) -> Cdr:
    invited = datetime.combine(day, time(chance.randint(7, 17), chance.randint(0, 59), chance.randint(0, 59)), UTC)
    answered = invited + timedelta(seconds=chance.randint(3, 15))
    talked = timedelta(seconds=round(chance.expovariate(1 / 240)) + 5)
    called, key = chance.choice(CALLED), uuid.UUID(int=chance.getrandbits(128), version=4)
    return Cdr(
        id=key, call=key, tenant_id=customer.pk, msp_id=customer.msp_id, node_name=NODE, sequence=0, direction="out",
        call_id=f"{key.hex}@demo", caller=caller, caller_sent=caller, called=called, called_sent=called,
        invited=invited, ringing=invited + timedelta(seconds=1), answered=answered, ended=answered + talked,
        talk_ms=round(talked.total_seconds() * 1000), code=200, cause=16, released_by="caller", ingress="teams",
        egress="", disposition="answered", received=answered + talked,
    )  # fmt: skip
