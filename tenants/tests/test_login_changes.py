"""Who changes how somebody logs in leaves a trace: a stolen session's first step is a password of its own."""

import re

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.core.cache import cache

from conftest import PASSWORD
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants import mail as brand_mail
from tenants.tests.clients import visitor

pytestmark = pytest.mark.django_db
NEW = "a whole new phrase"


@pytest.fixture(autouse=True)
def _no_limits():
    cache.clear()
    yield
    cache.clear()


def code_of(secret):
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def told_of(place, user):
    with contexts.customer(place):
        found = AuditEntry.objects.filter(user_id=user.pk, verb__startswith="login.").order_by("at")
        assert {entry.ip for entry in found} == {"127.0.0.1"}
        return list(found.values_list("verb", flat=True))


def test_a_new_password_and_the_second_step_stand_in_the_log_of_the_place(
    acme, globex, alice, django_capture_on_commit_callbacks
):
    browser = visitor(acme)
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    browser.post(browser.get("/account/2fa/totp/activate/")["Location"], {"password": PASSWORD})
    browser.get("/account/2fa/totp/activate/")
    secret = browser.session["mfa.totp.secret"]
    with django_capture_on_commit_callbacks(execute=True):
        browser.post("/account/2fa/totp/activate/", {"code": code_of(secret)})
    with django_capture_on_commit_callbacks(execute=True):
        browser.post("/account/2fa/recovery-codes/generate/")
    browser.post("/account/2fa/totp/deactivate/")
    browser.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})

    assert told_of(acme, alice) == [
        "login.succeeded", "login.second_step_set_up", "login.recovery_codes_generated", "login.second_step_removed",
        "login.password_changed",
    ]  # fmt: skip
    with contexts.customer(globex):
        assert not AuditEntry.objects.filter(user_id=alice.pk).exists()


def test_a_forgotten_password_that_was_set_anew_stands_there_too(acme, alice, monkeypatch):
    sent, aside = [], brand_mail.send_aside
    monkeypatch.setattr(brand_mail, "send_aside", lambda *args, **facts: sent.append(aside(*args, **facts)))
    visitor(acme).post("/account/password/reset/", {"email": alice.email})
    assert sent[0].result(10)
    browser = visitor(acme)
    form = browser.get(re.search(r"localhost(/account/\S+)", mail.outbox[0].body)[1], follow=True)
    browser.post(form.request["PATH_INFO"], {"password1": NEW, "password2": NEW})

    assert told_of(acme, alice) == ["login.password_reset"]


def test_a_wrong_code_of_the_second_step_stands_there_too(acme, alice):
    """Whoever types it knows the password."""
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    browser = visitor(acme)
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})

    for _ in range(7):  # the last two are not looked at
        browser.post("/account/2fa/authenticate/", {"code": "no code"})
    assert told_of(acme, alice) == ["login.second_step_failed"] * 5

    cache.clear()
    browser.post("/account/2fa/authenticate/", {"code": code_of(secret)})
    assert told_of(acme, alice)[5:] == ["login.succeeded"]
