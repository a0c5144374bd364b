"""What a closed customer held goes back to its MSP, and nothing of anybody else's does."""

import pytest

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants.models import Customer
from voice.carriers import services as carriers
from voice.carriers.models import Trunk, TrunkGrant
from voice.carriers.tests.make import own_trunk, shared_trunk
from voice.inventory.models import StockNumber
from voice.inventory.services import reserve
from voice.numbers import closing
from voice.numbers.models import Number
from voice.numbers.tests.make import given, stock

pytestmark = pytest.mark.django_db
BY = Actor.system("closing")


def set_state(customer, state):
    with contexts.msp(customer.msp):
        Customer.objects.filter(pk=customer.pk).update(state=state)


@pytest.fixture
def equipped(acme, globex, northwind, alice, nadia):
    """Acme with numbers, one of them shown by default, a reserved one, a shared trunk and its own."""
    ids = given(acme, nadia, "+49301234500", "+49301234501")
    neighbours = given(globex, nadia, "+12125550100", country="US")
    reserved = stock(northwind, "+49301234502")
    own = own_trunk(acme, alice)
    with contexts.msp(northwind):
        reserve(reserved, msp=northwind, customer=acme, by=nadia)
        shared = shared_trunk(northwind, nadia)
        for customer in (acme, globex):
            carriers.grant_trunk(shared, customer, by=nadia)
        Customer.objects.filter(pk=acme.pk).update(default_caller_id="+49301234500")
    contexts.use_public()
    return {"numbers": ids, "reserved": reserved, "neighbours": neighbours, "own": own, "shared": shared}


def test_nothing_is_taken_before_the_customer_has_left_every_sbc(equipped, acme, northwind):
    for state in ("active", "suspended", "closing"):
        set_state(acme, state)
        assert closing.take_back(by=BY) == []
    with contexts.msp(northwind):
        assert StockNumber.objects.filter(tenant=acme).count() == 3


def test_numbers_cool_and_trunks_go_once_the_customer_is_closed(equipped, acme, globex, northwind):
    set_state(acme, "closed")
    assert closing.take_back(by=BY) == [acme]

    with contexts.msp(northwind):
        states = dict(StockNumber.objects.values_list("pk", "state"))
        assert {states[pk] for pk in equipped["numbers"]} == {"cooling"}
        assert [states[pk] for pk in equipped["reserved"]] == ["available"]
        assert [states[pk] for pk in equipped["neighbours"]] == ["allocated"]
        assert [grant.tenant for grant in TrunkGrant.objects.open()] == [globex]
        own = Trunk.objects.get(pk=equipped["own"].pk)
        assert own.closed_at and not own.enabled
        assert Customer.objects.get(pk=acme.pk).default_caller_id == ""
        verbs = set(AuditEntry.objects.filter(tenant_id=acme.pk).values_list("verb", flat=True))
        assert {"numbers.released", "trunk.revoked", "trunk.closed"} <= verbs
    with contexts.msp(northwind, customer=acme):
        assert Number.objects.count() == 2, "its settings are kept with its other data"


def test_taking_back_twice_does_nothing_more_and_asks_no_sbc(equipped, acme, northwind):
    with contexts.msp(northwind):
        before = Customer.objects.get(pk=acme.pk).config_version
    set_state(acme, "closed")
    closing.take_back(by=BY)
    with contexts.msp(northwind):
        entries = AuditEntry.objects.count()

    assert closing.take_back(by=BY) == []
    with contexts.msp(northwind):
        assert AuditEntry.objects.count() == entries
        assert Customer.objects.get(pk=acme.pk).config_version == before


def test_the_page_that_asks_says_what_is_taken_and_what_is_kept(acme, northwind, nadia, client_of):
    page = client_of(nadia, northwind).get(f"/customers/{acme.pk}/close/").content.decode()
    assert "numbers go back to your stock" in page
    assert "kept for 90 days" in page
