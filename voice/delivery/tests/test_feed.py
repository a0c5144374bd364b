"""What comes into the feed: everything once, in numbers without a gap, whatever the order in which it was stored."""

import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.db import contexts
from tenants.models import Customer
from voice.delivery import feed, payloads, selectors
from voice.delivery.models import Delivery, Endpoint, Feed, Kind, Message
from voice.delivery.tests.conftest import NOW
from voice.delivery.tests.make import priced
from voice.payments.models import DunningStep
from voice.payments.services import dunning
from voice.payments.services.ladder import save_step
from voice.receivables.models import Entry
from voice.receivables.selectors import balance
from voice.receivables.services import record_payment, reverse_payment
from voice.receivables.services.corrections import correct, write_off
from voice.receivables.tests import make as bills
from voice.rerating.models import Adjustment, Proposal

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def told():
    return [key for message in Message.objects.order_by("sequence") for key in message.calls]


def test_a_call_is_told_once_however_often_one_looks(desk, acme, globex):
    contexts.use_msp(desk)
    first, second = priced(acme, NOW - 3 * SECOND), priced(globex, NOW - 2 * SECOND)

    assert [feed.collect(desk, NOW), feed.collect(desk, NOW), feed.collect(desk, NOW + SECOND)] == [1, 0, 0]
    assert told() == [first, second]


def test_a_call_whose_transaction_ends_late_is_told_too(desk, acme):
    contexts.use_msp(desk)
    feed.collect(desk, NOW)
    late = priced(acme, NOW - 30 * SECOND)
    much_later = priced(acme, NOW - timedelta(minutes=20))

    assert feed.collect(desk, NOW + SECOND) == 1
    assert told() == [late]
    assert feed.collect(desk, NOW + 2 * SECOND, swept=True) == 1
    assert told() == [late, much_later]
    assert feed.collect(desk, NOW + 3 * SECOND, swept=True) == 0


def test_what_is_kept_aside_waits_until_it_has_a_price(desk, acme):
    contexts.use_msp(desk)
    aside = priced(acme, NOW - SECOND, outcome="unrated", micros=0, currency="")

    assert feed.collect(desk, NOW) == 0
    with contexts.ingest():
        from voice.rating.models import Charge

        Charge.objects.filter(id=aside).update(outcome="free", rated_at=NOW + SECOND)
    assert feed.collect(desk, NOW + 2 * SECOND) == 1
    assert told() == [aside]


def test_many_calls_are_several_messages_with_numbers_in_a_row(desk, acme, monkeypatch):
    contexts.use_msp(desk)
    monkeypatch.setattr(feed, "CALLS_IN_ONE", 2)
    monkeypatch.setattr(feed, "MOST_AT_ONCE", 3)
    keys = [priced(acme, NOW - (9 - n) * SECOND) for n in range(7)]

    counts = [feed.collect(desk, NOW) for _ in range(4)]

    assert sum(len(message.calls) for message in Message.objects.all()) == 7
    assert sorted(told(), key=keys.index) == keys
    assert [message.sequence for message in Message.objects.order_by("sequence")] == list(range(1, sum(counts) + 1))


def test_another_msp_is_told_nothing_of_it(desk, acme, initech, fabrikam):
    priced(acme, NOW - SECOND)
    theirs = priced(initech, NOW - SECOND)
    with contexts.msp(fabrikam):
        feed.collect(fabrikam, NOW - timedelta(hours=1))
        feed.collect(fabrikam, NOW)
        assert told() == [theirs]
    with contexts.msp(desk):
        feed.collect(desk, NOW)
        assert Message.objects.count() == 1
    with contexts.customer(acme):
        assert (Message.objects.count(), Endpoint.objects.count(), Feed.objects.count()) == (0, 0, 0)


def test_bills_and_payments_are_told_with_what_is_on_them(desk, acme):
    contexts.use_msp(desk)
    profile = bills.profile(bills.entity(desk), acme)
    invoice = bills.issued(profile, 5_000_000, on=NOW.date())

    assert feed.collect(desk, NOW + timedelta(days=1)) == 1
    message = Message.objects.get()
    assert message.kind == Kind.INVOICE
    said = json.loads(payloads.body(message, selectors.hidden_from_programs(desk)))
    assert said["type"] == "invoice.issued"
    assert said["data"]["invoice"]["number"] == invoice.number
    assert said["data"]["invoice"]["lines"]
    assert feed.collect(desk, NOW + timedelta(days=1)) == 0


def test_a_bill_is_told_whose_date_is_before_the_feed_began(desk, acme):
    contexts.use_msp(desk)
    profile = bills.profile(bills.entity(desk), acme)
    last_month = NOW.date().replace(day=1) - timedelta(days=1)
    bills.issued(profile, 5_000_000, on=last_month, name="dated back")
    bills.issued(profile, 6_000_000, on=NOW.date(), name="dated today")

    assert feed.collect(desk, NOW + timedelta(minutes=5)) == 2


def test_a_bill_of_before_the_feed_began_is_not_told_whatever_its_date(northwind, acme):
    contexts.use_msp(northwind)
    bills.issued(bills.profile(bills.entity(northwind), acme), 5_000_000, on=NOW.date() + timedelta(days=5))
    feed.collect(northwind, timezone.now())

    assert feed.collect(northwind, timezone.now() + timedelta(minutes=5)) == 0


@pytest.mark.parametrize("kind", ["refund", "chargeback", "returned"])
def test_money_that_goes_back_is_told_with_its_payment(desk, acme, kind):
    contexts.use_msp(desk)
    profile = bills.profile(bills.entity(desk), acme)
    payment = record_payment(bills.payment(profile, 5_000_000), by=bills.BY)
    reverse_payment(payment, 2_000_000, kind=kind, on=NOW.date(), reference="R-1", by=bills.BY)

    assert [feed.collect(desk, NOW + timedelta(minutes=5)) for _ in range(2)] == [2, 0]
    message = Message.objects.get(kind=Kind.REVERSAL)
    said = json.loads(payloads.body(message, selectors.hidden_from_programs(desk)))
    assert said["type"] == "payment.reversed"
    told = said["data"]["reversal"]
    assert (told["kind"], told["amount"], told["currency"], told["customer"]) == (kind, 2_000_000, "EUR", acme.pk)
    assert (told["reference"], told["booked_on"]) == ("R-1", NOW.date().isoformat())
    assert (told["payment"]["id"], told["payment"]["amount"]) == (payment.pk, 5_000_000)


def test_reminder_fees_write_offs_and_corrections_are_told_so_that_balances_agree(desk, acme):
    contexts.use_msp(desk)
    profile = bills.profile(bills.entity(desk), acme)
    invoice = bills.issued(profile, 100_000_000, on=NOW.date())
    step = {"after_days": 7, "title": "Reminder", "words": "Please pay.", "fee": 5_000_000}
    save_step(DunningStep(msp=desk, **step, interest_per_million=90_000), by=bills.BY)
    today = invoice.due_on + timedelta(days=14)
    for reminder in dunning.propose(desk, today=today, by=bills.BY):
        dunning.release(reminder, today=today, by=bills.BY)
    fee = Entry.objects.get(kind="fee")
    record_payment(bills.payment(profile, 100_000_000), by=bills.BY)
    correct(fee, reason="As promised by phone", by=bills.BY)
    write_off(invoice, 9_000_000, reason="Insolvent", left=19_000_000, by=bills.BY)

    feed.collect(desk, NOW + timedelta(minutes=5))
    said = [
        json.loads(payloads.body(message, selectors.hidden_from_programs(desk)))["data"]
        for message in Message.objects.order_by("sequence")
    ]
    entries = [each["entry"] for each in said if "entry" in each]
    assert [(each["kind"], each["amount"], each["customer"]) for each in entries] == [
        ("fee", 5_410_000, acme.pk), ("correction", -5_410_000, acme.pk), ("write_off", -9_000_000, acme.pk),
    ]  # fmt: skip
    assert entries[1]["corrects"] == fee.pk and entries[2]["invoice"] == invoice.pk
    owed = sum(each["amount"] for each in entries) + invoice.total - 100_000_000
    assert owed == balance(acme.pk, profile.entity_id, "EUR") == 10_000_000
    assert feed.collect(desk, NOW + timedelta(minutes=6)) == 0


def test_calls_that_were_priced_again_are_told_once_with_each_difference(desk, acme, monkeypatch):
    contexts.use_msp(desk)
    monkeypatch.setattr(feed, "CALLS_IN_ONE", 2)
    applied = {"begins": NOW - timedelta(days=40), "ends": NOW, "state": "applied", "reason": "Their list was late",
               "applied_at": NOW - SECOND}  # fmt: skip
    proposal = Proposal.objects.create(msp=desk, **applied)
    Proposal.objects.create(msp=desk, **applied | {"kept": False})
    shared = {"tenant": acme, "msp_id": desk.pk, "direction": "out", "currency": "EUR", "proposal_id": proposal.pk,
              "made_at": NOW - timedelta(minutes=20)}  # fmt: skip
    keys = [uuid.uuid4() for _ in range(3)]
    with contexts.ingest():
        for number, key in enumerate(keys):
            at = NOW - timedelta(days=40 - number)
            for destination, calls, micros in (("France", -1, -50_000), ("Germany", 1, 20_000)):
                Adjustment.objects.create(
                    invited=at, answered=at, call=key, destination=destination, calls=calls, micros=micros, **shared
                )

    assert [feed.collect(desk, NOW), feed.collect(desk, NOW + SECOND)] == [2, 0]

    assert told() == keys
    hidden = selectors.hidden_from_programs(desk)
    said = [json.loads(payloads.body(message, hidden)) for message in Message.objects.order_by("sequence")]
    assert {each["type"] for each in said} == {"adjustment.applied"}
    first = said[0]["data"]
    assert (first["proposal"]["id"], first["proposal"]["reason"]) == (proposal.pk, "Their list was late")
    entries = [(each["id"], each["destination"], each["micros"]) for each in first["adjustments"]]
    assert entries[:2] == [(str(keys[0]), "France", -50_000), (str(keys[0]), "Germany", 20_000)]
    assert len(entries) == 4 and first["adjustments"][0]["customer"] == acme.pk


def test_numbers_of_customers_who_hide_them_are_cut(desk, acme, globex):
    contexts.use_msp(desk)
    priced(acme, NOW - 2 * SECOND)
    priced(globex, NOW - SECOND)
    with contexts.customer(acme):
        assert Customer.objects.filter(pk=acme.pk).update(hide_numbers=True)
    feed.collect(desk, NOW)

    said = payloads.data(Message.objects.get(), selectors.hidden_from_programs(desk))
    assert [call["called"] for call in said["calls"]] == ["+4989123***", "+4989123400"]


def test_who_listens_gets_what_it_asked_for_and_who_is_paused_does_not(desk, acme):
    contexts.use_msp(desk)
    for name, kinds, state in (
        ("a", [Kind.CALLS], "active"),
        ("b", [Kind.PAYMENT], "active"),
        ("c", [Kind.CALLS], "paused"),
    ):
        Endpoint.objects.create(msp=desk, name=name, url="https://x.example", kinds=kinds, state=state, secret="s")
    priced(acme, NOW - SECOND)

    feed.collect(desk, NOW)

    assert [delivery.endpoint.name for delivery in Delivery.objects.all()] == ["a"]


def test_a_program_pulls_from_a_number_on(office, desk, acme):
    priced(acme, NOW - SECOND)
    with contexts.msp(desk):
        feed.collect(desk, NOW)

    first = office.get("/api/v1/feed/?after=0&limit=5").json()
    assert [message["sequence"] for message in first["messages"]] == [1]
    assert first["messages"][0]["data"]["calls"][0]["micros"] == 180_000
    assert office.get(f"/api/v1/feed/?after={first['next']}").json() == {"next": 1, "messages": []}
    assert office.get("/api/v1/feed/?after=1;DROP").status_code == 400


def test_a_message_says_what_was_erased_no_more(desk, acme):
    contexts.use_msp(desk)
    key = priced(acme, NOW - SECOND)
    feed.collect(desk, NOW)
    message = Message.objects.get()
    message.calls = [key, uuid.uuid4()]

    assert [call["id"] for call in payloads.data(message, frozenset())["calls"]] == [key]
