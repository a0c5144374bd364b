"""Prices on pages, in exports and in the API: charges for their customer, costs and margin for the MSP alone."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.core.models import AuditEntry, Job
from portal.db import contexts
from sbc.tests.rated import CHEAP, DEAR, call
from tenants.models import Customer, Membership, Msp, User
from tenants.tests.clients import client_of
from voice.calls import hooks
from voice.calls.exports import export_calls
from voice.calls.models import Cdr
from voice.carriers.models import Trunk
from voice.rating import asides
from voice.rating.models import Account, Charge, CostUsage, Usage
from voice.rating.tests.make import stored_rate

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")
# What a minute costs the MSP and leaves it, in every way of writing it; and what its decks and trunks are called.
SECRETS = ("61237", "0.0612", "118763", "0.1187", "margin", "secret rates", "carrier a deck", "cost over")


@pytest.fixture
def calls(send: Any, acme: Customer, globex: Customer, northwind: Msp, trunk: Trunk, decks: Any) -> list[Cdr]:
    """Acme made a call that has a price and one that has none."""
    with contexts.msp(northwind):
        type(decks[1]).objects.filter(pk=decks[1].pk).update(name="Secret rates")
    send(call(1, acme, trunk), call(2, acme, trunk, called="+33140000000"))
    with contexts.customer(acme):
        return list(Cdr.objects.order_by("sequence"))


def member(place: Customer | Msp, role: str) -> User:
    user = User.objects.create_user(f"{role}@prices.example", "x", name=role.title())
    here = {"tenant": place} if isinstance(place, Customer) else {"msp": place}
    with contexts.customer(place) if isinstance(place, Customer) else contexts.msp(place):
        Membership(user=user, role=role, **here).save()
    return user


def text(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()


def test_a_customer_reads_its_charge_step_by_step(calls: list[Cdr], acme: Customer, alice: User) -> None:
    page = text(client_of(alice, acme), f"/calls/{calls[0].id}/")

    assert "€0.18" in page and "Germany" in page
    assert "The number begins with +49: Germany, €0.18 a minute." in page
    assert "60 s are billed, by the second." in page


def test_a_call_without_a_rate_says_so(calls: list[Cdr], acme: Customer, alice: User) -> None:
    page = text(client_of(alice, acme), f"/calls/{calls[1].id}/")

    assert "No rate" in page
    assert "no rate holds for this number" in page


def test_costs_never_reach_a_customer_by_any_door(
    calls: list[Cdr], acme: Customer, globex: Customer, northwind: Msp, nadia: User, alice: User
) -> None:
    browser = client_of(alice, acme)
    doors = [
        "/", "/calls/", "/calls/?export=csv", "/calls/live.json", f"/calls/{calls[0].id}/", "/usage/",
        "/usage/?export=csv", "/audit/", "/api/v1/calls/", "/api/v1/audit/", f"/api/v1/calls/{calls[0].id}/",
        "/api/v1/charges/", f"/api/v1/charges/{calls[0].id}/", "/api/v1/usage/", "/api/v1/schema/",
    ]  # fmt: skip
    plain = {door: text(browser, door).lower() for door in doors}

    assert "0.18" in plain[f"/calls/{calls[0].id}/"]
    assert [(door, secret) for door, page in plain.items() for secret in SECRETS if secret in page] == []
    for path in ("/unrated/", "/unrated/again/", "/api/v1/costs/", "/api/v1/unrated-calls/"):
        assert browser.get(path).status_code == 404


def test_each_customer_sees_its_own_charges_only(
    calls: list[Cdr], acme: Customer, globex: Customer, mallory: User
) -> None:
    browser = client_of(mallory, globex)

    assert browser.get(f"/calls/{calls[0].id}/").status_code == 404
    for path in ("/usage/", "/calls/", "/usage/?export=csv", "/calls/?charge=rated"):
        assert "0.18" not in text(browser, path) and "Germany" not in text(browser, path)


@pytest.mark.parametrize(
    ("role", "sees"), [("admin", True), ("billing_contact", True), ("voice_manager", False), ("viewer", False)]
)
def test_only_who_may_see_bills_sees_charges(calls: list[Cdr], acme: Customer, role: str, sees: bool) -> None:
    browser = client_of(member(acme, role), acme)

    for path in ("/calls/", f"/calls/{calls[0].id}/"):
        assert ("€0.18" in text(browser, path)) is sees
    assert browser.get("/usage/").status_code == (200 if sees else 403)


@pytest.mark.parametrize(
    ("role", "sees"), [("owner", True), ("billing", True), ("engineer", False), ("support", False)]
)
def test_costs_and_margin_are_for_those_who_may_see_costs(
    calls: list[Cdr], northwind: Msp, trunk: Trunk, role: str, sees: bool
) -> None:
    browser = client_of(member(northwind, role), northwind)

    page = text(browser, f"/calls/{calls[0].id}/")

    assert "€0.18" in page
    for said in ("€0.061237", "€0.118763", "Margin"):
        assert (said in page) is sees, said
    assert ("Costs that are not known" in text(browser, "/unrated/")) is sees


def test_the_list_filters_by_what_became_of_the_charge(calls: list[Cdr], acme: Customer, alice: User) -> None:
    browser = client_of(alice, acme)

    assert "€0.18" in text(browser, "/calls/?charge=rated") and "No rate" not in rows(browser, "/calls/?charge=rated")
    assert "€0.18" not in rows(browser, "/calls/?charge=aside")
    lines = text(browser, "/calls/?export=csv").splitlines()
    assert lines[0].endswith("Charge")
    assert sorted(line.rsplit(",", 1)[1] for line in lines[1:]) == ["No rate", "€0.18"]


def rows(browser: Client, path: str) -> str:
    page = text(browser, path)
    return page[page.index("<tbody") : page.index("</tbody")]


@pytest.mark.parametrize(("may", "sees"), [(["bills.view"], True), ([], False)])
def test_a_long_export_shows_what_its_reader_may_see(
    calls: list[Cdr], acme: Customer, may: list[str], sees: bool
) -> None:
    with contexts.customer(acme):
        job = Job.objects.create(
            kind="calls.export", params={"may": may, "sight": "full"}, tenant_id=acme.pk, actor={"email": "a"}
        )
        export_calls(job, lambda *_args: None)
        content = bytes(job.files.get().content).decode()

    assert ("€0.18" in content) is sees


def test_usage_is_read_from_the_sums(calls: list[Cdr], acme: Customer, alice: User) -> None:
    page = text(client_of(alice, acme), "/usage/")

    assert "Germany" in page and "€0.18" in page
    before = f"{now() - timedelta(days=62):%Y-%m}"
    assert "€0.18" not in text(client_of(alice, acme), f"/usage/?month={before}")
    assert "No calls in this month" in text(client_of(alice, acme), f"/usage/?month={before}")
    assert "€0.18" in text(client_of(alice, acme), "/usage/?month=1889-13")


def test_calls_without_a_rate_are_counted_for_the_msp(calls: list[Cdr], northwind: Msp, nadia: User) -> None:
    browser = client_of(nadia, northwind)

    page = text(browser, "/unrated/")

    assert "+33140" in page and "France" in page and "No rate" in page
    for begins, is_there in (("331", True), ("44", False)):
        _counts, listed = text(browser, f"/unrated/?reason=unrated&begins={begins}").split('id="list"')
        assert ("Acme" in listed) == is_there
    assert "Every call has its price" not in page


def test_what_was_kept_aside_is_priced_once_there_is_a_rate(
    calls: list[Cdr], acme: Customer, northwind: Msp, decks: Any
) -> None:
    with contexts.msp(northwind):
        for deck, price in zip(decks, (300_000, 100_000), strict=True):
            stored_rate(deck, "33", price, destination="France")
            type(deck).objects.filter(pk=deck.pk).update(row_version=1)

    first, second = (asides.price_again(northwind, by=LAB) for _again in range(2))

    assert (first, second) == ({"calls": 1, "changed": 2}, {"calls": 0, "changed": 0})
    with contexts.customer(acme):
        assert sorted(Charge.objects.values_list("outcome", "micros")) == [("rated", DEAR), ("rated", 300_000)]
        spent = DEAR + 300_000
        assert Account.objects.values_list("balance_micros", "spent_micros").get() == (-spent, spent)
        used = Usage.objects.filter(grain="day", calls__gt=0).values_list("destination", "calls", "micros")
        assert set(used) == {("Germany", 1, DEAR), ("France", 1, 300_000)}
    with contexts.msp(northwind):
        bought = CostUsage.objects.filter(grain="hour", calls__gt=0).values_list("destination", "micros")
        assert set(bought) == {("DE", CHEAP), ("France", 100_000)}
        assert AuditEntry.objects.filter(verb="charges.priced_again").count() == 2
    with contexts.customer(acme):
        assert not AuditEntry.objects.filter(verb="charges.priced_again").exists()


def test_pricing_again_is_asked_first_and_runs_as_a_job(calls: list[Cdr], northwind: Msp, nadia: User) -> None:
    browser = client_of(nadia, northwind)

    assert "Price the waiting calls again?" in text(browser, "/unrated/again/")
    answer = browser.post("/unrated/again/", {"confirmed": "1"})

    assert answer.status_code == 302 and "/jobs/" in answer["Location"]


def test_the_pages_of_calls_know_prices() -> None:
    assert type(hooks.prices()).__name__ == "CallPrices"
    assert json.dumps(sorted(asides.where_of(prefix) for prefix in ("33140", "1", "49", ""))) == json.dumps(
        ["", "", "France", "Germany"]
    )


def test_a_price_for_one_number_does_not_tell_the_digits_that_a_reader_may_not_see(
    send: Any, acme: Customer, northwind: Msp, trunk: Trunk, decks: Any
) -> None:
    with contexts.msp(northwind):
        stored_rate(decks[0], "4930555123", DEAR, destination="One number")
        type(decks[0]).objects.update(row_version=1)
    send(call(1, acme, trunk))
    with contexts.customer(acme):
        [cdr] = Cdr.objects.all()

    support = text(client_of(member(northwind, "support"), northwind), f"/calls/{cdr.id}/")

    assert "One number" in support and "+4930555…" in support
    assert "5123" not in support
