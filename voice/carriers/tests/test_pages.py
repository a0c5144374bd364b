import re

import pytest

from portal.db import contexts
from voice.carriers import lists, services
from voice.carriers.models import BlockedPrefix, Carrier, Trunk
from voice.carriers.pages import answer_of
from voice.carriers.tests.make import own_trunk, shared_trunk

TRUNK = {
    "name": "Carrier A Berlin", "host": "127.0.9.1", "port": "5060", "transport": "udp", "auth": "ip", "channels": "30",
    "cps": "5", "forwarded_caller": "original", "enabled": "on", "row_version": "0", "source_addresses": "",
}  # fmt: skip


@pytest.fixture
def trunk(northwind, nadia):
    with contexts.msp(northwind):
        return shared_trunk(northwind, nadia)


def test_an_msp_makes_a_trunk_and_shares_it(northwind, globex, nadia, client_of):
    browser = client_of(nadia, northwind)
    assert browser.post("/carriers/new/", {"name": "Carrier A", "contact": "+49 800"}).status_code == 302
    with contexts.msp(northwind):
        carrier = Carrier.objects.get()

    answer = browser.post("/carriers/trunks/new/", TRUNK | {"carrier": carrier.pk})
    assert answer.status_code == 302, answer.context["form"].errors
    trunk_page = answer["Location"]
    assert browser.post(f"{trunk_page}customers/", {"customers": [globex.pk]}).status_code == 302

    assert "Globex" in browser.get(trunk_page).content.decode()
    assert browser.post(f"{trunk_page}customers/{globex.pk}/revoke/", {"confirmed": "1"}).status_code == 302
    with contexts.customer(globex):
        assert not Trunk.objects.exists()


def test_a_refusal_stands_at_its_field_and_nothing_typed_is_lost(northwind, nadia, trunk, client_of):
    answer = client_of(nadia, northwind).post(
        "/carriers/trunks/new/", TRUNK | {"carrier": trunk.carrier_id, "host": "127.0.0.1", "name": "Kept"}
    )

    page = answer.content.decode()
    assert "of the SBC itself" in str(answer.context["form"].errors["host"])
    assert 'value="Kept"' in page


def test_an_ipv6_trunk_is_refused_in_words_on_the_page_and_by_the_api(northwind, nadia, trunk, client_of):
    browser, host = client_of(nadia, northwind), "2001:4860:4860::8888"
    facts = TRUNK | {"carrier": trunk.carrier_id, "host": host, "name": "By IPv6"}

    answer = browser.post("/carriers/trunks/new/", facts)
    assert list(answer.context["form"].errors) == ["host"]
    assert f"{host} is an IPv6 address" in answer.context["form"].errors["host"][0]
    said = {"name": "By IPv6", "carrier": trunk.carrier_id, "host": "8.8.8.8", "source_addresses": [host]}
    answer = browser.post("/api/v1/trunks/", said, content_type="application/json")
    assert answer.status_code == 400
    assert "is an IPv6 address" in str(answer.json()), answer.json()


def test_the_password_never_comes_back(northwind, nadia, client_of):
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia, auth="digest", username="u", password="top secret")
    browser = client_of(nadia, northwind)

    for path in (f"/carriers/trunks/{trunk.pk}/", f"/carriers/trunks/{trunk.pk}/edit/", f"/api/v1/trunks/{trunk.pk}/"):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "top secret" not in answer.content.decode()
    facts = TRUNK | {"carrier": trunk.carrier_id, "auth": "digest", "username": "u", "row_version": trunk.row_version}
    assert browser.post(f"/carriers/trunks/{trunk.pk}/edit/", facts).status_code == 302
    with contexts.msp(northwind):
        assert Trunk.objects.get().password == "top secret"


def test_the_second_editor_is_told_on_the_page_and_by_the_api(northwind, nadia, trunk, client_of):
    browser = client_of(nadia, northwind)
    facts = TRUNK | {"carrier": trunk.carrier_id, "row_version": trunk.row_version}
    assert browser.post(f"/carriers/trunks/{trunk.pk}/edit/", facts).status_code == 302

    answer = browser.post(f"/carriers/trunks/{trunk.pk}/edit/", facts | {"channels": "99"})

    assert "changed this" in answer.content.decode()
    stale = browser.patch(
        f"/api/v1/trunks/{trunk.pk}/",
        {"channels": 99, "row_version": trunk.row_version},
        content_type="application/json",
    )
    assert stale.status_code == 409
    assert browser.patch(
        f"/api/v1/trunks/{trunk.pk}/", {"channels": 99}, content_type="application/json", headers={"If-Match": '"1"'}
    ).status_code in (409, 412)
    with contexts.msp(northwind):
        assert Trunk.objects.get().channels == 30


def test_a_customer_brings_a_trunk_and_cannot_touch_its_providers(
    northwind, acme, alice, victor, nadia, trunk, client_of
):
    with contexts.msp(northwind):
        services.grant_trunk(trunk, acme, by=nadia)
    browser = client_of(alice, acme)

    page = browser.get(f"/trunks/{trunk.pk}/").content.decode()
    assert "127.0.9.1" not in page
    assert "127.0.9.1" not in browser.get("/trunks/").content.decode()
    assert "host" not in browser.get(f"/api/v1/trunks/{trunk.pk}/").json()
    assert browser.get(f"/trunks/{trunk.pk}/edit/").status_code == 404
    assert browser.delete(f"/api/v1/trunks/{trunk.pk}/").status_code == 404

    answer = browser.post("/trunks/new/", TRUNK | {"name": "Our line", "host": "127.0.9.20"})
    assert answer.status_code == 302
    assert client_of(victor, acme).get(answer["Location"]).status_code == 200
    assert client_of(victor, acme).post("/trunks/new/", TRUNK).status_code == 403


def test_another_customers_trunk_is_not_there(northwind, acme, globex, alice, mallory, client_of):
    trunk = own_trunk(acme, alice)
    browser = client_of(mallory, globex)

    for path in (
        f"/trunks/{trunk.pk}/",
        f"/trunks/{trunk.pk}/edit/",
        f"/trunks/{trunk.pk}/close/",
        f"/api/v1/trunks/{trunk.pk}/",
    ):
        assert browser.get(path).status_code == 404


def test_an_msp_approves_a_trunk_but_does_not_change_it(northwind, acme, globex, alice, mallory, nadia, client_of):
    with contexts.customer(globex):
        own_trunk(globex, mallory, host="127.0.9.30")
    trunk = own_trunk(acme, alice, host="127.0.9.30")
    browser = client_of(nadia, northwind)

    assert trunk.name in browser.get("/carriers/trunks/").content.decode()
    assert browser.get(f"/carriers/trunks/{trunk.pk}/edit/").status_code == 404
    seen = {"row_version": trunk.row_version}
    assert browser.post(f"/carriers/trunks/{trunk.pk}/approve/", seen).status_code == 302
    assert browser.get(f"/api/v1/trunks/{trunk.pk}/").json()["approved"] is True


def test_what_is_approved_is_the_trunk_that_the_page_showed(northwind, acme, globex, alice, mallory, nadia, client_of):
    with contexts.customer(globex):
        own_trunk(globex, mallory, host="127.0.9.30")
    trunk = own_trunk(acme, alice, host="127.0.9.30")
    browser = client_of(nadia, northwind)
    page = browser.get(f"/carriers/trunks/{trunk.pk}/").content.decode()
    shown = re.search(r'name="row_version" value="(\d+)"', page)[1]

    trunk.port = 5070
    services.save_trunk(trunk, by=alice)
    # Whoever does not say what was seen, or says it in no number that a row can have, has not seen it either.
    for said in ({"row_version": shown}, {}, {"row_version": "9" * 5000}):
        answer = browser.post(f"/carriers/trunks/{trunk.pk}/approve/", said, follow=True)
        assert "changed this at" in answer.content.decode()

    trunk.refresh_from_db()
    assert not trunk.approved


def test_lists_above_every_policy(northwind, acme, nadia, trunk, client_of):
    browser = client_of(nadia, northwind)
    assert browser.post("/carriers/block-list/new/", {"prefix": "+882", "note": "Satellite"}).status_code == 302
    assert "+882" in browser.get("/carriers/block-list/").content.decode()
    assert browser.post("/carriers/emergency/DE/", {"trunk_0": trunk.pk}).status_code == 302
    assert trunk.name in browser.get("/carriers/emergency/").content.decode()
    assert browser.get("/carriers/emergency/de/").status_code == 404

    with contexts.msp(northwind):
        blocked = BlockedPrefix.objects.get()
    assert browser.post(f"/carriers/block-list/{blocked.pk}/delete/", {"confirmed": "1"}).status_code == 302
    for prefix in ("", "abc", "1" * 10_000):
        assert browser.post("/carriers/block-list/new/", {"prefix": prefix}).status_code == 200
    answer = browser.post(
        "/api/v1/emergency-trunks/", {"country": "US", "trunks": [trunk.pk]}, content_type="application/json"
    )
    assert answer.json()[0]["trunk"] == trunk.pk
    assert (
        browser.post(
            "/api/v1/emergency-trunks/", {"country": "US", "trunks": [999]}, content_type="application/json"
        ).status_code
        == 400
    )


def test_another_msps_carrier_cannot_be_chosen(northwind, fabrikam, nadia, trunk, client_of):
    with contexts.msp(fabrikam):
        foreign = Carrier.objects.create(msp=fabrikam, name="Theirs")
    browser = client_of(nadia, northwind)

    assert browser.post("/carriers/trunks/new/", TRUNK | {"name": "X", "carrier": foreign.pk}).status_code == 200
    body = {"name": "X", "host": "127.0.9.3", "carrier": foreign.pk}
    assert browser.post("/api/v1/trunks/", body, content_type="application/json").status_code == 400
    assert browser.get(f"/carriers/{foreign.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("health", "code", "words"),
    [("down", 478, "no address (DNS)"), ("down", 403, "networks"), ("down", 503, "503"), ("down", None, "No answer"),
     ("up", 403, "403"), ("unknown", None, "No node has asked yet")],
)  # fmt: skip
def test_a_trunk_says_why_it_is_down(health, code, words):
    assert words in answer_of(Trunk(health=health, health_code=code))


def test_a_new_customers_steps_ask_for_emergency_trunks(northwind, acme, alice, nadia, trunk, client_of):
    def told():
        return browser.get(f"/customers/{acme.pk}/steps/").content.decode()

    def switch(enabled):
        with contexts.msp(northwind):
            stored = Trunk.objects.get(pk=trunk.pk)
            stored.enabled = enabled
            services.save_trunk(stored, by=nadia)

    browser, words = client_of(nadia, northwind), "No trunk carries emergency calls in Germany yet"
    assert words in told() and 'href="/carriers/emergency/"' in told()

    assert browser.post("/carriers/emergency/DE/", {"trunk_0": trunk.pk}).status_code == 302
    assert words not in told() and trunk.name in told()
    switch(False)
    assert words in told()
    page = browser.get("/carriers/emergency/").content.decode()
    assert "(not in use)" in page and "One trunk only" not in page

    own = own_trunk(acme, alice)
    with contexts.ingest():
        lists.note_cover(acme, {"DE": [own.pk]}, has_callers=False)
    assert words not in told(), "the customer's own list has one"


def test_a_country_without_a_list_of_its_own_is_not_called_helpless_where_calls_leave_by_another(
    northwind, acme, nadia, trunk, client_of
):
    def told():
        page = client_of(nadia, northwind).get("/carriers/emergency/").content.decode()
        return next(row for row in page.split("data-row") if "United Kingdom" in row)

    with contexts.msp(northwind):
        lists.set_emergency_trunks(northwind, "DE", [trunk], by=nadia)
    with contexts.ingest():
        lists.note_cover(acme, {"DE": [trunk.pk], "GB": [trunk.pk]}, has_callers=True)
    assert "By other lists" in told() and "No trunk" not in told()

    with contexts.ingest():
        lists.note_cover(acme, {"DE": [trunk.pk], "GB": []}, has_callers=True)
    assert "No trunk" in told() and "By other lists" not in told()
