"""Two programs that read the same version of a thing: the first to write wins, and the second is told."""

from contextlib import contextmanager, suppress

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import F

from portal.core.api import PlaceViewSet, version_field
from tenants.tests.clients import client_of
from tests import walk
from tests.test_walk import member, undone

pytestmark = pytest.mark.django_db
FEW_ROWS = 4
HOURS = [{"days": [0], "begin": "09:00", "until": "17:00"}]
# What the demo has none of that can be changed and removed.
ADDED = {
    "customer": {
        "/api/v1/schedules/": {"name": "Office", "windows": HOURS, "closed": []},
        "/api/v1/trunks/": {"name": "Ours", "host": "127.0.9.9"},
    },
    "msp": {
        "/api/v1/carriers/": {"name": "Nobody's"},
        "/api/v1/plans/{plans}/new-version/": {},
    },
    "operator": {
        "/api/v1/retention-rules/": {
            "data_class": "calls", "country": "FR", "days": 90, "reason": "Law", "source": "CPCE",
        },
    },
}  # fmt: skip


@contextmanager
def somebody_quicker(monkeypatch):
    """Let somebody else save an object after a request has read it and before its service looks."""

    def overtaken(write):
        def perform(view, given):
            row = getattr(given, "instance", given)
            field = version_field(row)
            # What is published never changes, whoever asks.
            with suppress(IntegrityError), transaction.atomic():
                type(row)._base_manager.filter(pk=row.pk).update(**{field: F(field) + 1})
            write(view, given)

        return perform

    with monkeypatch.context() as patch:
        for name in ("perform_update", "perform_destroy"):
            patch.setattr(PlaceViewSet, name, overtaken(getattr(PlaceViewSet, name)))
        yield


def versioned(browser, kind):
    """Yield the path and the ETag of some objects of every resource that can be changed and counts its changes."""
    for leaf in walk.leaves(kind):
        listed, _here, rest = leaf.template.partition("<int:pk>")
        if not leaf.is_api or rest != "/" or not {"patch", "delete"} & set(leaf.methods):
            continue
        cache.clear()
        for row in some_of(browser, listed):
            path = f"/{listed}{row.get('id', row.get('customer'))}/"
            tag = browser.get(path).get("ETag")
            if tag is not None:
                yield leaf, path, tag


def some_of(browser, listed):
    """Return the oldest and the newest rows of a list."""
    found = browser.get(f"/{listed}?page_size=100").json()
    rows = found.get("results", []) if isinstance(found, dict) else []
    return rows[:FEW_ROWS] + rows[FEW_ROWS:][-FEW_ROWS:]


def add(browser, kind):
    """Add what the demo has none of."""
    for path, body in ADDED.get(kind, {}).items():
        listed = path.partition("{")[2].partition("}")[0]
        ids = {listed: some_of(browser, f"api/v1/{listed}/")[0]["id"]} if listed else {}
        assert browser.post(path.format(**ids), body, content_type="application/json").status_code in (200, 201), path


@pytest.mark.parametrize("kind", walk.PLACES)
def test_a_write_by_a_version_that_was_overtaken_is_refused(world, kind, acme, northwind, operator, monkeypatch):
    place, role = {"customer": (acme, "admin"), "msp": (northwind, "owner"), "operator": (None, "")}[kind]
    browser = client_of(member(place, role) if place else operator, place)
    add(browser, kind)
    tried, told, wrong = set(), set(), []
    for leaf, path, tag in versioned(browser, kind):
        for method in {"patch", "delete"} & set(leaf.methods):
            tried.add((method, leaf.template))
            for headers, code in (({"If-Match": tag}, 412), ({}, 409)):
                with undone(), somebody_quicker(monkeypatch):
                    answer = getattr(browser, method)(path, {}, content_type="application/json", headers=headers)
                if answer.status_code == code:
                    told.add((method, leaf.template))
                elif answer.status_code not in (400, 404):
                    wrong.append((method, path, answer.status_code))
    assert wrong == []
    assert tried - told == set()


BODIES = {
    "contracts": {
        "noticed_on": "2026-01-01", "ends": None, "on": "2027-01-01", "name": "Porting", "quantity": 1,
        "begins": "2027-01-01", "month": "2027-01-01", "amount": 1, "reason": "Law",
    },
    "decks": {"begins": "2027-01-01T00:00:00Z", "rates": [{"prefix": "1", "destination": "US", "per_minute": 1}]},
    "questions": {"answer": "So it is."},
}  # fmt: skip
# They add something, send something or look at the state alone: nobody's entries are lost by them. A customer's version
# counts all that its SBCs get, whoever changed it.
ADDING = {
    "customers/close", "customers/invite", "customers/resume", "customers/suspend", "msps/invite-owner", "msps/resume",
    "msps/suspend", "trunks/grant", "trunks/revoke", "accounts/move", "invoices/credit", "invoices/mail",
    "invoices/write-off", "plan-versions/move-contracts", "webhooks/test",
}  # fmt: skip


def body_of(browser, name, row):
    """Return a body with which an action comes as far as to the version of its object."""
    body = BODIES.get(name, {})
    if name != "contracts":
        return body
    version = some_of(browser, "api/v1/plan-versions/")[0]["id"]
    ids = {"add_on": row["add_ons"], "credit": row["credits"]}
    return body | {"version": version} | {key: rows[0]["id"] for key, rows in ids.items() if rows}


@contextmanager
def somebody_quicker_than_an_action(monkeypatch):
    read, met = PlaceViewSet.get_object, set()

    def get_object(view):
        row = read(view)
        field = version_field(row)
        if view.request.method == "POST" and field is not None and row.pk not in met:
            met.add(row.pk)
            with suppress(IntegrityError), transaction.atomic():
                type(row)._base_manager.filter(pk=row.pk).update(**{field: F(field) + 1})
        return row

    with monkeypatch.context() as patch:
        patch.setattr(PlaceViewSet, "get_object", get_object)
        yield


@pytest.mark.parametrize("kind", walk.PLACES)
def test_an_action_by_a_version_that_was_overtaken_is_refused(world, kind, acme, northwind, operator, monkeypatch):
    place, role = {"customer": (acme, "admin"), "msp": (northwind, "owner"), "operator": (None, "")}[kind]
    browser = client_of(member(place, role) if place else operator, place)
    add(browser, kind)
    told, tried = set(), set()
    for leaf in walk.leaves(kind):
        listed, _here, act = leaf.template.partition("<int:pk>/")
        if not leaf.is_api or not act or "post" not in leaf.methods:
            continue
        cache.clear()
        name = listed.removeprefix("api/v1/")
        for row in some_of(browser, listed):
            path = f"/{listed}{row.get('id', row.get('customer'))}/"
            tag = browser.get(path).get("ETag")
            if tag is None:
                continue
            tried.add(name + act.strip("/"))
            with undone(), somebody_quicker_than_an_action(monkeypatch):
                body, match = body_of(browser, name.strip("/"), row), {"If-Match": tag}
                answer = browser.post(f"{path}{act}", body, content_type="application/json", headers=match)
            if answer.status_code == 412:
                told.add(name + act.strip("/"))
    assert tried - told - ADDING == set()


def test_an_action_is_refused_too_where_its_object_was_overtaken(world, acme, alice):
    browser = client_of(alice, acme)
    cache.clear()
    address = browser.get("/api/v1/addresses/").json()["results"][0]
    path = f"/api/v1/addresses/{address['id']}/validate/"

    late = browser.post(path, {}, content_type="application/json", headers={"If-Match": '"99"'})
    right = browser.post(path, {}, content_type="application/json", headers={"If-Match": f'"{address["row_version"]}"'})

    assert (late.status_code, right.status_code) == (412, 200)


def test_an_action_that_was_done_by_the_right_version_says_so(world, northwind):
    browser = client_of(member(northwind, "owner"), northwind)
    plan = browser.get("/api/v1/plans/").json()["results"][0]
    path = f"/api/v1/plans/{plan['id']}/"

    done = browser.post(f"{path}close/", {}, content_type="application/json", headers={"If-Match": '"1"'})

    assert (done.status_code, done["ETag"]) == (200, '"2"')
    assert browser.get(path).json()["closed_at"]
