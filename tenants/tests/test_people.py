"""Log-in, invitations, roles, tokens, acting: who gets in, as whom, and for how long."""

import re
from datetime import timedelta
from queue import Queue
from threading import Event

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils import timezone

from conftest import PASSWORD
from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants import mail as brand_mail
from tenants import services
from tenants.adapters import Backend
from tenants.forms.people import may_do
from tenants.identity import hash_secret, roles_in
from tenants.models import CUSTOMER_ROLES, MSP_ROLES, Acting, ApiToken, Invitation, Membership, Msp, User
from tenants.services.people import MOST_TO_ONE
from tenants.tests.clients import client_of, visitor

pytestmark = pytest.mark.django_db
BY = Actor(email="nadia@northwind.example")


@pytest.fixture(autouse=True)
def _no_limits():
    cache.clear()
    yield
    cache.clear()


def log_in(place, email, password=PASSWORD):
    browser = visitor(place)
    return browser, browser.post("/account/login/", {"login": email, "password": password})


def test_people_log_in_where_they_belong(acme, northwind, alice, nadia, operator):
    for place, user in ((acme, alice), (northwind, nadia), (None, operator)):
        browser, answer = log_in(place, user.email)
        assert answer.status_code == 302, user
        assert browser.session["host"] == browser.defaults["SERVER_NAME"]


def test_elsewhere_the_right_password_is_answered_like_a_wrong_one(acme, globex, northwind, alice, nadia, operator):
    wrong = log_in(acme, "alice@acme.example", "wrong")[1]
    words = re.findall(r"<li>([^<]*do not belong together[^<]*)</li>", wrong.content.decode())
    assert words
    for place, user in ((globex, alice), (northwind, alice), (None, alice), (acme, nadia), (acme, operator)):
        answer = log_in(place, user.email)[1]
        assert answer.status_code == 200
        assert words == re.findall(r"<li>([^<]*do not belong together[^<]*)</li>", answer.content.decode())


def test_guessing_is_stopped(acme, alice):
    for _ in range(6):
        log_in(acme, alice.email, "wrong")
    answer = log_in(acme, alice.email)[1]
    assert answer.status_code in (200, 429)
    with contexts.customer(acme):
        assert AuditEntry.objects.filter(verb="login.failed", email=alice.email).count() >= 5


def test_nobody_signs_up_and_no_page_of_a_library_is_open_by_accident(acme, alice):
    browser = client_of(alice, acme)
    for path in ("signup/", "email/", "confirm-email/", "password/set/", "2fa/webauthn/", "login/code/confirm/"):
        assert browser.get(f"/account/{path}").status_code == 404, path


def test_a_forgotten_password_is_reset_by_mail_only_where_the_person_belongs(acme, globex, alice, monkeypatch):
    sent, aside = [], brand_mail.send_aside
    monkeypatch.setattr(brand_mail, "send_aside", lambda *args, **facts: sent.append(aside(*args, **facts)))
    for place, mails in ((globex, 0), (acme, 1)):
        answer = visitor(place).post("/account/password/reset/", {"email": alice.email})
        assert answer.status_code == 302
        assert [each.result(10) for each in sent] == [True] * mails == [True] * len(mail.outbox)
    assert mail.outbox[0].subject and "Northwind" in mail.outbox[0].from_email
    link = re.search(r"http://acme\.northwind\.localhost(\S+)", mail.outbox[0].body)[1]
    browser = visitor(acme)
    form = browser.get(link, follow=True)
    answer = browser.post(
        form.request["PATH_INFO"], {"password1": "a whole new phrase", "password2": "a whole new phrase"}
    )
    assert answer.status_code == 302
    assert log_in(acme, alice.email, "a whole new phrase")[1].status_code == 302


def test_whether_an_address_is_known_does_not_show_in_how_long_the_answer_takes(acme, alice, monkeypatch):
    """A mail server takes its time, and only for those who have an account here."""
    goes, told = Event(), Queue()
    monkeypatch.setattr(brand_mail, "send", lambda *_args, **_facts: told.put(goes.wait(10)))
    assert visitor(acme).post("/account/password/reset/", {"email": alice.email}).status_code == 302
    assert told.empty()
    goes.set()
    assert told.get(timeout=10) is True


def test_the_second_step_can_be_set_up_whoever_has_asked_for_a_new_password(acme, alice):
    visitor(acme).post("/account/password/reset/", {"email": alice.email})

    browser, _answer = log_in(acme, alice.email)
    page = "/account/2fa/totp/activate/"
    asked = browser.get(page)["Location"]

    assert browser.post(asked, {"password": PASSWORD})["Location"] == page
    assert browser.get(page).status_code == 200


def test_the_second_step_is_asked_for(acme, alice):
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    browser, answer = log_in(acme, alice.email)
    assert answer["Location"] == "/account/2fa/authenticate/"
    assert browser.get("/team/").status_code == 302


def test_an_invitation_works_once_and_only_at_its_host(acme, globex, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        services.invite("New@Acme.example", role="viewer", msp=None, tenant=acme, by=BY)
    path = re.search(r"(/invitations/\S+/)", mail.outbox[0].body)[1]
    facts = {"name": "Nell New", "password": "a long enough phrase"}

    assert visitor(globex).get(path).status_code == 410
    assert visitor(acme).get(path).status_code == 200
    assert visitor(acme).post(path, {"name": "Nell", "password": "short"}).status_code == 200
    assert visitor(acme).post(path, facts)["Location"] == "/account/login/"
    assert visitor(acme).post(path, facts).status_code == 410
    assert log_in(acme, "new@acme.example", facts["password"])[1].status_code == 302
    assert client_of(User.objects.get(email="new@acme.example"), acme).get("/team/").status_code == 403
    assert Invitation.objects.get().token_hash not in path


def test_who_invites_reads_what_each_role_may_do(acme, northwind, alice, nadia):
    for browser, least, roles in (
        (client_of(alice, acme), "viewer", CUSTOMER_ROLES),
        (client_of(nadia, northwind), "support", MSP_ROLES),
    ):
        form, team = browser.get("/team/invite/").context["form"], browser.get("/team/").content.decode()
        assert form["role"].value() == least
        for role in roles:
            assert may_do(role) in str(form["role"]) and may_do(role) in team


def test_an_old_or_revoked_invitation_is_refused(acme, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        invitation = services.invite("new@acme.example", role="viewer", msp=None, tenant=acme, by=BY)
    secret = re.search(r"/invitations/(\S+)/", mail.outbox[0].body)[1]
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(services.InvitationRefused):
        services.peek_invitation(secret, msp=None, tenant=acme)
    Invitation.objects.update(expires_at=timezone.now() + timedelta(days=1))
    services.revoke_invitation(invitation, by=BY)
    with pytest.raises(services.InvitationRefused):
        services.peek_invitation(secret, msp=None, tenant=acme)


def test_nobodys_post_is_flooded_with_invitations(acme, globex):
    for _ in range(MOST_TO_ONE):
        services.invite("new@acme.example", role="viewer", msp=None, tenant=acme, by=BY)
    with pytest.raises(ValidationError, match="too many"):
        services.invite("new@acme.example", role="viewer", msp=None, tenant=acme, by=BY)
    services.invite("other@acme.example", role="viewer", msp=None, tenant=acme, by=BY)
    Invitation.objects.update(created_at=timezone.now() - timedelta(hours=2))
    services.invite("new@acme.example", role="viewer", msp=None, tenant=acme, by=BY)


def test_a_team_keeps_somebody_who_may_manage_it(acme, alice, victor):
    admin = Membership.objects.get(user=alice)
    with pytest.raises(ValidationError):
        services.remove_member(admin, by=BY)
    with pytest.raises(ValidationError):
        services.change_role(admin, "viewer", by=BY)
    services.change_role(Membership.objects.get(user=victor), "admin", by=BY)
    services.remove_member(admin, by=BY)


def test_who_is_removed_is_out_with_the_next_request(acme, victor):
    browser = client_of(victor, acme)
    assert browser.get("/tokens/").status_code == 200
    services.remove_member(Membership.objects.get(user=victor), by=BY)
    assert browser.get("/tokens/").status_code == 302


def test_whom_a_session_names_comes_with_their_role_here_and_no_other(acme, globex, alice, django_assert_num_queries):
    with contexts.customer(globex):
        membership = Membership.objects.create(user=alice, tenant=globex, role="viewer")
    for place, role in ((acme, "admin"), (globex, "viewer")):
        with contexts.customer(place), django_assert_num_queries(1):
            user = Backend().get_user(alice.pk)
            assert roles_in(user, "customer", place.msp, place) == {role}
    with contexts.customer(acme):
        assert roles_in(user, "customer", acme.msp, acme) == {"admin"}, "what was read elsewhere says nothing here"
        assert not roles_in(user, "msp", acme.msp, None)
        assert not roles_in(user, "customer", None, None)
    with contexts.customer(globex):
        membership.delete()
        assert not roles_in(Backend().get_user(alice.pk), "customer", globex.msp, globex)
    with contexts.public():
        assert Backend().get_user(alice.pk).membership_here is None


def test_a_user_who_was_shut_out_is_named_by_no_session(acme, alice):
    browser = client_of(alice, acme)
    assert browser.get("/").status_code == 200
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert browser.get("/").status_code == 302


def test_a_suspended_msp_is_locked_out_and_its_customers_are_not(northwind, acme, nadia, alice):
    office, portal = client_of(nadia, northwind), client_of(alice, acme)
    services.suspend_msp(northwind, reason="unpaid", by=BY)
    assert office.get("/customers/").status_code == 302
    assert portal.get("/team/").status_code == 200
    services.resume_msp(Msp.objects.get(pk=northwind.pk), by=BY)
    assert client_of(nadia, northwind).get("/customers/").status_code == 200


def token_for(user, place, *scopes, **facts):
    token = ApiToken(user=user, tenant=place, name="report", expires_at=timezone.now() + timedelta(days=1), **facts)
    token.scopes = list(scopes)
    return token, services.create_token(token, grantable=frozenset(scopes), by=BY)


def test_a_token_is_a_hash_and_never_more_than_its_maker(acme, globex, victor, alice):
    token, secret = token_for(victor, acme, "api.use", "team.view", "team.change")
    token.refresh_from_db()
    assert token.token_hash == hash_secret(secret) and secret not in (token.hint, token.token_hash)
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
    assert visitor(acme).get("/api/v1/me/", **bearer).status_code == 200
    assert visitor(acme).get("/api/v1/team/", **bearer).status_code == 403  # a viewer sees no team
    assert visitor(globex).get("/api/v1/me/", **bearer).status_code == 401
    services.revoke_token(token, by=BY)
    assert visitor(acme).get("/api/v1/me/", **bearer).status_code == 401


def test_a_scope_narrows_a_token(acme, alice):
    _token, secret = token_for(alice, acme, "api.use", "team.view")
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
    assert visitor(acme).get("/api/v1/team/", **bearer).status_code == 200
    assert visitor(acme).get("/api/v1/audit/", **bearer).status_code == 403
    with pytest.raises(ValidationError):
        services.create_token(ApiToken(user=alice, tenant=acme, name="x", scopes=["nodes.change"],
                                       expires_at=timezone.now() + timedelta(days=1)),
                              grantable=frozenset({"team.view"}), by=BY)  # fmt: skip


def act(northwind, acme, nadia):
    with contexts.msp(northwind):
        return services.start_acting(acme, user=nadia, reason="Ticket 4711", by=BY)


def test_acting_opens_a_stay_of_its_own_under_the_actors_name(northwind, acme, nadia):
    _acting, secret = act(northwind, acme, nadia)
    browser = visitor(acme)
    assert browser.get(f"/acting/enter/?token={secret}")["Location"] == "/"
    page = browser.get("/team/").content.decode()
    assert "Ticket 4711" in page
    assert browser.get("/audit/").status_code == 200
    entry = AuditEntry.objects.get(verb="acting.entered")
    assert (entry.email, entry.acting_for, entry.reason) == ("nadia@northwind.example", "Acme", "Ticket 4711")
    assert 3500 < browser.session.get_expiry_age() <= 3600

    # No hand that outlasts the stay: no tokens, no invitations, no password.
    for path in ("/tokens/new/", "/team/invite/", "/account/password/change/", "/profile/"):
        assert browser.get(path).status_code == 403, path
    answer = browser.post("/acting/stop/")
    assert answer.context["url"] == f"http://northwind.localhost:8000/customers/{acme.pk}/"
    assert browser.get("/team/").status_code == 302


def test_the_token_of_acting_is_single_use_short_lived_and_of_one_host(northwind, acme, globex, nadia):
    acting, secret = act(northwind, acme, nadia)
    assert visitor(globex).get(f"/acting/enter/?token={secret}").status_code == 403
    assert visitor(acme).get("/acting/enter/?token=").status_code == 403
    assert visitor(acme).get(f"/acting/enter/?token={secret}").status_code == 302
    assert visitor(acme).get(f"/acting/enter/?token={secret}").status_code == 403

    acting, secret = act(northwind, acme, nadia)
    Acting.objects.filter(pk=acting.pk).update(token_expires_at=timezone.now() - timedelta(seconds=1))
    assert visitor(acme).get(f"/acting/enter/?token={secret}").status_code == 403


def test_a_stay_ends_by_time_and_with_the_role(northwind, acme, nadia):
    acting, _secret = act(northwind, acme, nadia)
    browser = client_of(nadia, acme, acting=acting)
    assert browser.get("/team/").status_code == 200
    Acting.objects.filter(pk=acting.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert browser.get("/team/").status_code == 302

    acting, secret = act(northwind, acme, nadia)
    browser = client_of(nadia, acme, acting=acting)
    with contexts.msp(northwind):
        other = User.objects.create_user("olaf@northwind.example", PASSWORD)
        Membership(user=other, msp=northwind, role="owner").save()
        services.remove_member(Membership.objects.get(user=nadia, msp=northwind), by=BY)
    assert browser.get("/team/").status_code == 302
    assert visitor(acme).get(f"/acting/enter/?token={secret}").status_code == 403


def demote(northwind, nadia):
    with contexts.msp(northwind):
        Membership.objects.filter(user=nadia).update(role="billing")


def suspend(northwind, nadia):
    services.suspend_msp(northwind, reason="unpaid", by=BY)


@pytest.mark.parametrize("loss", [demote, suspend])
def test_a_stay_ends_with_the_right_to_it(northwind, acme, nadia, loss):
    acting, _used = act(northwind, acme, nadia)
    _waiting, secret = act(northwind, acme, nadia)
    browser = client_of(nadia, acme, acting=acting)
    assert browser.get("/team/").status_code == 200

    loss(northwind, nadia)

    assert browser.get("/team/").status_code == 302
    assert visitor(acme).get(f"/acting/enter/?token={secret}").status_code == 403


def test_the_way_to_the_customer_is_no_redirect_that_a_browser_would_block(northwind, acme, nadia):
    answer = client_of(nadia, northwind).post(f"/customers/{acme.pk}/act/", {"reason": "Ticket 4711"})
    assert answer.status_code == 200
    url = answer.context["url"]
    assert url.startswith("http://acme.northwind.localhost:8000/acting/enter/?token=")
    assert visitor(acme).get(url.partition(":8000")[2])["Location"] == "/"


@pytest.mark.parametrize("scope", ["customers.act", "customers.*"])
def test_a_program_never_acts_as_a_customer(northwind, acme, nadia, scope):
    """The session behind it would know neither the token's scopes nor its term."""
    token = ApiToken(user=nadia, msp=northwind, name="report", scopes=["customers.view"],
                     expires_at=timezone.now() + timedelta(days=1))  # fmt: skip
    with contexts.msp(northwind):
        secret = services.create_token(token, grantable=frozenset({"customers.view"}), by=BY)
        ApiToken.objects.filter(pk=token.pk).update(scopes=[scope, "customers.view"])  # one of earlier times

    program = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
    answer = visitor(northwind).post(f"/customers/{acme.pk}/act/", {"reason": "Ticket 4711"}, **program)

    assert answer.status_code == 403
    assert not Acting.objects.exists()
    assert visitor(northwind).get(f"/customers/{acme.pk}/", **program).status_code == 200
    offered = client_of(nadia, northwind).get("/tokens/new/").context["form"].fields["scopes"].choices
    assert "customers.view" in dict(offered) and "customers.act" not in dict(offered)


def test_billing_staff_and_short_reasons_do_not_act(northwind, acme, nadia):
    with contexts.msp(northwind), pytest.raises(ValidationError):
        services.start_acting(acme, user=nadia, reason=" x ", by=BY)
    with contexts.msp(northwind):
        Membership.objects.filter(user=nadia).update(role="billing")
    assert (
        client_of(nadia, northwind).post(f"/customers/{acme.pk}/act/", {"reason": "a good reason"}).status_code == 403
    )


def test_people_of_a_closing_customer_look_and_change_nothing(northwind, acme, alice):
    browser = client_of(alice, acme)
    with contexts.msp(northwind):
        services.close_customer(acme, typed_name="Acme", reason="left", by=BY)
    assert browser.get("/team/").status_code == 200
    assert browser.get("/team/invite/").status_code == 403


def test_the_audit_log_says_what_a_profile_was_before(acme, alice):
    client_of(alice, acme).post(
        "/profile/", {"name": "Alice Roe", "language": "en", "time_zone": "Europe/Berlin", "theme": "dark"}
    )

    entry = AuditEntry.objects.get(verb="profile.changed")
    assert (entry.before["name"], entry.after["name"]) == ("Alice", "Alice Roe")
