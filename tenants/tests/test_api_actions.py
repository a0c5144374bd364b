"""What pages of tenancy do, done by programs: the same services, refusals and audit entries."""

import json
from base64 import b64encode

import pytest
from django.core import mail
from django.core.cache import cache

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants import services
from tenants.models import ApiToken, Brand, Invitation
from tenants.tests.clients import client_of, visitor
from tenants.tests.test_brand import LOGO
from tenants.tests.test_people import token_for

pytestmark = pytest.mark.django_db
BY = Actor(email="nadia@northwind.example")


@pytest.fixture
def office(northwind, nadia):
    cache.clear()
    return client_of(nadia, northwind)


@pytest.fixture
def console(operator):
    cache.clear()
    return client_of(operator, None)


def send(browser, method, path, data=None, **headers):
    return getattr(browser, method)(path, data=json.dumps(data or {}), content_type="application/json", **headers)


def verbs(prefix):
    return list(AuditEntry.objects.filter(verb__startswith=prefix).order_by("at").values_list("verb", flat=True))


def test_the_operator_suspends_and_resumes_an_msp(console, northwind, nadia):
    path = f"/api/v1/msps/{northwind.pk}/"

    refused = send(console, "post", f"{path}suspend/")
    states = [send(console, "post", path + act, data).json()["state"]
              for act, data in (("suspend/", {"reason": "unpaid"}), ("resume/", {}))]  # fmt: skip

    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["reason"])
    assert states == ["suspended", "active"]
    with contexts.msp(northwind):
        assert verbs("msp.") == ["msp.suspended", "msp.active"]
        assert AuditEntry.objects.get(verb="msp.suspended").reason == "unpaid"


def test_owners_and_customers_administrators_are_invited(
    console, office, northwind, acme, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        owner = send(console, "post", f"/api/v1/msps/{northwind.pk}/invite-owner/", {"email": "ada@northwind.example"})
        admin = send(office, "post", f"/api/v1/customers/{acme.pk}/invite/", {"email": "a@a.example", "role": "admin"})
    wrong = send(office, "post", f"/api/v1/customers/{acme.pk}/invite/", {"email": "b@b.example", "role": "owner"})

    assert (owner.status_code, admin.status_code) == (202, 202)
    assert [one.to for one in mail.outbox] == [["ada@northwind.example"], ["a@a.example"]]
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["role"])


def test_an_open_invitation_is_sent_again_and_taken_back(office, northwind, acme, globex, mallory):
    with contexts.msp(northwind):
        services.invite("ada@northwind.example", role="engineer", msp=northwind, tenant=None, by=BY)
        services.invite("a@acme.example", role="viewer", msp=None, tenant=acme, by=BY)
    (first,) = office.get("/api/v1/invitations/").json()["results"]

    again = send(office, "post", f"/api/v1/invitations/{first['id']}/send-again/").json()
    gone = [office.delete(f"/api/v1/invitations/{one['id']}/").status_code for one in (first, again)]

    assert (again["email"], again["role"], gone) == ("ada@northwind.example", "engineer", [404, 204])
    assert office.get("/api/v1/invitations/").json()["results"] == []
    with contexts.msp(northwind):
        assert verbs("team.invitation_revoked") == ["team.invitation_revoked"]
        (left,) = Invitation.objects.filter(revoked_at=None)
    assert client_of(mallory, globex).delete(f"/api/v1/invitations/{left.pk}/").status_code == 404
    assert send(office, "post", "/api/v1/invitations/").status_code == 405


def test_a_brand_is_changed_with_and_without_its_logo(office, northwind):
    (brand,) = office.get("/api/v1/brand/").json()["results"]
    path, logo = f"/api/v1/brand/{brand['id']}/", b64encode(LOGO).decode()

    shown = send(office, "patch", path, {"logo": logo}, HTTP_IF_MATCH='"1"')
    kept = send(office, "patch", path, {"accent": "#AA3300"}).json()
    late = send(office, "patch", path, {"name": "Other"}, HTTP_IF_MATCH='"1"')
    bare = send(office, "patch", path, {"logo": None}).json()

    assert (shown.status_code, shown["ETag"]) == (200, '"2"'), shown.content
    assert (kept["has_logo"], kept["accent"], bare["has_logo"]) == (True, "#aa3300", False)
    assert late.status_code == 412
    for wrong in ({"logo": "%%"}, {"logo": b64encode(b"<svg/>").decode()}, {"accent": "red"}):
        assert send(office, "patch", path, wrong).status_code == 400
    assert Brand.objects.get(msp=northwind).name == "Northwind"
    with contexts.msp(northwind):
        assert verbs("brand.") == ["brand.saved"] * 3


def test_who_manages_a_team_ends_other_peoples_tokens(acme, alice, victor):
    _token, secret = token_for(victor, acme, "api.use", "team.view")
    token = ApiToken.objects.get()
    manager, viewer = client_of(alice, acme), client_of(victor, acme)
    _mine, _secret = token_for(alice, acme, "api.use")

    assert len(manager.get("/api/v1/tokens/").json()["results"]) == 2
    assert [one["id"] for one in viewer.get("/api/v1/tokens/").json()["results"]] == [token.pk]
    assert manager.delete(f"/api/v1/tokens/{token.pk}/").status_code == 204
    assert visitor(acme).get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {secret}").status_code == 401
