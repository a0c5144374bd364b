"""Pages of nodes, rollout, health and the homes: each opens for its readers, and says what is the matter."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.db import contexts
from sbc import ingest, protocol, services
from sbc.models import Alarm, Deployment, Node, Spool
from sbc.services import nodes
from sbc.services.alarms import raise_alarm
from sbc.tests.fake_node import record
from tenants.models import Customer, Region
from voice.calls.models import Cdr, Rollup
from voice.calls.views import next_step

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")
HOSTILE = "<script>alert(1)</script>\"'>"


@pytest.fixture
def node(region: Region, acme: Customer) -> Node:
    """A node that runs everything and has sent three calls, one of them hostile."""
    with contexts.public():
        node = services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[0]
        services.compile_revisions()
        spool = str(uuid.uuid4())
        hello = protocol.Hello(node="x", boot="b", spool=spool, software="t 1", held={}, next_sequence=1)
        nodes.welcome(node, hello)
        while batch := services.revisions_for(node):
            for each in batch:
                services.acked(
                    node, protocol.Ack(scope=each.scope, version=each.version, nonce=each.nonce, took_ms=2.0)
                )
        failed: dict[str, Any] = {"answered": None, "code": 486, "reason": HOSTILE, "ringing": None}
        attempt = {"trunk": "g1", "sent": 0, "ended": None, "code": 503, "reason": HOSTILE}
        items = [
            record(1, acme.pk),
            record(2, acme.pk, user_agent=HOSTILE, caller=HOSTILE, call_id=HOSTILE, **failed),
            record(3, acme.pk, end_unknown=True, ended=None, last_seen=None, attempts=[attempt]),
        ]
        ingest.take_records(node, uuid.UUID(spool), protocol.Records(first=1, items=items))
    contexts.use_customer(acme)
    return node


def deployments() -> list[Deployment]:
    with contexts.ingest():
        return list(Deployment.objects.all())


CUSTOMER_PAGES = ["home", "calls:list", "calls:live", "rollout:list"]


@pytest.mark.parametrize("name", CUSTOMER_PAGES)
def test_a_customer_opens_its_pages(client_of: Any, victor: Any, acme: Customer, node: Node, name: str) -> None:
    answer = client_of(victor, acme).get(reverse(name, urlconf="portal.urls_customer"))
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


@pytest.mark.parametrize("name", CUSTOMER_PAGES)
def test_an_msp_opens_its_pages(client_of: Any, nadia: Any, northwind: Any, node: Node, name: str) -> None:
    answer = client_of(nadia, northwind).get(reverse(name, urlconf="portal.urls_msp"))
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


def sentence_of(browser: Any) -> str:
    page = browser.get("/").content.decode()
    return page.partition('class="home-sentence')[2].partition("</div>")[0]


def test_the_sentence_above_all_tells_whether_any_sbc_is_there(
    client_of: Any, alice: Any, acme: Customer, nadia: Any, northwind: Any, operator: Any
) -> None:
    for browser in (client_of(alice, acme), client_of(nadia, northwind), client_of(operator)):
        said = sentence_of(browser)
        assert "No SBC yet." in said and "No call is possible" in said and "All good" not in said


def test_the_sentence_above_all_says_what_an_sbc_that_is_away_means(
    client_of: Any, alice: Any, acme: Customer, nadia: Any, northwind: Any, node: Node
) -> None:
    browsers = client_of(alice, acme), client_of(nadia, northwind)
    nodes.take_line(node, "line-1", instead_of="")
    assert "All good." in sentence_of(browsers[1])
    assert "Not ready for calls yet." in sentence_of(browsers[0])  # Acme has no numbers
    nodes.leave_line(node, "line-1")

    for browser in browsers:
        said = sentence_of(browser)
        assert "No SBC answers the portal." in said and "Calls go on as configured" in said
        assert "call now" not in said


def test_an_msp_sees_each_customers_last_hour_as_a_line_and_in_words(
    client_of: Any, nadia: Any, northwind: Any, acme: Customer
) -> None:
    minutes = (now() - timedelta(minutes=3), now() - timedelta(minutes=9))
    with contexts.ingest():
        for at, attempts in zip(minutes, (5, 2), strict=True):
            at = at.replace(second=0, microsecond=0)
            Rollup(tenant=acme, msp=northwind, grain="minute", at=at, attempts=attempts, peak=1).save()

    page = client_of(nadia, northwind).get(reverse("home", urlconf="portal.urls_msp")).content.decode()

    assert page.count("<polyline") == 1
    assert "7 calls in 60 minutes, at most 5 in a minute" in page
    assert page.count("no calls") == 1  # Globex


@pytest.mark.parametrize(
    "name", ["home", "nodes:list", "nodes:new", "certificates:list", "certificates:new", "health:list", "rollout:list"]
)
def test_the_operator_opens_its_pages(client_of: Any, operator: Any, node: Node, name: str) -> None:
    assert client_of(operator).get(reverse(name, urlconf="portal.urls_operator")).status_code == 200


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("nodes:list", "sbc-lab-1,Lab,"),
        ("regions:list", "Lab,lab,2,Live"),
        ("rollout:list", "Live,"),
        ("certificates:list", "State,Name,Good for"),
        ("health:list", "Open,"),
        ("quarantine:list", "Waiting,"),
    ],
)
def test_the_operator_takes_its_lists_home(client_of: Any, operator: Any, node: Node, name: str, line: str) -> None:
    with contexts.public():
        spool = Spool.objects.get(node=node).pk
        ingest.take_records(node, spool, protocol.Records(first=4, items=[record(4, 999_999)]))
    answer = client_of(operator).get(reverse(name, urlconf="portal.urls_operator") + "?export=csv")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert line in answer.content.decode()


def test_every_call_has_its_story_and_hostile_text_stays_text(
    client_of: Any, alice: Any, mallory: Any, nadia: Any, acme: Customer, globex: Customer, northwind: Any, node: Node
) -> None:
    with contexts.customer(acme):
        ids = list(Cdr.objects.order_by("sequence").values_list("id", flat=True))
    for pk in ids:
        path = reverse("calls:detail", args=[pk], urlconf="portal.urls_customer")
        page = client_of(alice, acme).get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()
        assert client_of(nadia, northwind).get(path).status_code == 200
        assert client_of(mallory, globex).get(path).status_code == 404
        for_programs = f"/objects/calls/{pk}/api/"
        assert f'href="{for_programs}"' in page.content.decode()
        assert "INVITE asks for a call" in page.content.decode()
        assert client_of(alice, acme).get(for_programs).status_code == 200
        assert client_of(mallory, globex).get(for_programs).status_code == 404


def test_a_call_leads_to_trying_its_number_anew_where_the_reader_sees_it(
    client_of: Any, alice: Any, victor: Any, nadia: Any, acme: Customer, northwind: Any, node: Node
) -> None:
    with contexts.customer(acme):
        call = Cdr.objects.filter(direction="out").order_by("sequence").first()
    assert call is not None
    path = reverse("calls:detail", args=[call.id], urlconf="portal.urls_customer")

    page = client_of(alice, acme).get(path)
    assert page.context["try_url"].startswith("/routing/try/?number=%2B")
    assert client_of(alice, acme).get(page.context["try_url"]).context["answer"]
    for browser in (client_of(victor, acme), client_of(nadia, northwind)):
        assert browser.get(path).context["try_url"] == ""

    hers, theirs = (browser.get(path).wsgi_request for browser in (client_of(alice, acme), client_of(nadia, northwind)))
    for disposition, url in (("bad_caller_id", "/numbers/caller-ids/"), ("spend_limit", "/balance/"), ("busy", "")):
        call.disposition = disposition
        step = next_step(hers, call)
        assert (step[1] if step else "") == url and next_step(theirs, call) is None


@pytest.mark.parametrize("text", ["030 555123", "+4930555", "0049 30 555", "5123", "call-1@lab", HOSTILE, "'; drop"])
def test_calls_are_found_however_a_number_is_written(
    client_of: Any, alice: Any, acme: Customer, node: Node, text: str
) -> None:
    page = client_of(alice, acme).get(reverse("calls:list", urlconf="portal.urls_customer"), {"q": text})
    assert page.status_code == 200
    assert ("/calls/" in page.content.decode().partition("<tbody")[2]) == (text != "'; drop")


def test_a_held_change_is_approved_on_its_page(client_of: Any, nadia: Any, northwind: Any, node: Node) -> None:
    with contexts.ingest():
        Deployment.objects.filter(scope__startswith="cust:").update(state="held", error="would lose 300 rows")
    waiting = next(each for each in deployments() if each.state == "held" and each.msp_id == northwind.pk)
    browser = client_of(nadia, northwind)
    page = browser.get(reverse("rollout:detail", args=[waiting.pk], urlconf="portal.urls_msp"))
    assert "would lose 300 rows" in page.content.decode()

    browser.post(reverse("rollout:approve", args=[waiting.pk], urlconf="portal.urls_msp"))

    approved = next(each for each in deployments() if each.pk == waiting.pk)
    assert (approved.state, approved.approved) == ("pending", waiting.wanted)


def test_somebody_elses_rollout_is_not_there(
    client_of: Any, alice: Any, victor: Any, acme: Customer, globex: Customer, node: Node
) -> None:
    foreign = next(each for each in deployments() if each.tenant_id == globex.pk)
    mine = next(each for each in deployments() if each.tenant_id == acme.pk)
    detail, retry = ("rollout:detail", "rollout:retry")
    for who in (alice, victor):
        browser = client_of(who, acme)
        assert browser.get(reverse(detail, args=[foreign.pk], urlconf="portal.urls_customer")).status_code == 404
        assert browser.get(reverse(detail, args=[mine.pk], urlconf="portal.urls_customer")).status_code == 200
        assert browser.post(reverse(retry, args=[mine.pk], urlconf="portal.urls_customer")).status_code == 403


def test_a_token_is_shown_once(client_of: Any, operator: Any, region: Region) -> None:
    browser = client_of(operator)
    answer = browser.post(reverse("nodes:new", urlconf="portal.urls_operator"), {"region": region.pk, "name": "sbc-2"})
    token = answer.context["token"]
    assert token in answer.content.decode()
    found = nodes.node_of_token(token)
    assert found is not None and found.name == "sbc-2"
    page = browser.get(reverse("nodes:detail", args=[found.pk], urlconf="portal.urls_operator"))
    assert token not in page.content.decode()


def test_an_alarm_is_settled_and_opens_again(client_of: Any, operator: Any, node: Node) -> None:
    with contexts.ingest():
        raise_alarm(Alarm.Kind.GAP, "Records 2 to 4 never arrived.", at=now(), node=node)
        alarm = Alarm.objects.open().get(kind=Alarm.Kind.GAP)
    browser = client_of(operator)
    assert "Records 2 to 4" in browser.get(reverse("health:list", urlconf="portal.urls_operator")).content.decode()

    browser.post(reverse("health:settle", args=[alarm.pk], urlconf="portal.urls_operator"))

    with contexts.ingest():
        assert not Alarm.objects.open().filter(kind=Alarm.Kind.GAP).exists()
        raise_alarm(Alarm.Kind.GAP, "Records 2 to 4 never arrived.", at=now(), node=node)
        assert Alarm.objects.open().filter(kind=Alarm.Kind.GAP).count() == 1


@pytest.mark.parametrize("path", ["calls", "live-calls", "deployments"])
def test_the_api_shows_each_place_its_own(
    client_of: Any, alice: Any, mallory: Any, nadia: Any, acme: Customer, globex: Customer, northwind: Any, node: Node,
    path: str,
) -> None:  # fmt: skip
    def found(who: Any, place: Any) -> int:
        answer = client_of(who, place).get(f"/api/v1/{path}/")
        assert answer.status_code == 200, answer.content
        return len(answer.json()["results"])

    counts = (found(alice, acme), found(mallory, globex), found(nadia, northwind))
    assert counts == {"calls": (3, 0, 3), "live-calls": (0, 0, 0), "deployments": (1, 1, 2)}[path]


def test_calls_are_exported(client_of: Any, alice: Any, acme: Customer, node: Node) -> None:
    answer = client_of(alice, acme).get(reverse("calls:list", urlconf="portal.urls_customer"), {"export": "csv"})
    lines = answer.content.decode().splitlines()
    assert len(lines) == 4
    assert not any(line.startswith(("=", "@")) for line in lines)
