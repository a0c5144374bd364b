"""Records kept aside: read as data, stored when their cause is mended, or left out with a reason."""

import uuid
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from sbc import ingest, protocol, services
from sbc.models import Alarm, Node, QuarantinedRecord, Spool
from sbc.services import quarantine
from sbc.tests.fake_node import record
from tenants.models import Customer, Region
from voice.calls.models import Cdr, Rollup

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")
HOSTILE = "<script>alert(1)</script>\"'>"


@pytest.fixture
def node(region: Region) -> Node:
    return services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[0]


@pytest.fixture
def spool(node: Node) -> uuid.UUID:
    with contexts.ingest():
        return Spool.objects.create(id=uuid.uuid4(), node=node).pk


def kept(node: Node, spool: uuid.UUID, *items: dict[str, Any]) -> list[QuarantinedRecord]:
    ingest.take_records(node, spool, protocol.Records(first=items[0]["seq"], items=list(items)))
    with contexts.ingest():
        return list(QuarantinedRecord.objects.order_by("sequence"))


def page(name: str, *args: Any) -> str:
    return reverse(f"quarantine:{name}", args=args, urlconf="portal.urls_operator")


def mend(record: QuarantinedRecord, **facts: Any) -> None:
    """Stand for whatever a person does about the cause."""
    with contexts.ingest():
        QuarantinedRecord.objects.filter(pk=record.pk).update(record=record.record | facts)


def alarms() -> int:
    with contexts.ingest():
        return Alarm.objects.open().filter(kind=Alarm.Kind.QUARANTINE).count()


def test_it_becomes_a_call_once_its_cause_is_mended(
    node: Node, spool: uuid.UUID, acme: Customer, client_of: Any, operator: Any
) -> None:
    (waiting,) = kept(node, spool, record(1, 999_999))
    browser = client_of(operator)
    refused = browser.post(page("try", waiting.pk), follow=True)
    assert "No customer of ours has the id 999999." in refused.content.decode()
    mend(waiting, tenant=acme.pk)

    stored = browser.post(page("try", waiting.pk), follow=True)
    again = browser.post(page("try", waiting.pk), follow=True)

    assert "It is stored as a call and counted." in stored.content.decode()
    assert "Somebody has decided" in again.content.decode()
    with contexts.customer(acme):
        assert [call.sequence for call in Cdr.objects.all()] == [1]
        assert sum(Rollup.objects.filter(grain="day", trunk="").values_list("attempts", flat=True)) == 1
    assert alarms() == 0
    with contexts.public():
        entry = AuditEntry.objects.get(verb="quarantine.stored")
    assert (entry.email, entry.facts["sequence"]) == ("operator@strowger.example", 1)


def test_what_was_kept_for_a_cause_that_is_none_can_be_stored(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    (waiting,) = kept(node, spool, record(1, 999_999))
    mend(waiting, tenant=acme.pk, cause=99_999_999_999)

    with contexts.ingest():
        waiting.refresh_from_db()
    quarantine.try_again(waiting, by=LAB)

    with contexts.customer(acme):
        assert [call.cause for call in Cdr.objects.all()] == [None]


def test_a_call_that_is_there_already_is_not_stored_twice(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    first = record(1, acme.pk)
    (double,) = kept(node, spool, first, first | {"seq": 2})

    with pytest.raises(ValidationError, match="duplicate key"):
        quarantine.try_again(double, by=LAB)

    with contexts.ingest():
        assert QuarantinedRecord.objects.get().settled is None


def test_it_is_set_aside_with_a_reason(node: Node, spool: uuid.UUID, client_of: Any, operator: Any) -> None:
    (waiting,) = kept(node, spool, record(1, 999_999))
    browser = client_of(operator)
    assert browser.get(page("aside", waiting.pk)).status_code == 200
    assert browser.post(page("aside", waiting.pk), {"confirmed": "1", "reason": " "}).status_code == 400

    browser.post(page("aside", waiting.pk), {"confirmed": "1", "reason": "a test of ours"})

    shown = browser.get(page("detail", waiting.pk)).content.decode()
    assert "a test of ours" in shown and "Try again" not in shown
    assert alarms() == 0
    with contexts.public():
        assert AuditEntry.objects.get(verb="quarantine.aside").reason == "a test of ours"
    with pytest.raises(ValidationError):
        quarantine.try_again(waiting, by=LAB)


def test_what_it_says_is_data_and_numbers_are_cut_short(
    node: Node, spool: uuid.UUID, client_of: Any, operator: Any
) -> None:
    odd = record(1, 999_999, user_agent=HOSTILE, caller="+493012345678") | {HOSTILE: [HOSTILE]}
    (waiting,) = kept(node, spool, odd)
    browser = client_of(operator)

    pages = [browser.get(path).content.decode() for path in (page("list"), page("detail", waiting.pk))]
    said = browser.get(f"/api/v1/quarantined-records/{waiting.pk}/").json()

    assert all("<script>alert" not in each for each in pages)
    assert "&lt;script&gt;alert(1)" in pages[1] and "+49301…" in pages[1]
    assert said["record"]["caller"] == "+49301…" and said["record"]["user_agent"] == HOSTILE
    assert "345678" not in pages[1]


def test_what_cannot_be_read_says_so_in_words_and_stays_short_in_the_list(
    node: Node, spool: uuid.UUID, client_of: Any, operator: Any
) -> None:
    (waiting,) = kept(node, spool, {"seq": 1, "was": "nothing"})
    browser = client_of(operator)
    assert waiting.reason.startswith("It cannot be read: record: missing")
    assert len(waiting.reason) > 200

    listed = browser.get(page("list")).content.decode()
    assert "It cannot be read" in listed and waiting.reason[-20:] not in listed


def test_the_page_says_moments_and_gaps_for_people(node: Node, spool: uuid.UUID, client_of: Any, operator: Any) -> None:
    (waiting,) = kept(node, spool, record(1, 999_999, answered=1_795_203_492_591, reason=""))

    said = {name: rest for name, *rest in client_of(operator).get(page("detail", waiting.pk)).context["facts"]}

    assert said["answered"][1].isoformat() == "2026-11-20T19:38:12.591000+00:00"
    assert said["reason"] == ["", None] and said["last_seen"] == ["", None]
    assert said["code"][1] is None


def test_the_list_narrows(node: Node, spool: uuid.UUID, client_of: Any, operator: Any) -> None:
    first, second = kept(node, spool, record(1, 999_999), record(2, 0, direction=""))
    quarantine.set_aside(first, reason="a test", by=LAB)
    browser = client_of(operator)

    def shown(**narrow: Any) -> set[int]:
        text = browser.get(page("list"), narrow).content.decode()
        return {each.pk for each in (first, second) if page("detail", each.pk) in text}

    assert shown() == {first.pk, second.pk}
    assert shown(state="waiting") == {second.pk}
    assert shown(state="aside", node=node.pk) == {first.pk}
    assert shown(q="Nobody could be found") == {second.pk}


def test_the_api_decides_as_the_pages_do(
    node: Node, spool: uuid.UUID, acme: Customer, client_of: Any, operator: Any
) -> None:
    first, second = kept(node, spool, record(1, 999_999), record(2, 999_999))
    browser, path = client_of(operator), "/api/v1/quarantined-records/"
    mend(first, tenant=acme.pk)

    stored = browser.post(f"{path}{first.pk}/try-again/")
    refused = browser.post(f"{path}{second.pk}/try-again/")
    aside = browser.post(f"{path}{second.pk}/set-aside/", {"reason": "nobody"}, content_type="application/json")

    assert (stored.status_code, stored.json()["outcome"]) == (200, "stored")
    assert refused.status_code == 400 and "999999" in refused.content.decode()
    assert (aside.json()["outcome"], aside.json()["note"]) == ("aside", "nobody")
    assert browser.post(path, {}, content_type="application/json").status_code == 405


def test_no_other_portal_reads_them(node: Node, spool: uuid.UUID, acme: Customer, northwind: Any) -> None:
    kept(node, spool, record(1, 999_999))

    for place in (contexts.customer(acme), contexts.msp(northwind)):
        with place:
            assert not QuarantinedRecord.objects.exists()
