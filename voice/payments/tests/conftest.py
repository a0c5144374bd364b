"""How Northwind bills Acme and takes its cards."""

import pytest

from voice.payments.services import cards
from voice.payments.tests.cards import ALICE, EUR, take_cards
from voice.receivables.tests import make
from voice.receivables.tests.conftest import billed as billed
from voice.receivables.tests.conftest import company as company


@pytest.fixture
def account(billed):
    return take_cards(billed.entity)


@pytest.fixture
def attempt(billed, account):
    """Begin to pay an invoice of 119.00 at the checkout."""
    invoice = make.issued(billed, 100 * EUR)
    return cards.pay(billed.tenant, invoices=[invoice.pk], by=ALICE, saves=True)
