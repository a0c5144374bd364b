import pytest
from django.core.exceptions import ValidationError

from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants.models import Customer
from voice.carriers import services as carriers
from voice.carriers.tests.make import own_trunk, shared_trunk
from voice.directory import selectors as directory
from voice.directory.models import Person, Place
from voice.directory.services import delete_place, save_person, save_place
from voice.directory.tests.make import berlin
from voice.numbers import caller_ids, selectors, services
from voice.numbers.models import ApprovedCallerId, Number
from voice.numbers.tests.make import given


@pytest.fixture
def number(acme, nadia):
    given(acme, nadia, "+49301234500", "+49301234501", "+49891234567")
    return Number.objects.get(e164="+49301234500")


def test_no_number_is_used_before_help_would_know_where_to_go(acme, alice, number):
    with pytest.raises(ValidationError, match="emergency location") as refused:
        services.activate(number, customer=acme, by=alice)
    assert "place" in refused.value.message_dict
    assert "Germany" in refused.value.message_dict["place"][0]

    number.refresh_from_db()
    number.place = berlin(alice, validated=False)
    with pytest.raises(ValidationError, match="validated address"):
        services.activate(number, customer=acme, by=alice)

    number.refresh_from_db()
    number.place = berlin(alice, city="Potsdam")
    services.activate(number, customer=acme, by=alice)
    number.refresh_from_db()
    assert (number.state, number.config_version) == ("active", acme.config_version)


@pytest.mark.parametrize("home", ["DE", "JP"])  # Japan demands no location, of its own numbers either
def test_one_question_finds_what_three_would(acme, alice, nadia, home):
    given(acme, nadia, "+49301234500", "+49301234501", "+49301234502", "+49301234503")
    given(acme, nadia, "+81312345600", country="JP")
    places = [berlin(alice), berlin(alice, validated=False, city="Potsdam")]
    for number, change in zip(
        Number.objects.in_number_order(),
        [{"place": places[0]}, {"place": places[1]}, {"state": "suspended"}],
        strict=False,
    ):
        Number.objects.filter(pk=number.pk).update(**change)
    acme.country = home

    found = selectors.surroundings(acme)
    assert (found.total, found.missing) == (5, selectors.without_location(acme).count())
    assert found.missing == (3 if home == "DE" else 2)
    assert found.places == [(place.pk, f"2nd floor, {place.address.city}") for place in places]
    assert found.places == directory.place_choices()


def test_an_active_number_keeps_its_location(acme, alice, number):
    number.place = berlin(alice)
    services.activate(number, customer=acme, by=alice)

    number.place = None
    with pytest.raises(ValidationError):
        services.save_number(number, customer=acme, by=alice)
    with pytest.raises(ValidationError):
        services.set_place([number.pk], None, customer=acme, by=alice)


def test_a_country_that_demands_nothing_still_follows_the_callers_country(acme, alice, nadia):
    given(acme, nadia, "+81312345678", country="JP")
    japanese = Number.objects.get(e164="+81312345678")

    with pytest.raises(ValidationError, match="Germany"):
        services.activate(japanese, customer=acme, by=alice)


def test_bulk_activation_takes_all_or_none_and_names_what_is_missing(acme, alice, number):
    ids = list(Number.objects.values_list("pk", flat=True))
    services.set_place(ids[:2], berlin(alice), customer=acme, by=alice)
    with pytest.raises(ValidationError, match=r"\+49 89 1234567"):
        services.set_state(ids, "active", customer=acme, by=alice)
    assert not Number.objects.active().exists()

    assert services.set_state(ids[:2], "active", customer=acme, by=alice) == 2
    assert services.set_state(ids[:2], "suspended", customer=acme, by=alice) == 2
    assert services.set_state(ids[:2], "inactive", customer=acme, by=alice) == 2


@pytest.mark.parametrize(
    ("text", "count"),
    [("030 123", 2), ("+4930123", 2), ("4567", 1), ("Reception", 1), ("dana", 1), ("+1206", 0), ("", 3), ("%", 0)],
)
def test_search_takes_any_format_labels_and_people(acme, alice, number, text, count):
    number.label, number.person = "Reception", save_person(Person(name="Dana Okafor"), by=alice)
    services.save_number(number, customer=acme, by=alice)

    assert selectors.numbers(text).count() == count


def test_calls_go_to_a_trunk_of_the_customer_only(acme, globex, alice, mallory, northwind, nadia, number):
    own = own_trunk(acme, alice)
    with contexts.msp(northwind):
        hidden = shared_trunk(northwind, nadia)

    number.inbound, number.inbound_trunk = "trunk", hidden.pk
    with pytest.raises(ValidationError, match="one of your trunks"):
        services.save_number(number, customer=acme, by=alice)
    number.inbound_trunk = own.pk
    services.save_number(number, customer=acme, by=alice)
    with pytest.raises(ValidationError, match=r"calls to \+49 30 1234500"):
        carriers.delete_trunk(own, by=alice)


def test_what_the_number_is_cannot_be_changed(acme, alice, number):
    number.e164, number.stock_id = "+49309999999", 1
    services.save_number(number, customer=acme, by=alice)

    number.refresh_from_db()
    assert number.e164 == "+49301234500"
    with pytest.raises(ValidationError, match="provider"):
        services.save_number(Number(e164="+49301111111", stock_id=9, country="DE"), customer=acme, by=alice)


def test_the_second_editor_is_told(acme, alice, victor, number):
    second = Number.objects.get(pk=number.pk)
    number.label = "Reception"
    services.save_number(number, customer=acme, by=alice)

    second.label = "Lobby"
    with pytest.raises(StaleEdit, match="alice@"):
        services.save_number(second, customer=acme, by=victor)
    assert Number.objects.get(pk=number.pk).label == "Reception"


def test_another_customers_ids_are_not_there(acme, globex, mallory, nadia, number):
    given(globex, nadia, "+12065550100", country="US")

    with contexts.customer(globex), pytest.raises(ValidationError, match="not yours"):
        services.set_state([number.pk, 999], "suspended", customer=globex, by=mallory)
    number.refresh_from_db()
    assert number.state == "inactive"


def test_a_foreign_caller_id_needs_proof_and_is_nobodys_here(acme, globex, alice, nadia, number):
    with pytest.raises(ValidationError):
        services.save_caller_id(ApprovedCallerId(e164="+442079460001", note="x", evidence=" "), customer=acme, by=alice)
    with pytest.raises(ValidationError, match="your own number"):
        own = ApprovedCallerId(e164=number.e164, note="x", evidence="bill")
        services.save_caller_id(own, customer=acme, by=alice)

    given(globex, nadia, "+12065550100", country="US")
    with pytest.raises(ValidationError, match="cannot be approved") as refused:
        foreign = ApprovedCallerId(e164="+12065550100", note="x", evidence="bill")
        services.save_caller_id(foreign, customer=acme, by=alice)
    assert "Globex" not in str(refused.value)

    approved = ApprovedCallerId(e164="+442079460001", note="London office", evidence="Bill of 2026-10")
    services.save_caller_id(approved, customer=acme, by=alice)
    services.delete_caller_id(approved, customer=acme, by=alice)
    assert not selectors.caller_ids().exists()


def test_the_approval_of_a_number_ends_once_another_customer_has_it(acme, initech, alice, nadia, northwind):
    Customer.objects.filter(pk=acme.pk).update(foreign_caller_id=True)
    theirs, mine, free = "+442079460001", "+442079460002", "+442079460003"
    for e164 in (theirs, mine, free):
        approved = ApprovedCallerId(e164=e164, note="London office", evidence="Bill of 2026-10")
        services.save_caller_id(approved, customer=acme, by=alice)
    given(initech, nadia, theirs, country="GB")
    given(acme, nadia, mine, country="GB")
    before = Customer.objects.get(pk=acme.pk).config_version

    assert caller_ids.withdraw_taken(by=Actor.system("numbers")) == 1
    assert caller_ids.withdraw_taken(by=Actor.system("numbers")) == 0

    assert [each.e164 for each in selectors.caller_ids()] == [mine, free]
    assert Customer.objects.get(pk=acme.pk).config_version == before + 1
    told = AuditEntry.objects.get(verb="caller_id.withdrawn")
    assert (told.tenant_id, told.before["e164"]) == (acme.pk, theirs)
    assert "another" in told.reason and "Initech" not in told.reason


def test_the_default_caller_id_is_an_active_number_of_ones_own(acme, alice, number):
    with pytest.raises(ValidationError):
        services.save_caller_id_policy(acme, policy="replace", number=number.e164, by=alice)
    number.place = berlin(alice)
    services.activate(number, customer=acme, by=alice)

    services.save_caller_id_policy(acme, policy="replace", number=number.e164, by=alice)

    acme.refresh_from_db()
    assert acme.default_caller_id == number.e164


def test_a_place_with_numbers_stays_where_it_is(acme, alice, nadia):
    place, other = berlin(alice), berlin(alice, city="Potsdam")
    given(acme, nadia, "+49301234500")
    Number.objects.update(place=place)

    place.address = other.address
    with pytest.raises(ValidationError, match="Numbers are registered here"):
        save_place(place, by=alice)
    with pytest.raises(ValidationError, match="Move them to another place"):
        delete_place(Place.objects.get(pk=place.pk), by=alice)


def test_the_number_that_calls_show_by_default_stays_in_use_until_another_is_chosen(acme, alice, number):
    number.place = berlin(alice)
    services.activate(number, customer=acme, by=alice)
    services.save_caller_id_policy(acme, policy="replace", number=number.e164, by=alice)

    for stop in (services.suspend, services.deactivate):
        fresh = Number.objects.get(pk=number.pk)
        with pytest.raises(ValidationError, match="is your default caller ID"):
            stop(fresh, customer=acme, by=alice)
    with pytest.raises(ValidationError, match="is your default caller ID"):
        services.set_state([number.pk], "inactive", customer=acme, by=alice)

    services.save_caller_id_policy(acme, policy="refuse", number="", by=alice)
    services.set_state([number.pk], "inactive", customer=acme, by=alice)


def test_programs_choose_the_default_among_active_numbers_too(acme, alice, mallory, globex, number, client_of):
    number.place = berlin(alice)
    services.activate(number, customer=acme, by=alice)
    contexts.use_public()

    def put(default, browser=None):
        facts = {"caller_id_policy": "replace", "default_caller_id": default}
        browser = browser or client_of(alice, acme)
        return browser.put("/api/v1/caller-ids/policy/", facts, content_type="application/json")

    assert put("+49301234501").status_code == 400, "not active"
    assert put(number.e164, client_of(mallory, globex)).status_code == 400, "not Globex's"
    assert put(number.e164).json() == {"caller_id_policy": "replace", "default_caller_id": number.e164}
    stored = client_of(alice, acme).get("/api/v1/caller-ids/policy/").json()
    assert stored["default_caller_id"] == number.e164
