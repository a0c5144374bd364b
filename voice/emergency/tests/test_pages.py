import re

from portal.db import contexts
from voice.carriers import lists, services
from voice.carriers.models import Trunk
from voice.carriers.tests.make import shared_trunk
from voice.directory.tests.make import berlin
from voice.numbers import services as numbers
from voice.numbers.models import Number
from voice.numbers.tests.make import given


def test_the_page_says_plainly_what_happens_and_what_is_missing(northwind, acme, alice, nadia, client_of):
    browser = client_of(alice, acme)
    empty = browser.get("/emergency/").content.decode()
    assert "No trunk carries emergency calls for you in Germany." in empty
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        lists.set_emergency_trunks(northwind, "DE", [trunk], by=nadia)
    given(acme, nadia, "+49301234500")

    page = browser.get("/emergency/").content.decode()

    assert "When somebody dials 112" in page
    assert trunk.name in page
    assert "1 number has no validated emergency location" in page
    assert "Never test by calling an emergency number" in page


def test_nothing_is_called_ready_that_is_not(northwind, acme, alice, nadia, client_of):
    browser = client_of(alice, acme)
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        lists.set_emergency_trunks(northwind, "DE", [trunk], by=nadia)

    page = browser.get("/emergency/").content.decode()
    assert "No number of yours is in use yet" in page and "are ready" not in page

    given(acme, nadia, "+49301234500")
    page = browser.get("/emergency/").content.decode()
    assert "Begin with the address" in page
    with contexts.customer(acme):
        place = berlin(nadia)
        ids = list(Number.objects.values_list("pk", flat=True))
    assert "Choose numbers and set their location" in browser.get("/emergency/").content.decode()
    with contexts.customer(acme):
        numbers.set_place(ids, place, customer=acme, by=nadia)
        numbers.set_state(ids, "active", customer=acme, by=nadia)
    assert "Emergency calls are ready" in browser.get("/emergency/").content.decode()

    with contexts.msp(northwind):
        Trunk.objects.filter(pk=trunk.pk).update(health="down")
    page = browser.get("/emergency/").content.decode()
    assert "No trunk for emergency calls in Germany answers now." in page and "are ready" not in page


def test_933_is_shown_as_a_number_of_its_own(globex, mallory, client_of):
    page = client_of(mallory, globex).get("/emergency/").content.decode()

    assert "933" in page
    assert "It never stands for an emergency number" in page


def test_a_customer_sets_its_own_list_on_the_page_and_by_the_api(northwind, acme, alice, victor, nadia, client_of):
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
        services.grant_trunk(trunk, acme, by=nadia)
    browser = client_of(alice, acme)

    assert browser.post("/emergency/trunks/", {"trunk_0": trunk.pk}).status_code == 302
    assert "Your list" in browser.get("/emergency/").content.decode()
    assert "once" in browser.post("/emergency/trunks/", {"trunk_0": trunk.pk, "trunk_1": trunk.pk}).content.decode()
    assert browser.get("/api/v1/emergency/").json()[0]["trunks"] == [trunk.pk]
    body = {"trunks": [999]}
    assert browser.post("/api/v1/emergency/", body, content_type="application/json").status_code == 400
    assert browser.post("/api/v1/emergency/", {"trunks": []}, content_type="application/json").status_code == 200
    assert client_of(victor, acme).post("/emergency/trunks/", {}).status_code == 403
    assert (
        client_of(victor, acme).post("/api/v1/emergency/", {"trunks": []}, content_type="application/json").status_code
        == 403
    )


def test_of_two_editors_of_an_emergency_list_the_second_is_told(northwind, acme, alice, nadia, client_of):
    desk, portal = client_of(nadia, northwind), client_of(alice, acme)
    with contexts.msp(northwind):
        first, second = shared_trunk(northwind, nadia), shared_trunk(northwind, nadia, name="B", host="127.0.9.2")
        for trunk in (first, second):
            services.grant_trunk(trunk, acme, by=nadia)

    for browser, page in ((desk, "/carriers/emergency/DE/"), (portal, "/emergency/trunks/")):
        assert browser.post(page, {"trunk_0": first.pk, "seen": ""}).status_code == 302
        late = browser.post(page, {"trunk_0": second.pk, "seen": ""})
        assert "Somebody changed this list meanwhile." in late.content.decode()
        assert browser.post(page, {"trunk_0": second.pk, "seen": f"{first.pk}"}).status_code == 302
    for browser, path, more in ((desk, "emergency-trunks", {"country": "DE"}), (portal, "emergency", {})):
        body = {"trunks": [first.pk], "seen": [first.pk], **more}
        assert browser.post(f"/api/v1/{path}/", body, content_type="application/json").status_code == 409
        told = browser.post(f"/api/v1/{path}/", body | {"seen": [second.pk]}, content_type="application/json")
        assert told.status_code < 300


def test_the_page_and_the_trial_know_what_is_dialled_in_every_country_of_the_customer(
    northwind, acme, alice, nadia, client_of
):
    with contexts.msp(northwind):
        german, british = (
            shared_trunk(northwind, nadia),
            shared_trunk(northwind, nadia, name="Thames", host="127.0.9.2"),
        )
        for country, trunk in (("DE", german), ("GB", british)):
            lists.set_emergency_trunks(northwind, country, [trunk], by=nadia)
    browser = client_of(alice, acme)
    assert "999" not in browser.get("/emergency/").content.decode()
    given(acme, nadia, "+442071234567", country="GB")

    page = browser.get("/emergency/").content.decode()
    assert "Dialled in the United Kingdom" in page and "Thames" in page
    assert "is dialled here, too, and leaves as in Germany" in page
    assert not re.search(r'class="panel-foot">\s*</p>', page), "only the first list can be changed here"
    tried = browser.get("/api/v1/routes/try/", {"number": "999"}).json()
    assert (tried["outcome"], tried["trunks"][0]) == ("emergency", british.gateway)
    said = {each["dial"]: each["country"] for each in browser.get("/api/v1/emergency/").json()}
    assert said == {"112": "DE", "110": "DE", "999": "GB"}
    assert "999 is an emergency number" in browser.get("/routing/", {"number": "999"}).content.decode()
    # Numbers of its own country are what they were.
    assert browser.get("/api/v1/routes/try/", {"number": "0999 1234567"}).json()["outcome"] == "no_line"
