"""Northwind's company, and how it bills Acme."""

import pytest

from portal.db import contexts
from voice.receivables.tests import make


@pytest.fixture
def company(northwind):
    contexts.use_msp(northwind)
    return make.entity(northwind)


@pytest.fixture
def billed(company, northwind):
    with contexts.public():
        from tenants.models import Customer

        acme = Customer.objects.select_related("msp").get(label="acme")
    contexts.use_msp(northwind)
    return make.profile(company, acme, language="")
