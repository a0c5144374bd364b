"""The account by which calls stop where deck and bills differ in currency: converted, or warned of and refused."""

from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.db import contexts
from voice.currencies.models import ExchangeRate
from voice.currencies.services import add_rate
from voice.rating import accounts, limits
from voice.rating.models import Account, CustomerDeck, Movement, RateDeck
from voice.receivables import services
from voice.receivables.services import follow
from voice.receivables.services.months import draft_month
from voice.receivables.tests import make
from voice.receivables.tests.charges import charges
from voice.receivables.tests.months import codes, run_of
from voice.receivables.tests.test_run_credits import again

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_wait")]
USD = EUR = 1_000_000


def rate(msp, quote, *days):
    """Say what a euro is in dollars on some days."""
    for day in days:
        add_rate(
            ExchangeRate(msp=msp, base="EUR", quote="USD", nanos=quote * 10**7, day=day, source="by hand"), by=make.BY
        )


def deck(msp, customer, currency, begins=datetime(2026, 1, 1, tzinfo=UTC)):
    row = RateDeck.objects.create(msp=msp, name=f"In {currency}", kind="sell", currency=currency, zone="UTC")
    with contexts.msp(msp):
        CustomerDeck.objects.filter(tenant=customer, ends=None).update(ends=begins)
        CustomerDeck.objects.create(msp=msp, tenant=customer, deck=row, begins=begins)
    return row


def account_of(customer):
    return Account.objects.get(pk=customer.pk)


def test_who_pays_a_bill_in_another_currency_has_its_credit_back(served, northwind):
    rate(northwind, 120, date(2026, 10, 31), make.TODAY)
    with contexts.ingest():
        accounts.opened(served.tenant_id, "USD")
    charges(served.tenant, 12 * USD, currency="USD")
    accounts.correct(served.tenant_id, -12 * USD, "USD", reference="as the calls moved it", by=make.BY)

    invoice, _found = draft_month(served, *make.OCTOBER, by=make.BY)
    services.issue(services.approve(invoice, by=make.BY), on=make.TODAY, by=make.BY)
    assert (invoice.currency, invoice.total) == ("EUR", 11_900_000)
    assert account_of(served.tenant).balance_micros == -14_280_000
    paid = services.record_payment(make.payment(served, invoice.total), by=make.BY)

    assert account_of(served.tenant).balance_micros == 0
    services.reverse_payment(paid, paid.amount, kind="returned", on=make.TODAY, reference="r", by=make.BY)
    assert account_of(served.tenant).balance_micros == -14_280_000


def test_an_account_follows_its_deck_into_another_currency(served, northwind):
    rate(northwind, 125, timezone.now().date())
    with contexts.ingest():
        accounts.opened(served.tenant_id, "EUR")
        Account.objects.filter(pk=served.tenant_id).update(credit_limit_micros=100 * EUR)
    accounts.correct(served.tenant_id, -8 * EUR, "EUR", reference="calls by the old deck", by=make.BY)
    charges(served.tenant, 8 * EUR, currency="EUR")
    now = timezone.now()
    deck(northwind, served.tenant, "USD", begins=now)
    charges(served.tenant, 3 * USD, currency="USD", at=now)

    assert follow.follow_decks(northwind, timezone.now(), by=make.BY) == 1
    assert follow.follow_decks(northwind, timezone.now(), by=make.BY) == 0

    account = account_of(served.tenant)
    assert (account.currency, account.balance_micros, account.credit_limit_micros) == ("USD", -13 * USD, 125 * USD)
    moves = Movement.objects.filter(kind="currency").order_by("pk").values_list("micros", "currency", "balance_micros")
    assert list(moves) == [(8 * EUR, "EUR", 0), (-10 * USD, "USD", -10 * USD)]


def test_calls_of_before_the_change_are_not_taken_again_by_their_bill(served, northwind):
    today = timezone.now().date()
    rate(northwind, 125, today, date(2026, 10, 31), make.TODAY)
    charges(served.tenant, 8 * EUR, currency="EUR")
    accounts.correct(served.tenant_id, -8 * EUR, "EUR", reference="as the calls moved it", by=make.BY)
    deck(northwind, served.tenant, "USD", begins=timezone.now())
    follow.follow_decks(northwind, timezone.now(), by=make.BY)

    invoice, _found = draft_month(served, *make.OCTOBER, by=make.BY)
    services.issue(services.approve(invoice, by=make.BY), on=make.TODAY, by=make.BY)
    services.record_payment(make.payment(served, invoice.total), by=make.BY)

    assert account_of(served.tenant).balance_micros == 0


def issued_and_paid(served):
    invoice, _found = draft_month(served, *make.OCTOBER, by=make.BY)
    services.issue(services.approve(invoice, by=make.BY), on=make.TODAY, by=make.BY)
    services.record_payment(make.payment(served, invoice.total), by=make.BY)


def test_calls_that_a_bill_has_counted_are_not_taken_again_by_the_change(served, northwind):
    rate(northwind, 125, date(2026, 10, 31))
    deck(northwind, served.tenant, "USD")
    with contexts.ingest():
        accounts.opened(served.tenant_id, "EUR")
    charges(served.tenant, 12 * USD, currency="USD")
    issued_and_paid(served)
    assert account_of(served.tenant).balance_micros == 0
    now = timezone.now()
    charges(served.tenant, 3 * USD, currency="USD", at=now)
    rate(northwind, 125, now.date())

    assert follow.follow_decks(northwind, timezone.now(), by=make.BY) == 1
    account = account_of(served.tenant)
    assert (account.currency, account.balance_micros, account.spent_micros) == ("USD", -3 * USD, 3 * USD)


def test_the_change_takes_what_no_bill_has_counted_of_every_deck_and_calls_priced_again(served, northwind):
    rate(northwind, 125, date(2026, 10, 31), make.TODAY)
    deck(northwind, served.tenant, "USD")
    with contexts.ingest():
        accounts.opened(served.tenant_id, "EUR")
    (call,) = charges(served.tenant, 12 * USD, currency="USD")
    again(call, -2 * USD)
    now = timezone.now()
    RateDeck.objects.update(name="The first")
    deck(northwind, served.tenant, "USD", begins=now)
    rate(northwind, 125, now.date())

    assert follow.follow_decks(northwind, timezone.now(), by=make.BY) == 1
    assert account_of(served.tenant).balance_micros == -10 * USD
    issued_and_paid(served)
    assert account_of(served.tenant).balance_micros == 0


@pytest.mark.parametrize("left", [0, 5 * USD])
def test_an_account_that_comes_back_to_a_currency_takes_nothing_twice(served, northwind, left):
    rate(northwind, 125, timezone.now().date())
    with contexts.ingest():
        accounts.opened(served.tenant_id, "USD")
    charges(served.tenant, 12 * USD, currency="USD")
    if left:
        accounts.correct(served.tenant_id, left, "USD", reference="top-up less calls", by=make.BY)
    for currency in ("EUR", "USD"):
        RateDeck.objects.update(name=f"Before {currency}")
        deck(northwind, served.tenant, currency, begins=timezone.now())
        assert follow.follow_decks(northwind, timezone.now(), by=make.BY) == 1
    assert account_of(served.tenant).balance_micros == left


def test_without_a_rate_a_limit_is_refused_and_form_page_and_run_say_why(served, northwind, client_of, nadia):
    deck(northwind, served.tenant, "USD")
    charges(served.tenant, 3 * EUR)
    account = limits.account_of(served.tenant)
    assert account.currency == "USD"
    account.credit_limit_micros = 50 * USD
    with pytest.raises(ValidationError, match="stopped at a limit"):
        limits.save_terms(account, by=make.BY)
    contexts.use_public()
    office = client_of(nadia, northwind)
    terms = {"kind": "prepaid", "currency": "USD", "warn_shares": "80", "row_version": 0}
    url = f"/customers/{served.tenant_id}/account/"
    assert "stopped at a limit" in office.post(f"{url}terms/", terms).content.decode()
    assert "stopped at a limit" in office.get(url).content.decode()
    assert "stopped at a limit" in office.get(f"/api/v1/accounts/{served.tenant_id}/").json()["trouble"]

    contexts.use_msp(northwind)
    with contexts.ingest():
        accounts.opened(served.tenant_id, "USD")
        Account.objects.filter(pk=served.tenant_id).update(credit_limit_micros=50 * USD)
    assert "account" in codes(run_of(northwind), served.tenant)
    with pytest.raises(ValidationError, match="no exchange rate"):
        services.record_top_up(make.payment(served, 50 * EUR), by=make.BY)
    rate(northwind, 125, timezone.now().date(), make.TODAY)
    account = account_of(served.tenant)
    account.credit_limit_micros = 60 * USD
    limits.save_terms(account, by=make.BY)
    services.record_top_up(make.payment(served, 40 * EUR), by=make.BY)
    assert account_of(served.tenant).balance_micros == 50 * USD
