"""Tokens of the operator's console: made there, worth something only there, and seen from nowhere else."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants import services
from tenants.forms.token import AREAS
from tenants.models import ApiToken, User
from tenants.permissions import CAPABILITIES
from tenants.tests.clients import client_of, visitor

pytestmark = pytest.mark.django_db
BY = Actor(email="operator@strowger.example")


def token_of(user, *scopes, **place):
    token = ApiToken(user=user, name="set-up", expires_at=now() + timedelta(days=1), scopes=list(scopes), **place)
    return token, services.create_token(token, grantable=frozenset(scopes), by=BY)


def me(place, secret):
    cache.clear()
    return visitor(place).get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {secret}")


@pytest.fixture
def at_console(db):
    contexts.use_public()


def test_a_token_is_made_on_the_operators_page_used_and_revoked(operator):
    browser = client_of(operator, None)
    page = browser.get("/tokens/new/").content.decode()
    assert "SBC nodes: see and change" in page and "Routing" not in page
    made = browser.post("/tokens/new/", {"name": "Set-up", "days": "7", "scopes": ["nodes.change"]})
    secret, token = made.context["secret"], made.context["token"]

    answer = me(None, secret).json()

    assert (answer["place"], answer["roles"], answer["email"]) == ("operator", ["operator"], operator.email)
    assert answer["capabilities"] == ["api.use", "nodes.change", "nodes.view"]
    assert secret not in browser.get("/tokens/").content.decode()
    colleague = client_of(User.objects.create_user("otto@strowger.example", "x", is_operator=True), None)
    assert colleague.post(f"/tokens/{token.pk}/revoke/", {"confirmed": "1"}).status_code == 302
    assert me(None, secret).status_code == 401
    verbs = list(AuditEntry.objects.filter(verb__startswith="token.").order_by("at").values_list("verb", flat=True))
    assert verbs == ["token.created", "token.revoked"]


def test_a_program_makes_tokens_of_no_more_than_its_own(operator, at_console):
    _token, secret = token_of(operator, "tokens.change", "regions.view")
    cache.clear()
    program = visitor(None)
    program.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"

    more, longer, same = [
        program.post(
            "/api/v1/tokens/",
            {"name": "reader", "scopes": [scope], "expires_at": (now() + timedelta(hours=hours)).isoformat()},
            content_type="application/json",
        )
        for scope, hours in (("nodes.view", 1), ("regions.view", 25), ("regions.view", 23))
    ]

    assert (more.status_code, longer.status_code, same.status_code) == (400, 400, 201)
    assert list(longer.json()["errors"]) == ["expires_at"]
    assert me(None, same.json()["secret"]).json()["capabilities"] == ["api.use", "regions.view"]


def test_what_was_made_with_a_token_ends_with_it(acme, operator, alice):
    """Otherwise whoever stole a token would have another one by the time that it is revoked."""
    for user, place, scope in ((operator, None, "regions.view"), (alice, acme, "calls.view")):
        with contexts.customer(place) if place else contexts.public():
            token, stolen = token_of(user, "tokens.change", scope, tenant=place)
            _other, other = token_of(user, scope, tenant=place)
        facts = {"name": "mine", "scopes": [scope, "tokens.change"], "expires_at": token.expires_at.isoformat()}
        secrets = [stolen]
        for _ in range(2):
            made = visitor(place).post(
                "/api/v1/tokens/", facts, content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {secrets[-1]}"
            )
            secrets.append(made.json()["secret"])
        assert [me(place, secret).status_code for secret in secrets] == [200, 200, 200]

        assert client_of(user, place).post(f"/tokens/{token.pk}/revoke/", {"confirmed": "1"}).status_code == 302

        assert [me(place, secret).status_code for secret in (*secrets, other)] == [401, 401, 401, 200]
        with contexts.customer(place) if place else contexts.public():
            assert AuditEntry.objects.filter(verb="token.revoked").count() == 3
            with pytest.raises(ValidationError, match="was revoked"):
                services.create_token(
                    ApiToken(user=user, tenant=place, name="late", scopes=[scope], expires_at=token.expires_at),
                    grantable=frozenset({scope}), by=Actor(user_id=user.pk, token_id=token.pk),
                )  # fmt: skip


def test_a_token_opens_the_console_that_it_was_made_at_and_no_other_place(operator, nadia, acme, northwind):
    with contexts.msp(northwind):
        _token, of_msp = token_of(nadia, "customers.view", msp=northwind)
    with contexts.public():
        _token, of_operator = token_of(operator, "nodes.view")

    assert [me(place, of_operator).status_code for place in (None, northwind, acme)] == [200, 401, 401]
    assert [me(place, of_msp).status_code for place in (None, northwind, acme)] == [401, 200, 401]


def test_a_token_of_somebody_who_is_no_operator_any_more_is_worth_nothing(operator, at_console):
    _token, secret = token_of(operator, "nodes.view")
    for change in ({"is_operator": False}, {"is_operator": True, "is_active": False}):
        User.objects.filter(pk=operator.pk).update(**change)
        assert me(None, secret).status_code == 401


def test_the_database_shows_operators_tokens_to_the_console_alone(operator, acme, northwind):
    with contexts.public():
        token_of(operator, "nodes.view")
        assert ApiToken.objects.count() == 1
    for place in (contexts.customer(acme), contexts.msp(northwind), contexts.msp(northwind, acme), contexts.ingest()):
        with place:
            assert not ApiToken.objects.exists()
            assert not ApiToken.objects.update(revoked_at=None)
            with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
                ApiToken(user=operator, name="x", token_hash="x", expires_at=now()).save()


def test_the_console_sees_nobody_elses_tokens_and_makes_them_none(alice, acme, northwind):
    with contexts.customer(acme):
        token_of(alice, "team.view", tenant=acme)
    with contexts.public():
        assert not ApiToken.objects.exists()
        for place in ({"tenant": acme}, {"msp": northwind}):
            with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
                ApiToken(user=alice, name="x", token_hash="x", expires_at=now(), **place).save()


def test_what_has_ended_cannot_be_taken_out(operator, at_console):
    token, _secret = token_of(operator, "nodes.view")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tenants_apitoken WHERE id = %s", [token.pk])
        assert cursor.rowcount == 0


def test_every_thing_that_a_token_may_do_has_words():
    assert {name.partition(".")[0] for name in CAPABILITIES} - {"api"} <= AREAS.keys()
