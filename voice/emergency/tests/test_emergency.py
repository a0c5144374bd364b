import pytest
from django.core.exceptions import ValidationError

from portal.db import contexts
from voice.carriers import lists
from voice.carriers import services as carriers
from voice.carriers.models import Trunk
from voice.carriers.tests.make import own_trunk, shared_trunk
from voice.directory.countries import countries
from voice.emergency import selectors, services


@pytest.mark.parametrize("code", sorted(countries()))
def test_every_country_says_what_is_dialled_and_where_that_is_from(code):
    entry = countries()[code]
    dials = [each["dial"] for each in entry["numbers"]]

    assert len(dials) == len(set(dials))
    assert all(dial.isdigit() and 2 <= len(dial) <= 6 for dial in dials)
    assert any(not each["test"] for each in entry["numbers"])
    assert entry["source"] and entry["date"] and isinstance(entry["location_required"], bool)


def test_933_is_a_number_of_its_own_and_masks_nothing():
    numbers = {each.dial: each for each in selectors.emergency_numbers("US")}

    assert numbers["933"].test and not numbers["911"].test
    assert all("mask" not in each for entry in countries().values() for each in entry["numbers"])


def test_the_customers_list_comes_before_the_msps_and_each_trunk_once(northwind, acme, alice, nadia):
    own = own_trunk(acme, alice)
    with contexts.msp(northwind):
        first, second = shared_trunk(northwind, nadia), shared_trunk(northwind, nadia, name="B", host="127.0.9.2")
        carriers.grant_trunk(second, acme, by=nadia)
        lists.set_emergency_trunks(northwind, "DE", [first, second], by=nadia)
    assert selectors.emergency_trunks(acme) == [first, second]

    services.set_emergency_trunks([own.pk, second.pk], customer=acme, by=alice)

    assert selectors.emergency_trunks(acme) == [own, second, first]
    with contexts.msp(northwind):
        Trunk.objects.filter(pk=second.pk).update(enabled=False)
    assert selectors.emergency_trunks(acme) == [own, first], "pages show what calls try"
    with contexts.msp(northwind):
        Trunk.objects.filter(pk=second.pk).update(enabled=True)
    dials = {route.dial: route for route in selectors.emergency_for(acme)}
    assert dials["112"].gateways == dials["110"].gateways == [own.gateway, second.gateway, first.gateway]


def test_only_trunks_that_the_customer_may_use_are_on_its_list(northwind, acme, globex, alice, mallory, nadia):
    with contexts.customer(globex):
        foreign = own_trunk(globex, mallory)
    with contexts.msp(northwind):
        hidden = shared_trunk(northwind, nadia)

    for trunk in (foreign, hidden):
        with pytest.raises(ValidationError, match="not there any more"):
            services.set_emergency_trunks([trunk.pk], customer=acme, by=alice)


def test_a_trunk_that_was_taken_away_is_passed_over(northwind, acme, alice, nadia):
    with contexts.msp(northwind):
        first = shared_trunk(northwind, nadia)
        carriers.grant_trunk(first, acme, by=nadia)
    services.set_emergency_trunks([first.pk], customer=acme, by=alice)
    with contexts.msp(northwind):
        carriers.revoke_trunk(first, acme, by=nadia)

    assert selectors.emergency_trunks(acme) == []


def test_a_trunk_on_the_list_is_not_closed(acme, alice):
    own = own_trunk(acme, alice)
    services.set_emergency_trunks([own.pk], customer=acme, by=alice)

    with pytest.raises(ValidationError, match="the emergency list"):
        carriers.delete_trunk(own, by=alice)
