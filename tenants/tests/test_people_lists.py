"""The lists of the team and of API tokens: what they find, whom they let do what, and what leaves with an export."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from portal.ui.export import BYTE_ORDER_MARK
from tenants import services
from tenants.models import ApiToken, Membership, User
from tenants.tests.clients import client_of

pytestmark = pytest.mark.django_db
BY = Actor(email="nadia@northwind.example")
NOW = now()


def join(place, email, role="viewer", *, seen=None, **facts):
    user = User.objects.create_user(email, "x", **facts)
    Membership.objects.create(user=user, tenant=place, role=role)
    if seen:
        log_in(user, place, seen)
    return user


def log_in(user, place, at):
    AuditEntry(verb="login.succeeded", user_id=user.pk, tenant_id=place.pk, msp_id=place.msp_id, at=at).save()


def token_of(user, name, acme):
    token = ApiToken(user=user, name=name, tenant=acme, expires_at=NOW + timedelta(days=1), scopes=["api.use"])
    return token, services.create_token(token, grantable=frozenset({"api.use"}), by=BY)


def rows(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode().removeprefix(BYTE_ORDER_MARK))))


@pytest.fixture
def team(acme, alice, victor):
    """Alice and Victor, who have names, and Zoe and Bob, of whom one has."""
    join(acme, "aaron@acme.example", "voice_manager", name="zoe", seen=NOW)
    join(acme, "bob@acme.example", seen=NOW - timedelta(days=1))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["aaron", "alice", "bob", "victor"]),
        ("q=ZOE", ["aaron"]),
        ("q=bob@acme", ["bob"]),
        ("role=viewer", ["bob", "victor"]),
        ("role=owner", ["aaron", "alice", "bob", "victor"]),  # a role of MSPs
        ("sort=person", ["alice", "bob", "victor", "aaron"]),
        ("sort=-user__email", ["victor", "bob", "alice", "aaron"]),
        ("sort=-last_login&role=viewer", ["bob", "victor"]),
    ],
)
def test_people_are_found_by_name_address_and_role(acme, alice, victor, team, query, found):
    export = rows(client_of(alice, acme).get(f"/team/?{query}&export=csv"))
    assert [row["E-mail address"].partition("@")[0] for row in export] == found


def test_a_team_goes_home_as_it_reads(acme, alice, team):
    last = rows(client_of(alice, acme).get("/team/?q=zoe&export=csv"))
    assert last == [
        {"Name": "zoe", "E-mail address": "aaron@acme.example", "Role": "Voice manager", "Last log-in": NOW.isoformat()}
    ]


def test_a_team_reads_when_somebody_logged_in_here_and_not_when_elsewhere(acme, globex, northwind, mallory, nadia):
    """Who helps two companies: neither learns when he is with the other."""
    here, there = NOW - timedelta(days=3), NOW - timedelta(hours=1)
    helper = join(acme, "helper@example.com", seen=here, last_login=there)
    with contexts.customer(globex):
        Membership.objects.create(user=helper, tenant=globex, role="viewer")

    def told(place):
        with contexts.msp(northwind):
            page = client_of(nadia, northwind).get(f"/customers/{place.pk}/")
        return next(member.last_login for member in page.context["members"] if member.user == helper)

    assert (told(acme), told(globex)) == (here, None)
    team = rows(client_of(mallory, globex).get("/team/?q=helper&export=csv"))
    assert [row["Last log-in"] for row in team] == [""]


def test_who_may_change_the_team_does_so_in_its_rows_and_others_read_them(acme, alice, team):
    manager = User.objects.get(email="aaron@acme.example")
    member = Membership.objects.get(user=manager)

    own, other = [client_of(user, acme).get("/team/").content.decode() for user in (alice, manager)]

    assert [page.count('<small class="none">you</small>') for page in (own, other)] == [1, 1]
    form = own.partition(f'action="/team/{member.pk}/role/"')[2].partition("</form>")[0]
    assert "csrfmiddlewaretoken" in form and '<option value="voice_manager" selected>' in form
    assert f"/team/{member.pk}/remove/" in own
    assert "/role/" not in other and "/remove/" not in other and "Voice manager" in other


def test_who_is_searched_for_everywhere_is_found_in_the_team_alone(acme, alice, team):
    browser, url = client_of(alice, acme), "/team/?q=aaron%40acme.example"
    assert f'href="{url}"' in browser.get("/search/?q=zoe").content.decode()
    assert browser.get(url).context["list"].count == 1


def test_neither_list_asks_more_often_for_more_rows(acme, alice, team):
    browser, asked = client_of(alice, acme), []
    for round_ in range(2):
        for n in range(1 + 5 * round_):
            token_of(join(acme, f"more{round_}{n}@acme.example"), "report", acme)
        for path in ("/team/", "/tokens/"):
            browser.get(path)
            with CaptureQueriesContext(connection) as queries:
                browser.get(path)
            asked.append(len(queries))
    assert asked[:2] == asked[2:]


@pytest.fixture
def tokens(acme, alice, victor):
    """One token in each state, the youngest last; returns the secrets."""
    made = [token_of(alice, "Nightly report", acme), token_of(victor, "Old", acme), token_of(victor, "Lost", acme)]
    ApiToken.objects.filter(name="Old").update(expires_at=NOW - timedelta(days=1))
    services.revoke_token(made[-1][0], by=BY)
    return [secret for _token, secret in made]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Lost", "Old", "Nightly report"]),
        ("q=report", ["Nightly report"]),
        ("q=VICTOR", ["Lost", "Old"]),
        ("q=acme.example", []),  # of makers only what is shown is found
        ("state=active", ["Nightly report"]),
        ("state=expired", ["Old"]),
        ("state=revoked", ["Lost"]),
        ("state=rubbish", ["Lost", "Old", "Nightly report"]),
        ("sort=person", ["Nightly report", "Old", "Lost"]),
        ("sort=expires_at", ["Old", "Nightly report", "Lost"]),
    ],
)
def test_tokens_are_found_by_name_maker_and_state(acme, alice, tokens, query, found):
    export = rows(client_of(alice, acme).get(f"/tokens/?{query}&export=csv"))
    assert [row["Name"] for row in export] == found


def test_a_token_is_found_by_how_it_begins_and_no_secret_leaves_with_the_export(acme, alice, tokens):
    answer = client_of(alice, acme).get("/tokens/", {"q": tokens[0][:8], "export": "csv"})
    row = rows(answer)[0]
    assert (row["State"], row["Begins with"], row["Made by"]) == ("Active", tokens[0][:8], alice.name)
    assert (row["May do"], row["Last used"], row["Ends"]) == ("api.use", "", (NOW + timedelta(days=1)).isoformat())
    token = ApiToken.objects.get(name="Nightly report")
    assert tokens[0] not in answer.content.decode() and token.token_hash not in answer.content.decode()


def test_a_row_offers_to_end_a_living_token_to_its_maker_and_to_who_manages_the_team(acme, alice, victor, tokens):
    token_of(victor, "Own", acme)
    for user, living in ((alice, {"Nightly report", "Own"}), (victor, {"Own"})):
        page = client_of(user, acme).get("/tokens/").content.decode()
        assert {t.name for t in ApiToken.objects.all() if f"/tokens/{t.pk}/revoke/" in page} == living, user


def test_who_may_not_end_the_tokens_of_others_sees_his_own_only(acme, alice, victor, tokens):
    exports = [client_of(user, acme).get("/tokens/?export=csv") for user in (alice, victor)]

    assert [{row["Name"] for row in rows(each)} for each in exports] == [
        {"Nightly report", "Old", "Lost"},
        {"Old", "Lost"},
    ]


def test_who_has_no_tokens_reads_what_one_could_be(acme, northwind, nadia, operator):
    with contexts.msp(northwind):
        acting, _secret = services.start_acting(acme, user=nadia, reason="a look", by=BY)
    for place, user, stay, may in (
        (northwind, nadia, None, True),
        (None, operator, None, True),
        (acme, nadia, acting, False),
    ):
        page = client_of(user, place, acting=stay).get("/tokens/").content.decode()
        assert "Nightly report" in page and ("/tokens/new/" in page) is may
