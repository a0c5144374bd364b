"""Which currency pages name where no money has moved yet: that in which the customer pays."""

from datetime import date

import pytest

from portal.db import contexts
from voice.plans.previews import month_of
from voice.rating import limits
from voice.rating.overview import customers_with_accounts
from voice.rating.tests.make import give, stored_deck
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_pounds(company, globex):
    """Globex, which is billed in pounds and has no price list and no account yet."""
    make.profile(company, globex, currency="GBP")
    return globex


def test_an_account_that_has_not_moved_is_in_the_currency_of_the_bills(in_pounds, acme, northwind, client_of, nadia):
    contexts.use_msp(northwind)
    assert limits.account_of(in_pounds).currency == "GBP"
    assert limits.account_of(acme).currency == "EUR"  # nobody has said
    with contexts.customer(in_pounds):
        assert limits.account_of(in_pounds).currency == "GBP"

    desk = client_of(nadia, northwind)
    terms = desk.get(f"/customers/{in_pounds.pk}/account/terms/").content.decode()
    assert 'data-unit="GBP"' in terms and 'data-unit="EUR"' not in terms
    assert desk.get(f"/api/v1/accounts/{in_pounds.pk}/").json()["currency"] == "GBP"


def test_the_form_for_bills_begins_with_what_the_customer_pays_in(in_pounds, acme, northwind, client_of, nadia):
    def offered() -> str:
        page = client_of(nadia, northwind).get(f"/invoices/customers/{acme.pk}/")
        return str(page.context["form"]["currency"].value())

    assert offered() == "GBP", "that of most bills"
    contexts.use_msp(northwind)
    give(stored_deck(northwind, "Dollars", currency="USD"), acme)
    assert offered() == "USD"


def test_a_month_without_plan_and_calls_is_in_what_the_customer_pays_in(in_pounds):
    with contexts.customer(in_pounds):
        assert month_of(in_pounds, date(2026, 10, 1)).currency == "GBP"


def test_balances_name_it_too(in_pounds, northwind, client_of, nadia):
    contexts.use_msp(northwind)
    currencies = dict(customers_with_accounts(northwind).values_list("label", "currency"))
    assert currencies["globex"] == "GBP" and currencies["acme"] == "EUR"

    page = client_of(nadia, northwind).get("/invoices/payments/balances/?q=globex").content.decode()

    assert "£0.00" in page and "€" not in page


def test_a_price_list_goes_before_the_bills(in_pounds, northwind):
    contexts.use_msp(northwind)
    give(stored_deck(northwind, "Dollars", currency="USD"), in_pounds)

    assert limits.account_of(in_pounds).currency == "USD"
    assert customers_with_accounts(northwind).get(pk=in_pounds.pk).currency == "USD"
