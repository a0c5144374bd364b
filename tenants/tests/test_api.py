"""The API of tenancy, and what every resource has from its ground: errors, pages, versions, keys."""

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils.timezone import now

from portal.core.models import AuditEntry, IdempotencyKey
from portal.db import contexts
from tenants.models import Customer, Membership
from tenants.tests.clients import client_of, visitor

pytestmark = pytest.mark.django_db
NEW = {"name": "Umbrella", "label": "umbrella", "country": "DE", "time_zone": "Europe/Berlin"}


@pytest.fixture
def office(northwind, nadia):
    cache.clear()
    return client_of(nadia, northwind)


def send(browser, method, path, data=None, **headers):
    return getattr(browser, method)(path, data=json.dumps(data or {}), content_type="application/json", **headers)


def test_me_says_who_where_and_what(acme, victor):
    answer = client_of(victor, acme).get("/api/v1/me/").json()
    assert (answer["email"], answer["place"], answer["of"], answer["roles"]) == (
        "victor@acme.example", "customer", "Acme", ["viewer"],
    )  # fmt: skip
    assert "routing.view" in answer["capabilities"] and "routing.change" not in answer["capabilities"]


def test_a_customer_is_created_changed_and_suspended(office, northwind):
    made = send(office, "post", "/api/v1/customers/", NEW)
    assert made.status_code == 201, made.content
    assert made.json()["fqdns"] == ["umbrella.sbc.northwind.example"]
    path = f"/api/v1/customers/{made.json()['id']}/"
    assert send(office, "patch", path, {"channels": 50, "label": "other"}).json()["channels"] == 50
    with contexts.msp(northwind):
        assert Customer.objects.get(label="umbrella").channels == 50
    assert send(office, "post", f"{path}suspend/", {"reason": ""}).status_code == 400
    assert send(office, "post", f"{path}suspend/", {"reason": "unpaid"}).json()["state"] == "suspended"


def test_errors_are_problem_documents_that_name_the_field(office, acme):
    answer = send(office, "post", "/api/v1/customers/", NEW | {"label": "x',public;--", "country": "XX"})
    assert answer.status_code == 400 and answer["Content-Type"] == "application/problem+json"
    assert set(answer.json()["errors"]) == {"label"}
    assert answer.json()["request_id"] == answer["X-Request-Id"]
    for path, code in (("/api/v1/customers/999999/", 404), ("/api/v1/customers/x/", 404)):
        answer = office.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (code, "application/problem+json")
    assert send(office, "post", "/api/v1/customers/", NEW, CONTENT_TYPE="text/plain").status_code == 415


@pytest.mark.parametrize(
    "body", ["[" * 50_000 + "]" * 50_000, '{"name": ' * 50_000, "{", "\ufffd", f'{{"a": {"9" * 5000}}}']
)
def test_a_body_that_is_no_json_is_answered_and_breaks_nothing(office, body):
    answer = office.post("/api/v1/customers/", body, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_strangers_are_told_how_to_come_in(northwind):
    answer = visitor(northwind).get("/api/v1/customers/")
    assert answer.status_code == 401 and answer["WWW-Authenticate"].startswith("Bearer")
    answer = visitor(northwind).get("/api/v1/customers/", HTTP_AUTHORIZATION="Bearer stw_wrong")
    assert answer.status_code == 401 and answer["Content-Type"] == "application/problem+json"


def test_a_browsers_write_needs_the_csrf_token(northwind, nadia):
    browser = client_of(nadia, northwind)
    browser.handler.enforce_csrf_checks = True
    assert send(browser, "post", "/api/v1/customers/", NEW).status_code == 403


def test_lists_come_in_pages_of_at_most_200(office):
    first = office.get("/api/v1/customers/?limit=1").json()
    assert len(first["results"]) == 1 and first["next"]
    second = office.get(first["next"]).json()
    assert second["results"][0]["id"] != first["results"][0]["id"]
    assert len(office.get("/api/v1/customers/?limit=100000").json()["results"]) == 2


def test_the_same_key_does_the_same_write_once(office, northwind):
    key = {"HTTP_IDEMPOTENCY_KEY": "order-1"}
    first = send(office, "post", "/api/v1/customers/", NEW, **key)
    again = send(office, "post", "/api/v1/customers/", NEW, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() and again["Idempotent-Replayed"] == "true"
    with contexts.msp(northwind):
        assert Customer.objects.filter(label="umbrella").count() == 1
    other = send(office, "post", "/api/v1/customers/", NEW | {"label": "other"}, **key)
    assert other.status_code == 422


def test_a_key_is_of_the_place_where_it_was_used(office, fabrikam, nadia):
    with contexts.msp(fabrikam):
        Membership(user=nadia, msp=fabrikam, role="owner").save()
    key = {"HTTP_IDEMPOTENCY_KEY": "order-1"}
    both = [send(each, "post", "/api/v1/customers/", NEW, **key) for each in (office, client_of(nadia, fabrikam))]
    assert [answer.status_code for answer in both] == [201, 201]
    assert both[0].json()["id"] != both[1].json()["id"]


def test_a_refused_write_leaves_its_key_free(office):
    key = {"HTTP_IDEMPOTENCY_KEY": "order-2"}
    assert send(office, "post", "/api/v1/customers/", NEW | {"label": "PUBLIC"}, **key).status_code == 400
    assert send(office, "post", "/api/v1/customers/", NEW, **key).status_code == 201


def test_a_secret_that_is_shown_once_is_kept_nowhere(office, northwind):
    wanted = {"name": "nightly", "scopes": ["customers.view"], "expires_at": (now() + timedelta(days=7)).isoformat()}
    key = {"HTTP_IDEMPOTENCY_KEY": "token-1"}
    first = send(office, "post", "/api/v1/tokens/", wanted, **key)
    again = send(office, "post", "/api/v1/tokens/", wanted, **key)

    assert (first.status_code, again.status_code) == (201, 201), first.content
    assert first.json()["secret"] and "secret" not in again.json()
    with contexts.msp(northwind):
        (kept,) = IdempotencyKey.objects.all()
    assert first.json()["secret"] not in kept.body


def test_if_match_overwrites_nobody(office, acme):
    path = f"/api/v1/customers/{acme.pk}/"
    tag = office.get(path)["ETag"]
    assert send(office, "patch", path, {"channels": 31}, HTTP_IF_MATCH=tag).status_code == 200
    answer = send(office, "patch", path, {"channels": 32}, HTTP_IF_MATCH=tag)
    assert answer.status_code == 412 and answer["Content-Type"] == "application/problem+json"
    assert office.get(path).json()["channels"] == 31


def test_writes_of_the_api_are_in_the_audit_log_like_those_of_pages(office, northwind, acme):
    send(office, "patch", f"/api/v1/customers/{acme.pk}/", {"channels": 31})
    with contexts.msp(northwind):
        entry = AuditEntry.objects.get(verb="customer.changed")
    assert (entry.email, entry.before["channels"], entry.after["channels"]) == ("nadia@northwind.example", 30, 31)
    listed = office.get("/api/v1/audit/?verb=customer").json()["results"]
    assert listed[0]["verb"] == "customer.changed"


@pytest.mark.parametrize("place", ["customer", "msp", "operator"])
def test_the_description_is_openapi_3_1_and_names_no_other_brand(place, acme, northwind, alice, nadia, operator):
    user, where = {"customer": (alice, acme), "msp": (nadia, northwind), "operator": (operator, None)}[place]
    browser = client_of(user, where)
    document = browser.get("/api/v1/schema/").json()
    assert document["openapi"].startswith("3.1")
    assert "A write without either changes what it finds" in document["info"]["description"]
    assert "/api/v1/me/" in document["paths"]
    assert document["info"]["title"] == ("Strowger API" if where is None else "Northwind API")
    assert browser.get("/api/v1/").status_code == 200
