"""What the calls of numbers cost: read from charges and entries, to the micro, and told to whoever may see bills."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from portal.db import contexts
from portal.db.partitions import ensure_days
from tenants.models import Customer, User
from voice.calls.models import Cdr, NumberDay
from voice.calls.number_days import NUMBER, with_own
from voice.calls.tests.make import cdr
from voice.rating.models import Charge
from voice.rerating.models import Adjustment
from voice.rerating.number_money import money_of_days

pytestmark = pytest.mark.django_db
HERS, HIS, THEIRS = "+493012345600", "+493012345601", "+442079460018"
TODAY = now().replace(hour=0, minute=0, second=0, microsecond=0)
BEFORE = TODAY - timedelta(days=1)
COLUMNS = ("at", "number", "direction", "calls", "answered", "talk_ms")
PAGE, API = "/numbers/usage/", "/api/v1/number-days/"
COUNT = f"""
SELECT day, {NUMBER}, direction, count(*), count(answered), sum(talk_ms)::bigint
  FROM {with_own("calls_cdr")} GROUP BY 1, 2, 3
"""


def talked(customer: Customer, micros: int | None, at: datetime = TODAY, **facts: Any) -> Cdr:
    """Return a call that is stored with its charge, or without one where it has no price yet."""
    currency = facts.pop("currency", "EUR")
    call = cdr(customer, at + timedelta(minutes=1), **{"screening": "own", "caller_sent": HERS} | facts)
    ensure_days("calls_cdr", [at.date()])
    ensure_days("rating_charge", [at.date()])
    with contexts.ingest():
        call.save(force_insert=True)
        if call.answered:
            Charge.objects.create(
                tenant=customer, msp_id=customer.msp_id, invited=call.invited, id=call.id, answered=call.answered,
                direction=call.direction, destination="Germany", outcome="unrated" if micros is None else "rated",
                micros=micros or 0, currency="" if micros is None else currency, seconds=60, billed=60, rated_at=at,
            )  # fmt: skip
    return call


def adjusted(call: Cdr, micros: int) -> None:
    with contexts.ingest():
        Adjustment.objects.create(
            tenant_id=call.tenant_id, msp_id=call.msp_id, invited=call.invited, call=call.id, answered=call.answered,
            direction=call.direction, currency="EUR", micros=micros, proposal_id=1, made_at=TODAY,
        )  # fmt: skip


@pytest.fixture
def month(acme: Customer, globex: Customer) -> None:
    """Calls of two days, with one that was priced again and some that cost nobody anything."""
    dear = talked(acme, 90_000)
    talked(acme, 5_000, screening="forwarded")
    talked(acme, 1_000, BEFORE)
    talked(acme, None)
    talked(acme, None, answered=None, talk_ms=0)
    talked(acme, 7_000, caller_sent=HIS, currency="USD")
    talked(acme, 2_000, caller_sent=HIS)
    talked(acme, 400, screening="replaced")
    talked(acme, 30, direction="in", called=HERS, screening="none")
    talked(globex, 99, caller_sent=HERS)
    adjusted(dear, -40_000)
    for customer in (acme, globex):
        with contexts.customer(customer), connection.cursor() as cursor:
            cursor.execute(COUNT)
            days = [dict(zip(COLUMNS, row, strict=True)) for row in cursor.fetchall()]
        with contexts.ingest():
            for day in days:
                NumberDay(tenant=customer, msp_id=customer.msp_id, **day).save()


def test_each_day_of_a_number_has_its_charges_with_what_was_adjusted(acme: Customer, month: None) -> None:
    contexts.use_customer(acme)
    days = list(NumberDay.objects.filter(tenant=acme))

    found = money_of_days(days)

    assert {(day.at, day.number, day.direction): found.get(day.pk) for day in days} == {
        (TODAY, HERS, "out"): {"EUR": 55_000},
        (BEFORE, HERS, "out"): {"EUR": 1_000},
        (TODAY, HERS, "in"): {"EUR": 30},
        (TODAY, HIS, "out"): {"EUR": 2_000, "USD": 7_000},
        (TODAY, "", "out"): {"EUR": 400},
    }
    (one,) = [day for day in days if day.at == BEFORE]
    assert money_of_days([one]) == {one.pk: {"EUR": 1_000}} and money_of_days([]) == {}


def test_page_export_and_api_say_it_to_whoever_may_see_bills(
    acme: Customer, alice: User, victor: User, month: None, client_of: Any
) -> None:
    query = {"month": f"{TODAY:%Y-%m}"}
    browser = client_of(alice, acme)
    answer = browser.get(PAGE, query | {"direction": "out"})
    hers, his = sorted(answer.context["list"].by_person, key=lambda row: str(row["number"]))
    # To the cent on the page; what is less than half a cent stays exact.
    assert (hers["charge"], his["charge"]) == ("€0.06", "€0.002 + $0.01")
    assert "€0.06" in answer.content.decode() and "Charge" in answer.content.decode()
    assert "€0.055" in browser.get(PAGE, query | {"export": "csv"}).content.decode()
    days = {(day["number"], day["at"][:10], day["direction"]): day for day in browser.get(API).json()["results"]}
    assert days[HIS, f"{TODAY:%Y-%m-%d}", "out"]["charges"] == {"EUR": 2_000, "USD": 7_000}

    reader = client_of(victor, acme)
    page = reader.get(PAGE, query)
    assert page.status_code == 200 and "Charge" not in page.content.decode() and "€" not in page.content.decode()
    assert "€" not in reader.get(PAGE, query | {"export": "csv"}).content.decode()
    with CaptureQueriesContext(connection) as asked:
        assert [day["charges"] for day in reader.get(API).json()["results"]] == [{}] * 5
    assert not any("rating_charge" in each["sql"] for each in asked), "nobody pays for what nobody sees"
