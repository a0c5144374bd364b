import pytest

from portal.db import contexts
from voice.directory.models import CivicAddress, Person, Place, Site
from voice.directory.tests.make import berlin

ADDRESS = {
    "company": "Acme", "country": "DE", "street": "Invalidenstraße", "house_number": "116", "postal_code": "1011",
    "city": "Berlin", "state_or_province": "",
}  # fmt: skip


def test_an_address_says_what_is_missing_until_it_is_validated(acme, alice, client_of):
    browser = client_of(alice, acme)
    page = browser.post("/people/addresses/new/", ADDRESS)["Location"]

    assert "Postal codes here look like 10115." in browser.get(page).content.decode()
    browser.post(f"{page}validate/")
    with contexts.customer(acme):
        assert not CivicAddress.objects.get().is_validated
    browser.post(f"{page}edit/", ADDRESS | {"postal_code": "10115", "row_version": "1"})
    browser.post(f"{page}validate/")
    assert "cannot be changed" in browser.get(page).content.decode()
    assert "cannot be changed" in browser.post(f"{page}edit/", ADDRESS).content.decode()


def test_from_an_empty_directory_each_page_leads_to_the_next(acme, alice, client_of):
    browser = client_of(alice, acme)
    assert 'href="/people/addresses/new/"' in browser.get("/people/places/new/").content.decode()
    assert 'value="Acme"' in browser.get("/people/addresses/new/").content.decode()
    page = browser.post("/people/addresses/new/", ADDRESS | {"postal_code": "10115"})["Location"]

    said = browser.post(f"{page}validate/", follow=True).content.decode()

    with contexts.customer(acme):
        address = CivicAddress.objects.get()
    following = f"/people/places/new/?address={address.pk}"
    assert f'href="{following}"' in said and "Now say where" in said
    assert browser.get(following).context["form"]["address"].value() == address.pk
    for wrong in ("0", "x", "9" * 400):
        assert browser.get(f"/people/places/new/?address={wrong}").status_code == 200


def test_people_sites_and_places_have_their_pages(acme, alice, victor, client_of):
    browser = client_of(alice, acme)
    assert browser.post("/people/sites/new/", {"name": "Head office"}).status_code == 302
    with contexts.customer(acme):
        site, place = Site.objects.get(), berlin(alice)
    assert (
        browser.post("/people/new/", {"name": "Dana", "email": "dana@acme.example", "site": site.pk}).status_code == 302
    )
    assert (
        "already a person" in browser.post("/people/new/", {"name": "D", "email": "dana@acme.example"}).content.decode()
    )
    facts = {"address": place.address_id, "description": "3rd floor"}
    assert browser.post("/people/places/new/", facts).status_code == 302

    for path, name in (("", "Dana"), ("sites/", "Head office"), ("addresses/", "Berlin"), ("places/", "3rd floor")):
        assert name in browser.get(f"/people/{path}").content.decode()
        assert client_of(victor, acme).get(f"/people/{path}").status_code == 200
    for part, model in (("sites/", Site), ("", Person), ("places/", Place)):
        with contexts.customer(acme):
            pk = model.objects.order_by("-pk").first().pk
        assert "This cannot be undone." in browser.get(f"/people/{part}{pk}/remove/").content.decode()
        assert browser.post(f"/people/{part}{pk}/remove/", {"confirmed": "1"}).status_code == 302
        assert client_of(victor, acme).post(f"/people/{part}{pk}/remove/", {"confirmed": "1"}).status_code == 403
    with contexts.customer(acme):
        assert (Site.objects.count(), Person.objects.count(), Place.objects.count()) == (0, 0, 1)


@pytest.mark.parametrize("resource", ["people", "sites", "addresses", "places"])
def test_the_api_offers_every_resource_to_its_own_customer(acme, globex, alice, mallory, resource, client_of):
    place = berlin(alice)
    bodies = {
        "people": {"name": "Dana"},
        "sites": {"name": "Head office", "address": place.address_id},
        "addresses": ADDRESS,
        "places": {"address": place.address_id, "description": "Roof"},
    }
    browser = client_of(alice, acme)
    made = browser.post(f"/api/v1/{resource}/", bodies[resource], content_type="application/json")
    assert made.status_code == 201, made.content
    path = f"/api/v1/{resource}/{made.json()['id']}/"

    assert client_of(mallory, globex).get(path).status_code == 404
    assert client_of(mallory, globex).get(f"/api/v1/{resource}/").json()["results"] == []
    stale = browser.patch(path, {"row_version": 99}, content_type="application/json")
    assert stale.status_code == 409
    assert browser.delete(path).status_code == 204


def test_another_customers_address_cannot_be_named(acme, globex, alice, mallory, client_of):
    place = berlin(alice)
    browser = client_of(mallory, globex)

    body = {"address": place.address_id, "description": "x"}
    assert browser.post("/api/v1/places/", body, content_type="application/json").status_code == 400
    assert browser.post("/people/places/new/", body).status_code == 200


def test_the_search_leads_to_people_and_places_where_the_reader_may_go(acme, globex, alice, victor, mallory, client_of):
    with contexts.customer(acme):
        place = berlin(alice)
        site = Site.objects.create(name="Berlin office")
        person = Person.objects.create(name="Berlinde Krause")

    def found(user, customer, text):
        return client_of(user, customer).get("/search/", {"q": text}).content.decode()

    seen = found(alice, acme, "berlin")
    for path in (f"addresses/{place.address_id}/", f"sites/{site.pk}/", f"{person.pk}/"):
        assert f'href="/people/{path}"' in seen
    assert f'href="/people/places/{place.pk}/"' in found(alice, acme, "2nd floor")
    looked = found(victor, acme, "2nd floor")
    assert 'href="/people/places/?q=2nd+floor"' in looked and f"/people/places/{place.pk}/" not in looked
    assert "Krause" not in found(mallory, globex, "berlin")
