"""The tabs *History* and *API* of every object: for whom they open, and that they never say more than the API."""

import json
import re
from html import unescape

import pytest
from django.core.cache import cache

from portal.core.audit import Actor
from portal.db import contexts
from portal.ui.objects import KINDS
from tenants.services import save_customer
from tenants.tests.clients import client_of
from voice.carriers import services as carriers
from voice.carriers.models import Trunk
from voice.directory.models import Person
from voice.directory.services import save_person

pytestmark = pytest.mark.django_db
BY = Actor(email="alice@acme.example")
CODE = re.compile(r"<pre[^>]*><code>(.*?)</code></pre>", re.S)


def codes(answer):
    return [unescape(text) for text in CODE.findall(answer.content.decode())]


def first_of(browser, resource):
    cache.clear()
    results = browser.get(f"/api/v1/{resource}/").json()["results"]
    return results[0]["id"] if results else None


@pytest.mark.parametrize("place", KINDS)
def test_every_kind_has_its_pages_and_they_lead_to_each_other(world, place, acme, northwind, alice, nadia, operator):
    user, where = {"customer": (alice, acme), "msp": (nadia, northwind), "operator": (operator, None)}[place]
    browser, seen = client_of(user, where), []
    for resource, kind in KINDS[place].items():
        pk = first_of(browser, resource)
        if pk is None:
            continue
        seen.append(resource)
        shown = browser.get(f"/objects/{resource}/{pk}/api/")
        assert shown.status_code == 200, resource
        page = re.search(r'<nav class="tabs".*?href="([^"]+)"', shown.content.decode(), re.S)[1]
        overview = browser.get(page).content.decode()
        assert f'href="/objects/{resource}/{pk}/api/"' in overview, page
        history = re.findall(r'href="([^"]+/history/)"', overview)
        assert len(history) == (1 if kind.changes else 0), page
        assert [browser.get(url).status_code for url in history] == [200] * len(history)
    assert len(seen) >= len(KINDS[place]) // 2


def test_the_page_says_what_the_api_says_and_shows_a_change_that_works(world, acme, alice):
    browser = client_of(alice, acme)
    pk = first_of(browser, "people")

    read, change, body = codes(browser.get(f"/objects/people/{pk}/api/"))

    assert json.loads(body) == browser.get(f"/api/v1/people/{pk}/").json()
    assert f"/api/v1/people/{pk}/" in read and "$TOKEN" in read
    example = json.loads(re.search(r"-d '(.*)'", change)[1])
    assert browser.patch(f"/api/v1/people/{pk}/", example, content_type="application/json").status_code == 200


def test_who_may_not_change_is_shown_no_change(world, acme, victor):
    browser = client_of(victor, acme)
    pk = first_of(browser, "routes")

    assert len(codes(browser.get(f"/objects/routes/{pk}/api/"))) == 2
    # The page of a line is its form, which is not for Victor: no tab leads there.
    assert f'href="/routing/{pk}/"' not in browser.get(f"/objects/routes/{pk}/history/").content.decode()


def test_a_trunk_shared_by_the_provider_shows_the_customer_no_more_than_the_api(world, acme, alice, northwind):
    with contexts.msp(northwind):
        trunk = Trunk.objects.filter(tenant=None, grants__tenant=acme).first()
        trunk.host = "sip.hidden.example"
        carriers.save_trunk(trunk, by=Actor(email="nadia@northwind.example"))
    browser = client_of(alice, acme)

    shown = browser.get(f"/objects/trunks/{trunk.pk}/api/")
    history = browser.get(f"/objects/trunks/{trunk.pk}/history/")

    assert len(codes(shown)) == 2 and "hidden.example" not in shown.content.decode()
    assert history.status_code == 200 and "nadia" not in history.content.decode()


def test_the_history_names_who_and_what(acme, alice):
    person = save_person(Person(name="Grace"), by=BY)
    person.name = "Grace Hopper"
    save_person(person, by=BY)

    text = client_of(alice, acme).get(f"/objects/people/{person.pk}/history/").content.decode()

    assert "alice@acme.example" in text and "Grace → Grace Hopper" in text


def test_nobody_sees_objects_of_others_by_guessing_ids(world, acme, globex, mallory, alice):
    own, other = client_of(alice, acme), client_of(mallory, globex)
    for resource in KINDS["customer"]:
        pk = first_of(own, resource)
        for tab in ("api", "history"):
            answer = other.get(f"/objects/{resource}/{pk}/{tab}/")
            assert answer.status_code in (200, 404)
            assert b"acme" not in answer.content.lower()


def test_what_reading_takes_is_asked_for_on_both_tabs(world, acme, alice):
    pk = first_of(client_of(alice, acme), "people")
    from tests.test_walk import member

    billing = client_of(member(acme, "billing_contact"), acme)

    assert [billing.get(f"/objects/people/{pk}/{tab}/").status_code for tab in ("api", "history")] == [403, 403]
    assert [billing.get(f"/objects/{what}/1/api/").status_code for what in ("me", "nothing", "audit")] == [404] * 3


def test_a_customer_change_is_offered_with_the_version_it_was_read_at(world, northwind, nadia, acme):
    with contexts.msp(northwind):
        save_customer(acme, by=BY)
    change = codes(client_of(nadia, northwind).get(f"/objects/customers/{acme.pk}/api/"))[1]

    acme.refresh_from_db()
    assert f'If-Match: "{acme.config_version}"' in change


def test_what_can_be_done_with_an_object_is_offered_to_who_may_do_it(world, acme, northwind, nadia, operator):
    from tests.test_walk import member

    console, office, desk = client_of(operator, None), client_of(nadia, northwind), member(northwind, "billing")
    node = first_of(console, "nodes")

    of_node, of_customer, of_nobody = [
        codes(browser.get(f"/objects/{one}/api/"))[1:-1]
        for browser, one in (
            (console, f"nodes/{node}"),
            (office, f"customers/{acme.pk}"),
            (client_of(desk, northwind), f"customers/{acme.pk}"),
        )
    ]

    acts = ["disable", "enable", "restart", "rotate-token"]
    assert sorted(re.findall(rf"/api/v1/nodes/{node}/([a-z-]+)/", " ".join(of_node))) == acts
    assert all("-X POST" in line and "Idempotency-Key" in line for line in of_node)
    (suspend,) = [line for line in of_customer if "/suspend/" in line]
    assert json.loads(re.search(r"-d '(.*)'", suspend)[1]) == {"reason": "unpaid"}
    assert of_nobody == []
