"""Northwind sells plans to Acme; the tests stand in Northwind's console."""

import pytest

from portal.db import contexts
from tenants.models import Customer


@pytest.fixture
def office(northwind):
    """Acme, seen by its MSP."""
    with contexts.public():
        customer = Customer.objects.select_related("msp").get(label="acme")
    contexts.use_msp(northwind)
    return customer
