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


@pytest.fixture
def served(billed):
    """How Acme is billed, which has a contract, too: nothing is missing to a run."""
    contexts.use_msp(billed.tenant.msp)
    make.contract(billed.tenant)
    # So that tests of lines can name them.
    billed.language = "en"
    billed.save()
    return billed


@pytest.fixture
def jobs_wait(monkeypatch):
    """Let the tests do the work of the jobs themselves."""
    monkeypatch.setattr("portal.core.jobs.run_job.apply_async", lambda *_args, **_facts: None)
