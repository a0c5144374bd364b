"""A customer that moves to another country: numbers in use must have what the new one demands."""

import pytest
from django.core.exceptions import ValidationError

from portal.core.audit import Actor
from portal.db import contexts
from tenants.models import Customer
from tenants.services import save_customer
from voice.directory.tests.make import berlin
from voice.numbers import services
from voice.numbers.models import Number
from voice.numbers.tests.make import given

BY = Actor(email="nadia@northwind.example")
JAPANESE = ["+81312345600", "+81312345601", "+81312345602"]


@pytest.fixture
def tokyo(acme, alice, nadia):
    """Acme in Japan, which demands no location: two numbers in use without one, one that is not in use."""
    Customer.objects.filter(pk=acme.pk).update(country="JP")
    acme.refresh_from_db()
    given(acme, nadia, *JAPANESE, country="JP")
    for e164 in JAPANESE[:2]:
        services.activate(Number.objects.get(e164=e164), customer=acme, by=alice)
    return acme


def move(customer, country="DE"):
    with contexts.msp(customer.msp):
        moved = Customer.objects.select_related("msp").get(pk=customer.pk)
        moved.country = country
        return save_customer(moved, by=BY)


def test_numbers_without_a_location_keep_a_customer_out_of_a_country_that_demands_one(tokyo):
    with pytest.raises(ValidationError, match="Germany demands") as refused:
        move(tokyo)
    words = refused.value.message_dict["country"][0]
    assert "+81 3-1234-5600, +81 3-1234-5601" in words and "5602" not in words

    tokyo.refresh_from_db()
    assert tokyo.country == "JP"


def test_with_locations_or_out_of_use_they_let_it_move(tokyo, alice):
    services.set_place([Number.objects.get(e164=JAPANESE[0]).pk], berlin(alice), customer=tokyo, by=alice)
    services.deactivate(Number.objects.get(e164=JAPANESE[1]), customer=tokyo, by=alice)

    assert move(tokyo).country == "DE"


def test_a_country_that_demands_nothing_asks_for_nothing(tokyo):
    assert move(tokyo, "HK").country == "HK"


def test_a_closed_customer_has_no_numbers_to_ask_for(tokyo):
    with contexts.msp(tokyo.msp):
        Customer.objects.filter(pk=tokyo.pk).update(state="closed")
    assert move(tokyo).country == "DE"


def test_page_and_api_say_so(tokyo, nadia, client_of):
    office = client_of(nadia, tokyo.msp)
    tokyo.refresh_from_db()

    page = office.post(f"/customers/{tokyo.pk}/edit/", {
        "name": "Acme", "country": "DE", "time_zone": "Europe/Berlin", "cps": 5, "channels": 30,
        "config_version": tokyo.config_version, "caller_id_policy": "replace", "foreign_caller_id": "on",
    })  # fmt: skip
    assert page.status_code == 200 and "Germany demands" in page.content.decode()

    answer = office.patch(f"/api/v1/customers/{tokyo.pk}/", {"country": "DE"}, content_type="application/json")
    assert answer.status_code == 400 and "Germany demands" in answer.json()["errors"]["country"][0]


def test_a_number_is_activated_by_the_country_where_the_customer_is_now(tokyo, alice):
    """Somebody activates it who read the customer before it moved."""
    for e164 in JAPANESE[:2]:
        services.deactivate(Number.objects.get(e164=e164), customer=tokyo, by=alice)
    move(tokyo)

    assert tokyo.country == "JP"
    with pytest.raises(ValidationError, match="Germany"):
        services.activate(Number.objects.get(e164=JAPANESE[0]), customer=tokyo, by=alice)
