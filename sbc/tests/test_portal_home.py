"""A customer's home: what its people should look at, what each of them may open, and the steps to a first call."""

from datetime import date
from typing import Any

import pytest
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.db import contexts
from sbc.services import compile_revisions
from tenants.models import Membership, User
from tenants.services.customers import suspend_customer
from tests.test_walk import member as staff
from voice.carriers import services as carriers
from voice.carriers.lists import set_emergency_trunks
from voice.carriers.tests.make import own_trunk, shared_trunk
from voice.directory.tests.make import berlin
from voice.emergency import services as emergency
from voice.numbers import services as numbers
from voice.numbers.models import Number
from voice.numbers.tests.make import given
from voice.payments import services
from voice.payments.models import DunningStep
from voice.payments.services import dunning, ladder
from voice.payments.tests.papers import entry, statement
from voice.rating import accounts, limits, warnings
from voice.receivables.models import InvoiceRun, RunCustomer
from voice.receivables.tests import make
from voice.routing.models import Route
from voice.routing.services import save_route

pytestmark = pytest.mark.django_db
BY = Actor.system("tests")
EUR = 1_000_000


def home_of(browser: Any) -> str:
    page: str = browser.get("/").content.decode()
    return page.partition('id="home-news"')[2].partition('id="dashboard"')[0]


def member(customer: Any, role: str) -> User:
    with contexts.public():
        user = User.objects.create_user(f"{role}@acme.example", "x", name=role)
    with contexts.customer(customer):
        Membership.objects.create(user=user, tenant=customer, role=role)
    return user


def test_a_new_customer_is_led_to_its_first_call_and_then_no_longer(
    acme: Any, northwind: Any, alice: Any, victor: Any, nadia: Any, client_of: Any
) -> None:
    browser = client_of(alice, acme)
    first = home_of(browser)
    assert "To your first call" in first and 'href="/people/addresses/new/"' in first and 'href="/trunks/"' in first
    assert "/team/invite/" not in first  # Victor is there already
    assert "/people/addresses/new/" not in home_of(client_of(victor, acme))

    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        carriers.grant_trunk(trunk, acme, by=nadia)
    given(acme, nadia, "+49301234500")
    contexts.use_customer(acme)
    place = berlin(BY, validated=False)
    assert f'href="/people/addresses/{place.address_id}/"' in home_of(browser)
    place = berlin(BY, street="Chausseestraße")
    found = home_of(browser)
    assert 'href="/numbers/"' in found and 'href="/routing/everything-else/"' in found

    ids = list(Number.objects.values_list("pk", flat=True))
    numbers.set_place(ids, place, customer=acme, by=BY)
    numbers.set_state(ids, Number.State.ACTIVE, customer=acme, by=BY)
    save_route(Route(is_default=True, pattern="*", action=Route.Action.ROUTE), [trunk.pk], customer=acme, by=BY)
    assert "To your first call" not in home_of(browser)


def test_both_homes_say_that_nobody_would_hear_a_call_for_help_once_numbers_are_in_use(
    acme: Any, northwind: Any, alice: Any, nadia: Any, client_of: Any
) -> None:
    def told() -> tuple[bool, bool]:
        compile_revisions()
        mine, theirs = home_of(client_of(alice, acme)), home_of(client_of(nadia, northwind))
        words = "No trunk carries emergency calls"
        return (
            f"{words}: 112, 110 would get no answer." in mine,
            f"{words} in Germany" in theirs and "(Acme)." in theirs,
        )

    given(acme, nadia, "+49301234500")
    assert told() == (False, False)
    contexts.use_customer(acme)
    place, ids = berlin(BY), list(Number.objects.values_list("pk", flat=True))
    numbers.set_place(ids, place, customer=acme, by=BY)
    numbers.set_state(ids, Number.State.ACTIVE, customer=acme, by=BY)
    assert told() == (True, True)

    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        set_emergency_trunks(northwind, "DE", [trunk], by=nadia)
    assert told() == (False, False)
    with contexts.msp(northwind):
        trunk.refresh_from_db()
        trunk.enabled = False
        carriers.save_trunk(trunk, by=nadia)
    assert told() == (True, True)

    contexts.use_customer(acme)
    own = own_trunk(acme, alice)
    emergency.set_emergency_trunks([own.pk], customer=acme, by=alice)
    assert told() == (False, False)


def test_everybody_is_told_that_calls_are_suspended(
    acme: Any, northwind: Any, alice: Any, victor: Any, client_of: Any
) -> None:
    with contexts.msp(northwind):
        suspend_customer(acme, reason="unpaid", by=BY)

    seen, looked = home_of(client_of(alice, acme)), home_of(client_of(victor, acme))

    words = "Your provider has suspended your calls: only emergency calls go through."
    assert words in seen and 'href="/bills/"' in seen
    assert words in looked and 'href="/settings/"' in looked
    assert "Emergency calls go through as always." in client_of(victor, acme).get("/settings/").content.decode()


def test_a_bill_that_is_overdue_waits_for_who_sees_bills(
    acme: Any, northwind: Any, alice: Any, victor: Any, client_of: Any
) -> None:
    contexts.use_msp(northwind)
    billed = make.profile(make.entity(northwind), acme)
    paper = make.issued(billed, 100 * EUR, on=date(2026, 1, 2), period=(date(2025, 12, 1), date(2026, 1, 1)))

    seen = home_of(client_of(alice, acme))
    assert f"Bill {paper} was due on" in seen and f'href="/bills/{paper.pk}/"' in seen and "€119.00" in seen
    assert str(paper) not in home_of(client_of(victor, acme))


def test_who_may_not_see_amounts_is_told_only_that_calls_are_stopped(
    acme: Any, alice: Any, victor: Any, client_of: Any
) -> None:
    with contexts.msp(acme.msp):
        account = limits.account_of(acme)
        account.kind = "prepaid"
        limits.save_terms(account, by=BY)
    warnings.look(at=now())

    assert 'href="/balance/"' in home_of(client_of(alice, acme))
    told = home_of(client_of(victor, acme))
    assert "Calls that cost something are stopped" in told and "/balance/" not in told and "€" not in told


def test_the_home_says_what_the_month_costs_to_who_may_know(acme: Any, alice: Any, victor: Any, client_of: Any) -> None:
    browser = client_of(alice, acme)
    assert "Calls of this month" not in home_of(browser)  # no account, no calls
    with contexts.msp(acme.msp):
        account = limits.account_of(acme)
        account.kind = "prepaid"
        limits.save_terms(account, by=BY)
    accounts.top_up(acme.pk, 10 * EUR, "EUR", reference="pi_1", by=BY)

    words = "Calls of this month cost €0.00 so far; €10.00 is left on the prepaid account."
    assert words in home_of(browser)
    assert "Calls of this month" not in home_of(client_of(victor, acme))


def test_no_link_of_a_to_do_leads_where_its_reader_may_not_go(
    acme: Any, northwind: Any, nadia: Any, client_of: Any
) -> None:
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        carriers.grant_trunk(trunk, acme, by=nadia)
        type(trunk).objects.filter(pk=trunk.pk).update(health="down")
    browser = client_of(member(acme, "billing_contact"), acme)

    told = home_of(browser)
    assert "takes no calls" in told and 'href="/trunks/"' not in told
    assert 'href="/people/"' not in browser.get("/").content.decode()


def test_what_waits_in_the_books_is_told_to_who_does_the_bills(
    acme: Any, northwind: Any, nadia: Any, client_of: Any
) -> None:
    contexts.use_msp(northwind)
    billed = make.profile(make.entity(northwind), acme)
    paper = make.issued(billed, 100 * EUR, on=date(2026, 1, 2), period=(date(2025, 12, 1), date(2026, 1, 1)))
    paid = entry("119", text=paper.number), entry("9.99")
    services.import_statements(billed.entity, statement(*paid, closing="228.99"), by=BY)
    ladder.save_step(DunningStep(msp=northwind, after_days=7, title="Reminder", words="Please pay."), by=BY)
    dunning.propose(northwind, today=now().date(), by=BY)
    run = InvoiceRun.objects.create(
        msp=northwind, begins=date(2025, 12, 1), ends=date(2026, 1, 1), state=InvoiceRun.State.READY
    )
    draft = make.drafted(billed, EUR, name="more")
    RunCustomer.objects.create(msp=northwind, run=run, tenant=acme, state="drafted", invoice=draft, currency="EUR")

    told = home_of(client_of(nadia, northwind))
    assert "The invoices of December 2025 wait to be approved." in told and f'href="/invoices/runs/{run.pk}/"' in told
    assert "2 entries of bank statements are not matched." in told and "1 reminder is proposed." in told
    assert "invoices" not in home_of(client_of(staff(northwind, "support"), northwind))
