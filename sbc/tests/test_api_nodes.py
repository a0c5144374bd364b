"""Nodes, their rollout and their alarms for programs: what the operator's console does, a token of its does, too."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.core.models import AuditEntry, IdempotencyKey
from portal.db import contexts
from sbc import protocol, services
from sbc.models import Alarm, Deployment, Drift, Node
from sbc.services import nodes
from sbc.services.alarms import raise_alarm
from tenants.models import ApiToken, Customer, Msp, Region, User
from tenants.services import create_token

pytestmark = pytest.mark.django_db
LAB = Actor.system("tests")
PATH = "/api/v1/nodes/"


@pytest.fixture
def program(client_of: Any, operator: User) -> Any:
    """Return a maker of programs that hold a token of the operator's console and nothing else."""
    cache.clear()

    def made(*scopes: str) -> Client:
        token = ApiToken(user=operator, name="set-up", scopes=list(scopes), expires_at=now() + timedelta(days=1))
        with contexts.public():
            secret = create_token(token, grantable=frozenset(scopes), by=LAB)
        client: Client = client_of(None)
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
        return client

    return made


@pytest.fixture
def node(region: Region) -> Node:
    with contexts.public():
        return services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[0]


@pytest.fixture
def running(node: Node, acme: Customer) -> Node:
    """A node that is connected and runs everything."""
    with contexts.public():
        services.compile_revisions()
        hello = protocol.Hello(
            node="x", boot="b", spool="6f1c2a0e-5a52-4c39-8d27-0d2b6a6fb0a1", software="t 1", held={}, next_sequence=1
        )
        nodes.welcome(node, hello)
        nodes.take_line(node, "line-1", instead_of="")
        while batch := services.revisions_for(node):
            for each in batch:
                services.acked(node, protocol.Ack(scope=each.scope, version=each.version, nonce=each.nonce, took_ms=2))
    return node


def post(client: Client, path: str, once: str = "", **facts: Any) -> Any:
    headers = {"Idempotency-Key": once} if once else {}
    return client.post(path, facts, content_type="application/json", headers=headers)


def verbs(prefix: str) -> list[str]:
    with contexts.public():
        return list(AuditEntry.objects.filter(verb__startswith=prefix).order_by("at").values_list("verb", flat=True))


def test_a_program_adds_a_node_and_gets_its_token_once(program: Any, region: Region) -> None:
    client = program("nodes.change")

    made = post(client, PATH, region=region.pk, name="sbc-fra-1")

    assert made.status_code == 201, made.content
    said = made.json()
    found = nodes.node_of_token(said["token"])
    assert found is not None and (found.pk, found.name, said["state"]) == (said["id"], "sbc-fra-1", "away")
    read = [client.get(path) for path in (PATH, f"{PATH}{found.pk}/")]
    assert all(answer.status_code == 200 and said["token"] not in answer.content.decode() for answer in read)
    with contexts.public():
        entry = AuditEntry.objects.get(verb="node.added")
        assert (entry.email, entry.token_id) == ("operator@strowger.example", ApiToken.objects.get().pk)


def test_what_the_page_refuses_the_api_refuses(program: Any, region: Region, node: Node) -> None:
    client = program("nodes.change")
    for name, words in [("SBC 1", "Use lower-case letters"), ("sbc-lab-1", "There is a node of that name.")]:
        refused = post(client, PATH, region=region.pk, name=name)
        assert (refused.status_code, refused["Content-Type"]) == (400, "application/problem+json")
        assert words in refused.json()["detail"], refused.json()
    assert list(post(client, PATH).json()["errors"]) == ["region", "name"]
    assert client.patch(f"{PATH}{node.pk}/", {}, content_type="application/json").status_code == 405
    assert post(program("nodes.view"), PATH, region=region.pk, name="sbc-2").status_code == 403


def test_a_token_is_in_the_first_answer_and_in_no_row(program: Any, region: Region, node: Node) -> None:
    client, rotate = program("nodes.change"), f"{PATH}{node.pk}/rotate-token/"
    made, made_again = [post(client, PATH, "add-1", region=region.pk, name="sbc-2") for _ in range(2)]
    given, given_again = [post(client, rotate, "rotate-1") for _ in range(2)]

    for first, again, code in ((made, made_again, 201), (given, given_again, 200)):
        assert (first.status_code, again.status_code, again["Idempotent-Replayed"]) == (code, code, "true")
        assert first.json()["token"].startswith("node_") and "token" not in again.json()
        assert nodes.node_of_token(first.json()["token"]) is not None
    with contexts.public():
        stored = json.dumps([*IdempotencyKey.objects.values(), *AuditEntry.objects.values()], default=str)
        assert Node.objects.count() == 2
    assert not any(answer.json()["token"] in stored for answer in (made, given))


def test_a_new_token_ends_the_old_one(program: Any, region: Region) -> None:
    client = program("nodes.change")
    made = post(client, PATH, region=region.pk, name="sbc-2").json()

    given = post(client, f"{PATH}{made['id']}/rotate-token/").json()

    assert nodes.node_of_token(made["token"]) is None
    found = nodes.node_of_token(given["token"])
    assert found is not None and given["token_made"] > made["token_made"]
    assert verbs("node.") == ["node.added", "node.token_rotated"]


def test_a_node_is_disabled_and_enabled_as_often_as_a_program_likes(program: Any, running: Node) -> None:
    client = program("nodes.change")
    states = [post(client, f"{PATH}{running.pk}/{act}/").json()["state"] for act in ("enable", "disable", "disable")]

    assert states == ["connected", "disabled", "disabled"], "who is connected already is not cut off"
    assert post(client, f"{PATH}{running.pk}/enable/").json()["state"] == "away"
    assert verbs("node.") == ["node.added", "node.disabled", "node.enabled"]


def test_an_alarm_is_noted_as_seen_once(program: Any, node: Node) -> None:
    with contexts.ingest():
        raise_alarm(Alarm.Kind.GAP, "Records 2 to 4 never arrived.", at=now(), node=node)
    client = program("nodes.change")
    (alarm,) = client.get("/api/v1/alarms/?state=open").json()["results"]

    seen, again = [post(client, f"/api/v1/alarms/{alarm['id']}/settle/").json() for _ in range(2)]

    assert alarm["until"] is None and seen["until"] and again == seen
    listed = {state: client.get(f"/api/v1/alarms/?state={state}").json()["results"] for state in ("open", "over")}
    assert listed == {"open": [], "over": [seen]}
    assert client.get("/api/v1/alarms/?state=x").status_code == 400
    assert verbs("alarm.") == ["alarm.settled"]
    assert post(client, "/api/v1/alarms/").status_code == 405


def stuck(state: str, msp: Msp) -> Deployment:
    with contexts.ingest():
        found = Deployment.objects.filter(msp=msp, tenant__isnull=False).order_by("pk")[0]
        Deployment.objects.filter(pk=found.pk).update(state=state, error="would lose 300 rows", running=0)
    return found


@pytest.mark.parametrize(("state", "act"), [("held", "approve"), ("refused", "try-again")])
@pytest.mark.parametrize("place", ["operator", "msp"])
def test_what_an_sbc_holds_back_or_refused_is_sent_again(
    program: Any, client_of: Any, nadia: User, northwind: Msp, fabrikam: Msp, running: Node,
    place: str, state: str, act: str,
) -> None:  # fmt: skip
    client = program("rollout.change") if place == "operator" else client_of(nadia, northwind)
    waiting, other = stuck(state, northwind), stuck(state, fabrikam)
    path = f"/api/v1/deployments/{waiting.pk}/{act}/"
    listed = client.get(f"/api/v1/deployments/?state={state}").json()["results"]
    assert [each["id"] for each in listed] == [waiting.pk, *([other.pk] if place == "operator" else [])]

    done, late = post(client, path, "once"), post(client, path)

    assert (done.status_code, done.json()["state"]) == (200, "pending"), done.content
    assert post(client, path, "once").json() == done.json()
    assert (late.status_code, late.json()["detail"][:27]) == (400, "This has changed meanwhile.")
    if place == "msp":
        assert post(client, f"/api/v1/deployments/{other.pk}/{act}/").status_code == 404
    with contexts.ingest():
        found = Deployment.objects.get(pk=waiting.pk)
    assert (found.approved == found.wanted, found.whole) == (act == "approve", act == "try-again")
    with contexts.msp(northwind):
        (entry,) = AuditEntry.objects.filter(verb__startswith="rollout.")
    assert entry.facts["why"] == "would lose 300 rows"


def test_a_customer_looks_at_its_rollout_and_cannot_let_it_go(
    client_of: Any, alice: User, acme: Customer, running: Node
) -> None:
    client = client_of(alice, acme)
    (mine,) = client.get("/api/v1/deployments/").json()["results"]
    assert post(client, f"/api/v1/deployments/{mine['id']}/approve/").status_code == 404
    assert post(client, "/api/v1/deployments/").status_code == 403


def test_what_somebody_changed_by_hand_is_read_by_whoever_it_concerns(
    program: Any, client_of: Any, alice: User, nadia: User, acme: Customer, globex: Customer, initech: Customer,
    northwind: Msp, running: Node,
) -> None:  # fmt: skip
    scopes = [f"cust:{each.pk}" for each in (acme, globex, initech)] + [""]
    with contexts.public():
        for minutes, scope in enumerate(scopes):
            at = now() - timedelta(minutes=minutes)
            Drift.objects.create(
                node=running, scope=scope, table="rt", key="a.0:49", found="missing", healed=True, at=at
            )

    def seen(client: Client, **asked: str) -> list[str]:
        return [each["scope"] for each in client.get("/api/v1/drift/", asked).json()["results"]]

    assert seen(client_of(alice, acme)) == scopes[:1]
    assert seen(client_of(nadia, northwind)) == scopes[:2]
    console = program("rollout.view")
    assert seen(console) == scopes
    assert seen(console, scope=scopes[1]) == scopes[1:2]
    (row,) = client_of(alice, acme).get("/api/v1/drift/").json()["results"]
    assert (row["node"], row["table"], row["key"], row["found"], row["healed"]) == (
        "sbc-lab-1", "rt", "a.0:49", "missing", True,
    )  # fmt: skip
    assert client_of(alice, acme).get(f"/api/v1/drift/{row['id']}/").json() == row
    assert post(console, "/api/v1/drift/").status_code == 403
