import pytest
from django.core.exceptions import ValidationError

from portal.db import contexts
from voice.carriers import lists
from voice.carriers import services as carriers
from voice.carriers.models import Trunk
from voice.carriers.tests.make import own_trunk, shared_trunk
from voice.directory.countries import countries
from voice.directory.tests.make import berlin
from voice.emergency import selectors, services
from voice.numbers.tests.make import given


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
    assert selectors.emergency_trunks(acme) == {"DE": [first, second]}

    services.set_emergency_trunks([own.pk, second.pk], customer=acme, by=alice)

    assert selectors.emergency_trunks(acme) == {"DE": [own, second, first]}
    with contexts.msp(northwind):
        Trunk.objects.filter(pk=second.pk).update(enabled=False)
    assert selectors.emergency_trunks(acme) == {"DE": [own, first]}, "pages show what calls try"
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

    assert selectors.emergency_trunks(acme) == {"DE": []}


def test_a_trunk_on_the_list_is_not_closed(acme, alice):
    own = own_trunk(acme, alice)
    services.set_emergency_trunks([own.pk], customer=acme, by=alice)

    with pytest.raises(ValidationError, match="the emergency list"):
        carriers.delete_trunk(own, by=alice)


def test_a_dial_string_is_what_the_first_country_makes_of_it_and_help_goes_before_a_test():
    def said(*countries):
        return {each.dial: (each.country, each.test) for each in selectors.emergency_over(dict.fromkeys(countries, ()))}

    assert said("DE", "GB") == {"112": ("DE", False), "110": ("DE", False), "999": ("GB", False)}
    assert said("GB", "DE") == {"112": ("GB", False), "110": ("DE", False), "999": ("GB", False)}
    assert said("US", "DE")["933"] == ("US", True)
    # No dial string can be an ordinary number: these come as E.164, of 7 digits or more.
    assert all(len(each["dial"]) < 7 for entry in countries().values() for each in entry["numbers"])


def test_other_countries_have_their_own_trunks_and_behind_them_those_at_home(northwind, acme, alice, nadia):
    own = own_trunk(acme, alice)
    with contexts.msp(northwind):
        german, british = shared_trunk(northwind, nadia), shared_trunk(northwind, nadia, name="B", host="127.0.9.2")
        lists.set_emergency_trunks(northwind, "DE", [german], by=nadia)
        lists.set_emergency_trunks(northwind, "GB", [british], by=nadia)
    services.set_emergency_trunks([own.pk], customer=acme, by=alice)
    assert selectors.emergency_trunks(acme) == {"DE": [own, german]}

    given(acme, nadia, "+442071234567", country="GB")
    with contexts.customer(acme):
        berlin(nadia, country="FR", validated=False)

    home = [own, german]
    assert selectors.emergency_trunks(acme) == {"DE": home, "FR": home, "GB": [british, *home]}
    routes = {route.dial: [trunk.pk for trunk in route.trunks] for route in selectors.emergency_for(acme)}
    assert routes["112"] == routes["110"] == routes["15"] == [own.pk, german.pk]
    assert routes["999"] == [british.pk, own.pk, german.pk]


def test_a_list_abroad_opens_a_version_of_those_who_are_there_alone(northwind, acme, globex, alice, nadia):
    def versions():
        return {each.label: each.config_version for each in northwind.customers.all()}

    with contexts.ingest():
        lists.note_cover(acme, {"DE": [], "GB": []}, has_callers=False)
    with contexts.msp(northwind):
        trunk, before = shared_trunk(northwind, nadia), versions()
        lists.set_emergency_trunks(northwind, "GB", [trunk], by=nadia)

        assert versions() == before | {"acme": before["acme"] + 1}
