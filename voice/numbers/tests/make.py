"""What the tests of numbers begin with."""

from typing import Any

from portal.db import contexts
from voice.inventory.models import StockNumber
from voice.numbers import allocation


def stock(msp: Any, *e164s: str, country: str = "DE") -> list[int]:
    """Return the ids of new numbers in the MSP's stock."""
    with contexts.msp(msp):
        return [StockNumber.objects.create(msp=msp, e164=e164, country=country).pk for e164 in e164s]


def given(customer: Any, by: Any, *e164s: str, country: str = "DE") -> list[int]:
    """Return the stock ids of numbers that the customer was given."""
    ids = stock(customer.msp, *e164s, country=country)
    allocation.allocate(ids, customer, by=by)
    return ids
