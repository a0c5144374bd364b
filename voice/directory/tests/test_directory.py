import pytest
from django.core.exceptions import ValidationError

from portal.core.errors import StaleEdit
from voice.directory import services
from voice.directory.countries import address_rules, countries, location_required
from voice.directory.models import CivicAddress, Person, Site
from voice.directory.tests.make import berlin
from voice.directory.validation import TableValidator, Verdict

BERLIN = {
    "company": "Acme", "street": "Invalidenstraße", "house_number": "116", "postal_code": "10115", "city": "Berlin",
    "country": "DE",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"postal_code": "1011"}, "postal_code"),
        ({"postal_code": ""}, "postal_code"),
        ({"house_number": ""}, "house_number"),
        ({"house_number": "none"}, "house_number"),
        ({"latitude": 52.53, "longitude": 13.38}, None),
        ({"latitude": 13.38, "longitude": 52.53}, "latitude"),
        ({"country": "ZZ"}, "country"),
        ({"country": "US", "state_or_province": "WA", "postal_code": "98052"}, None),
        ({"country": "US", "state_or_province": "Washington", "postal_code": "98052"}, "state_or_province"),
        ({"country": "US", "postal_code": "98052"}, "state_or_province"),
        ({"country": "GB", "postal_code": "sw1a 1aa"}, None),
        ({"country": "NL", "postal_code": "1011 AB"}, None),
        ({"country": "CA", "state_or_province": "ON", "postal_code": "K1A 0B1"}, None),
    ],
)
def test_an_address_is_judged_by_its_countrys_rules(changes, problem):
    verdict = TableValidator().judge(CivicAddress(**BERLIN | changes))

    assert (problem in verdict.problems) if problem else verdict.valid


def test_every_country_has_address_rules_and_emergency_numbers():
    assert set(address_rules()) == set(countries())
    assert len(countries()) >= 30
    assert location_required("DE") and location_required("US") and not location_required("JP")
    assert location_required("ZZ"), "what is not known is taken to demand a location"


def test_a_validated_address_never_changes_under_its_numbers(acme, alice):
    place = berlin(alice)
    address = place.address
    assert address.is_validated and address.validated_by == "address table"

    address.street = "Elsewhere"
    with pytest.raises(ValidationError, match="cannot be changed"):
        services.save_address(address, by=alice)
    with pytest.raises(ValidationError, match="still use"):
        services.delete_address(CivicAddress.objects.get(pk=address.pk), by=alice)


def test_a_changed_draft_is_judged_as_it_is_stored(acme, alice):
    address = services.save_address(CivicAddress(**BERLIN | {"postal_code": "1"}), by=alice)
    address.postal_code = "10115"  # not saved
    with pytest.raises(ValidationError) as refused:
        services.validate_address(address, by=alice)

    assert "postal_code" in refused.value.message_dict


def test_another_validator_may_stand_behind_the_same_interface(acme, alice):
    class Provider:
        def judge(self, address):
            return Verdict("emergency provider")

    address = services.save_address(CivicAddress(**BERLIN | {"postal_code": "1"}), by=alice)

    assert services.validate_address(address, by=alice, validator=Provider()).validated_by == "emergency provider"


def test_people_and_sites(acme, alice):
    site = services.save_site(Site(name="Head office"), by=alice)
    person = services.save_person(Person(name="Dana", email="Dana@Acme.example", site=site), by=alice)
    assert person.email == "dana@acme.example"
    with pytest.raises(ValidationError, match="already a person"):
        services.save_person(Person(name="Other", email="dana@acme.example"), by=alice)

    services.delete_site(site, by=alice)
    person.refresh_from_db()
    assert person.site is None


def test_the_second_editor_is_told(acme, alice):
    person = services.save_person(Person(name="Dana"), by=alice)
    second = Person.objects.get(pk=person.pk)
    services.save_person(person, by=alice)

    with pytest.raises(StaleEdit):
        services.save_person(second, by=alice)


def test_a_place_in_another_country_opens_the_customers_next_version(acme, alice):
    def opened():
        acme.refresh_from_db()
        last, said[0] = said[0], acme.config_version
        return said[0] - last

    said = [0]
    opened()
    place = berlin(alice)
    assert not opened()
    london = berlin(alice, country="GB", validated=False)
    assert opened() == 1
    london.address.city = "London"
    services.save_address(london.address, by=alice)
    assert not opened()
    london.address.country = "IE"
    services.save_address(london.address, by=alice)
    assert opened() == 1
    services.delete_place(place, by=alice)
    assert not opened()
    services.delete_place(london, by=alice)
    assert opened() == 1
