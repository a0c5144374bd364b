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
    "customer": {"/api/v1/schedules/": {"name": "Office", "windows": HOURS, "closed": []}},
    "operator": {
        "/api/v1/retention-rules/": {
            "data_class": "calls", "country": "FR", "days": 90, "reason": "Law", "source": "CPCE",
        },
    },
}  # fmt: skip
# Refused before it comes to versions: the carriers of the demo have trunks, its drafts of plans are thrown away whole.
IN_USE = {"carriers", "plan-versions"}


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
        for row in browser.get(f"/{listed}").json()["results"][:FEW_ROWS]:
            path = f"/{listed}{row.get('id', row.get('customer'))}/"
            tag = browser.get(path).get("ETag")
            if tag is not None:
                yield leaf, path, tag


@pytest.mark.parametrize("kind", walk.PLACES)
def test_a_write_by_a_version_that_was_overtaken_is_refused(world, kind, acme, northwind, operator, monkeypatch):
    place, role = {"customer": (acme, "admin"), "msp": (northwind, "owner"), "operator": (None, "")}[kind]
    browser = client_of(member(place, role) if place else operator, place)
    for path, body in ADDED.get(kind, {}).items():
        assert browser.post(path, body, content_type="application/json").status_code == 201
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
    unproven = {("delete", f"api/v1/{name}/<int:pk>/") for name in IN_USE}
    assert [found for found in wrong if "/plan-versions/" not in found[1]] == []
    assert tried - told == unproven & tried


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
