"""Erasure: what is over goes, what is not or is held stays, and the report says so."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse

from portal.core.audit import Actor
from portal.core.models import AuditEntry, Job, JobFile
from portal.db import contexts
from portal.db.partitions import ensure_days, partition_name
from sbc.services import erasure
from tenants import services
from tenants.models import Customer, DataClass, Erasure, ErasureLine, LegalHold, Msp, RetentionRule
from voice.calls.models import Cdr, Rollup
from voice.calls.tests.make import cdr
from voice.delivery.models import Delivery, Endpoint, Message, Store, StoredFile
from voice.rating.models import Charge
from voice.rerating.models import Adjustment, Proposal

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor(email="tests")
AT = datetime(2026, 11, 20, 3, tzinfo=UTC)


def day(ago: int) -> datetime:
    return AT - timedelta(days=ago)


def store(customer: Customer, *ago: int, **facts: Any) -> list[uuid.UUID]:
    """Store a call of each of these ages in days."""
    ensure_days("calls_cdr", {day(each).date() for each in ago})
    with contexts.ingest():
        calls = [cdr(customer, day(each), **facts) for each in ago]
        Cdr.objects.bulk_create(calls)
    return [each.call for each in calls]


def ages(customer: Customer) -> list[int]:
    with contexts.customer(customer):
        return sorted((AT - invited).days for invited in Cdr.objects.values_list("invited", flat=True))


def set_days(data_class: str, country: str, days: int) -> None:
    with contexts.public():
        rule = RetentionRule.objects.filter(data_class=data_class, country=country).first()
        rule = rule or RetentionRule(data_class=data_class, country=country, reason="Law", source="Law")
        rule.days = days
        services.save_rule(rule, by=BY)


def hold(customer: Customer, call: uuid.UUID | None = None) -> LegalHold:
    with contexts.msp(customer.msp):
        return services.place_hold(
            LegalHold(msp=customer.msp, tenant=customer, call=call, case="7", reason="Bill", review="2099-01-01"), by=BY
        )


def lines(run: Erasure, data_class: str) -> list[ErasureLine]:
    with contexts.owner():
        return list(run.lines.filter(data_class=data_class).order_by("country", "msp_id"))


def has_partition(ago: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [partition_name("calls_cdr", day(ago).date())])
        return cursor.fetchone()[0] is not None


def test_what_is_over_goes_by_country_and_the_report_proves_it(acme: Customer, initech: Customer) -> None:
    Customer.objects.filter(pk=acme.pk).update(country="US")
    set_days("calls", "", 100)
    store(acme, 10, 150, 600)
    store(initech, 10, 150, 600)

    run = erasure.erase(at=AT, by=BY)

    assert (ages(acme), ages(initech)) == ([10, 150], [10])
    # Over for everybody, the day goes as a whole; elsewhere only rows go.
    assert (has_partition(600), has_partition(150)) == (False, True)
    found = {(line.country, line.msp_id): line for line in lines(run, "calls") if line.rows_before}
    american, other = found["US", acme.msp_id], found["", initech.msp_id]
    assert (american.rows_before, american.rows_removed, american.rows_after) == (1, 1, 0)
    assert (other.rows_before, other.rows_removed, other.rows_after) == (2, 2, 0)
    assert other.before == day(100) and other.is_proven
    with contexts.msp(initech.msp):
        assert AuditEntry.objects.get(verb="erasure.done").facts["removed"] == {"calls": 2}
        assert {line.msp_id for line in ErasureLine.objects.all()} == {initech.msp_id}


def test_a_hold_keeps_a_customer_or_one_call_until_it_is_released(acme: Customer, globex: Customer) -> None:
    with contexts.customer(globex):
        Customer.objects.filter(pk=globex.pk).update(country=acme.country)
    store(acme, 400, 401)
    one, _other = store(globex, 400, 402)
    whole, single = hold(acme), hold(globex, one)

    run = erasure.erase(at=AT, by=BY)

    assert (ages(acme), ages(globex)) == ([400, 401], [400])
    (line,) = [line for line in lines(run, "calls") if line.rows_before]
    assert (line.rows_before, line.rows_removed, line.rows_held, line.rows_after) == (4, 1, 3, 3)
    assert line.is_proven

    with contexts.msp(acme.msp):
        for each in (whole, single):
            services.release_hold(each, reason="settled", by=BY)
        with pytest.raises(ValidationError, match="meanwhile"):
            services.release_hold(whole, reason="again", by=BY)
    erasure.erase(at=AT, by=BY)
    assert (ages(acme), ages(globex)) == ([], [])


def test_records_of_emergency_calls_go_first(acme: Customer) -> None:
    store(acme, 40, direction="emergency")
    store(acme, 40)

    erasure.erase(at=AT, by=BY)

    with contexts.customer(acme):
        assert [call.direction for call in Cdr.objects.all()] == ["out"]
    with pytest.raises(ValidationError, match="no longer than others"):
        set_days("emergency", "", 200)
    with pytest.raises(ValidationError, match="no longer than others"):
        set_days("calls", "FR", 20)


def test_every_class_has_a_rule_and_its_rows_go(acme: Customer) -> None:
    with contexts.owner():
        assert {each.holding.data_class for each in erasure.due_at(AT)} == set(DataClass)
    with contexts.ingest():
        for grain, ago in (("minute", 63), ("minute", 1), ("day", 63), ("day", 1200)):
            Rollup(tenant=acme, msp=acme.msp, grain=grain, at=day(ago), attempts=1).save()
    with contexts.customer(acme):
        job = Job(kind="calls.export", state="done", tenant_id=acme.pk)
        job.save()
        JobFile(job=job, name="a.csv", content=b"x", tenant_id=acme.pk).save()
    later = datetime.now(UTC) + timedelta(days=31)

    erasure.erase(at=AT, by=BY)
    with contexts.customer(acme):
        assert Job.objects.count() == 1
        assert sorted(Rollup.objects.values_list("grain", "at")) == [("day", day(63)), ("minute", day(1))]
    erasure.erase(at=later, by=BY)

    with contexts.customer(acme):
        assert not Job.objects.exists() and not JobFile.objects.exists()


def test_charges_outlive_their_calls_and_go_with_all_that_hangs_on_them(acme: Customer, northwind: Msp) -> None:
    set_days("charges", "", 400)
    kept, gone, held = (charge(acme, ago) for ago in (300, 500, 501))
    hold(acme, held)
    with contexts.msp(northwind):
        over = Proposal.objects.create(msp=northwind, begins=day(600), ends=day(500), state="discarded", kept=False)
        Proposal.objects.filter(pk=over.pk).update(created_at=day(500))
        Proposal.objects.create(msp=northwind, begins=day(600), ends=day(500))

    run = erasure.erase(at=AT, by=BY)

    with contexts.msp(northwind):
        assert set(Charge.objects.values_list("id", flat=True)) == {kept, held}
        assert set(Adjustment.objects.values_list("call", flat=True)) == {kept, held}
        assert Proposal.objects.count() == 1 and gone not in {kept, held}
    told = {(line.table, line.rows_removed, line.rows_held) for line in lines(run, "charges") if line.rows_before}
    assert {("rating_charge", 1, 1), ("rerating_adjustment", 1, 1), ("rerating_proposal", 1, 0)} <= told
    assert all(line.is_proven for line in lines(run, "charges"))


def test_messages_go_with_what_was_sent_and_a_document_is_never_told_twice(northwind: Msp) -> None:
    with contexts.msp(northwind):
        endpoint = Endpoint.objects.create(msp=northwind, name="a", url="https://x.example", kinds=["calls.rated"])
        store = Store.objects.create(
            msp=northwind, name="b", host="x.example", username="u", secret="s", host_key="k", next_at=AT
        )
        for number, (ago, facts) in enumerate([(500, {}), (500, {"kind": "invoice.issued", "document": 7}), (500, {}),
                                               (500, {}), (10, {})], 1):  # fmt: skip
            found = {"kind": "calls.rated", "first_invited": day(ago), "last_invited": day(ago)} | facts
            message = Message.objects.create(msp=northwind, sequence=number, key=uuid.uuid4(), at=day(ago), **found)
            # The third was sent again lately, and so was a file with the fourth.
            sent = 20 if number == 3 else ago
            Delivery.objects.create(msp=northwind, endpoint=endpoint, message=message, next_at=day(sent), state="done")
        for first, ago in ((1, 500), (4, 20)):
            StoredFile.objects.create(
                msp=northwind, store=store, name=f"{first}", first=first, last=first, next_at=day(ago), state="done"
            )

    run = erasure.erase(at=AT, by=BY)

    with contexts.msp(northwind):
        assert list(Message.objects.order_by("sequence").values_list("sequence", flat=True)) == [2, 3, 4, 5]
        assert set(Delivery.objects.values_list("message__sequence", flat=True)) == {3, 5}
        assert set(StoredFile.objects.values_list("first", flat=True)) == {4}
    removed = {line.table: line.rows_removed for line in lines(run, "feed") if line.rows_before}
    assert removed == {"delivery_delivery": 3, "delivery_storedfile": 1, "delivery_message": 1}


def charge(customer: Customer, ago: int) -> uuid.UUID:
    """Store a charge of this age in days with an entry of rating again."""
    key, at = uuid.uuid4(), day(ago)
    ensure_days("rating_charge", [at.date()])
    shared = {"tenant": customer, "msp_id": customer.msp_id, "invited": at, "answered": at, "direction": "out",
              "currency": "EUR", "micros": 5, "seconds": 1, "billed": 1}  # fmt: skip
    with contexts.ingest():
        Charge.objects.create(id=key, outcome="rated", rated_at=at, **shared)
        Adjustment.objects.create(call=key, proposal_id=1, made_at=at, **shared)
    return key


def test_the_monthly_run_comes_once_a_month_and_again_after_a_failure(acme: Customer, monkeypatch: Any) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "_drop_days", broken)
        with pytest.raises(RuntimeError):
            erasure.erase_if_due(at=AT, by=BY)

    first, second = erasure.erase_if_due(at=AT, by=BY), erasure.erase_if_due(at=AT, by=BY)

    assert first is not None and second is None
    assert erasure.erase_if_due(at=AT + timedelta(days=15), by=BY) is not None
    with contexts.owner():
        failed = Erasure.objects.get(finished_at=None)
    assert failed.error == "RuntimeError: the disk is full"


def test_nobody_but_the_erasure_writes_what_was_erased(acme: Customer, northwind: Msp) -> None:
    for context in (contexts.public(), contexts.customer(acme), contexts.msp(northwind), contexts.ingest()):
        with context, connection.cursor() as cursor:
            for table in ("tenants_erasure", "tenants_erasureline"):
                cursor.execute("SELECT has_table_privilege(current_user, %s, 'INSERT, UPDATE, DELETE')", [table])
                assert cursor.fetchone() == (False,)
    with contexts.customer(acme):
        assert not RetentionRule.objects.filter(data_class="calls").update(days=1)


def test_pages_tell_the_operator_the_msp_and_the_customer(
    acme: Customer, northwind: Msp, client_of: Any, operator: Any, nadia: Any, alice: Any
) -> None:
    store(acme, 300)
    browser = client_of(operator)
    saved = browser.post(
        reverse("retention:new", urlconf="portal.urls_operator"),
        {"data_class": "calls", "country": "FR", "days": 90, "reason": "Law", "source": "CPCE", "row_version": 1},
    )
    assert saved.status_code == 302
    run = erasure.erase(at=AT, by=BY)

    proof = browser.get(reverse("retention:run", args=[run.pk], urlconf="portal.urls_operator")).content.decode()
    assert "Proven" in proof and "Northwind" in proof
    desk = client_of(nadia, northwind)
    placed = desk.post("/retention/holds/new/", {"tenant": acme.pk, "case": "8", "reason": "x", "review": "2099-01-01"})
    assert placed.status_code == 302
    assert "In force" in desk.get("/retention/holds/").content.decode()
    told = client_of(alice, acme).get("/retention/").content.decode()
    assert "6 months" in told and "2002/58/EC" in told and "Nothing was erased" not in told
