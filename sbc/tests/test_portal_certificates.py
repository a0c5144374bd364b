"""Certificates in the portal: who may give one, which node gets it, and what a node's answer means."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from sbc import protocol, services
from sbc.models import Alarm, Certificate, Node, NodeCertificate
from sbc.services import certificates
from sbc.tests.fake_node import FakeNode
from sbc.tests.sip.certificates import CLIENT, SERVER, Authority
from tenants.models import Customer, Region

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")
db = sync_to_async
NAMES = [name for slug in ("northwind", "fabrikam") for name in (f"sbc.{slug}.example", f"*.sbc.{slug}.example")]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def node(token: str) -> AsyncIterator[FakeNode]:
    fake = FakeNode(token)
    await fake.dial()
    yield fake
    await fake.hang_up()


def parts(path: Path) -> dict[str, str]:
    chain, mark, key = path.read_text().partition("-----BEGIN PRIVATE KEY")
    return {"chain": chain, "key": mark + key}


def add(authority: Authority, region: Region, name: str = "one", **more: Any) -> Certificate:
    days = more.pop("days", 30)
    pem = parts(authority.issue(name, f"{name}.example", NAMES, [SERVER, CLIENT], days=days))
    with contexts.public():
        return certificates.add_certificate(Certificate(region=region, **pem, **more), now=now(), by=LAB)


def state(served: str = "aa", nonce: str = "", **more: Any) -> protocol.CertificateState:
    until = int((now() + timedelta(days=more.pop("days", 90))).timestamp() * 1000)
    facts = {"served": served, "until": until, "dialled": "aa", "nonce": nonce, "reason": ""}
    return protocol.CertificateState(**(facts | more))


def shown() -> NodeCertificate:
    return NodeCertificate.objects.get()


def alarms() -> list[str]:
    with contexts.ingest():
        found = Alarm.objects.open().filter(kind=Alarm.Kind.CERTIFICATE).order_by("pk")
        return list(found.values_list("text", flat=True))


async def skip_applies(node: FakeNode) -> Any:
    while isinstance(said := await node.hear(), protocol.Apply):
        await node.ack(said)
    return said


async def test_a_node_is_sent_what_it_does_not_show_and_its_answer_is_kept(
    node: FakeNode, authority: Authority, region: Region
) -> None:
    wanted = await db(add)(authority, region)
    assert await node.silent(), "a node that has not said what it shows is given nothing"

    await node.say(state("old"))
    sent = await skip_applies(node)

    assert (sent.fingerprint, sent.restart) == (wanted.fingerprint, False)
    assert (sent.chain, sent.key) == (wanted.chain, wanted.key)
    await node.say(state(wanted.fingerprint, sent.nonce, dialled="old"))
    assert await node.silent()
    kept = await db(shown)()
    assert (kept.served, kept.dialled, kept.nonce, kept.error) == (wanted.fingerprint, "old", "", "")
    assert kept.waits_for_restart and kept.served_since is not None


async def test_what_a_node_refuses_is_an_alarm_and_not_sent_again_at_once(
    node: FakeNode, authority: Authority, region: Region
) -> None:
    first = await db(add)(authority, region)
    await node.say(state("old"))
    sent = await skip_applies(node)

    await node.say(state("old", sent.nonce, reason="HAProxy: no"))
    assert await node.silent(2.5)

    assert (await db(shown)()).error == "HAProxy: no"
    assert "HAProxy: no" in (await db(alarms)())[0]
    newer = await db(add)(authority, region, "newer")
    again = await node.hear()
    assert again.fingerprint == newer.fingerprint != first.fingerprint
    await node.say(state(newer.fingerprint, again.nonce))
    assert await node.silent()
    assert await db(alarms)() == []


async def test_a_late_answer_settles_nothing(node: FakeNode, authority: Authority, region: Region) -> None:
    await db(add)(authority, region)
    await node.say(state("old"))
    sent = await skip_applies(node)

    await node.say(state("old", "from-an-earlier-boot", reason="no"))
    assert await node.silent()

    kept = await db(shown)()
    assert (kept.nonce, kept.error) == (sent.nonce, "")


def test_a_connection_that_lost_its_node_gets_no_key(token: str, authority: Authority, region: Region) -> None:
    add(authority, region)
    with contexts.ingest():
        Node.objects.update(channel="mine")
    node = Node.objects.get()
    certificates.told(node, state("old"))

    assert certificates.certificate_for(node, channel="another") is None
    services.rotate_token(Node.objects.get(), by=LAB)
    assert certificates.certificate_for(node, channel="mine") is None
    services.disable_node(node := Node.objects.get(), by=LAB)
    assert certificates.certificate_for(node, channel="mine") is None
    services.enable_node(node, by=LAB)
    assert certificates.certificate_for(node, channel="mine") is not None


async def test_a_person_restarts_kamailio_for_it(
    node: FakeNode, authority: Authority, region: Region, client_of: Any, operator: Any
) -> None:
    wanted = await db(add)(authority, region)
    await node.say(state(wanted.fingerprint, dialled="old"))
    await node.settle()

    def press() -> str:
        pk = Node.objects.get().pk
        browser = client_of(operator)
        page = browser.get(reverse("nodes:detail", args=[pk], urlconf="portal.urls_operator")).content.decode()
        browser.post(reverse("nodes:restart", args=[pk], urlconf="portal.urls_operator"))
        return str(page)

    assert "Restart Kamailio now" in await db(press)()
    sent = await skip_applies(node)
    assert (sent.fingerprint, sent.restart) == (wanted.fingerprint, True)
    await node.say(state(wanted.fingerprint, sent.nonce, dialled=wanted.fingerprint))
    assert await node.silent()
    kept = await db(shown)()
    assert not kept.restart and not kept.waits_for_restart


def test_the_newest_of_the_node_goes_before_the_regions(token: str, authority: Authority, region: Region) -> None:
    node = Node.objects.get()
    first, second = add(authority, region, "first"), add(authority, region, "second")
    assert certificates.wanted_certificate(node, at=now()) == second
    own = add(authority, region, "own", node=node)
    add(authority, region, "third")
    assert certificates.wanted_certificate(node, at=now()) == own

    with contexts.public():
        certificates.remove_certificate(own, by=LAB)
        certificates.remove_certificate(Certificate.objects.get(subject="third.example"), by=LAB)
        certificates.remove_certificate(second, by=LAB)

    assert certificates.wanted_certificate(node, at=now()) == first, "removing one goes back to the one before"
    assert certificates.wanted_certificate(node, at=now() + timedelta(days=31)) is None


def test_every_base_domain_has_to_be_covered(authority: Authority, region: Region) -> None:
    pem = parts(authority.issue("half", "half.example", [*NAMES[:2], NAMES[2]], [SERVER]))

    with contexts.public(), pytest.raises(ValidationError, match=r"It does not cover \*.sbc.fabrikam.example:"):
        certificates.add_certificate(Certificate(region=region, **pem), now=now(), by=LAB)


@pytest.mark.parametrize(("days", "count"), [(40, 0), (29, 1), (13, 1), (2, 1), (-1, 1)])
def test_the_end_is_alarmed_once_at_each_step(token: str, days: int, count: int) -> None:
    node = Node.objects.get()
    certificates.told(node, state("old", days=days))

    certificates.warn_of_ends()
    certificates.warn_of_ends()

    assert len(alarms()) == count
    with contexts.ingest():
        Alarm.objects.open().update(until=now())
    certificates.warn_of_ends()
    assert alarms() == [], "what a person has seen is quiet until the next step"
    NodeCertificate.objects.update(served_until=now() + timedelta(days=1))
    certificates.warn_of_ends()
    assert len(alarms()) == (0 if 0 <= days < 3 else 1)
    NodeCertificate.objects.update(served_until=now() - timedelta(hours=1))
    certificates.warn_of_ends()
    assert [each for each in alarms() if "ended" in each] == ([] if days < 0 else alarms())

    certificates.told(node, state("new"))
    assert alarms() == []


def test_the_key_is_seen_nowhere(authority: Authority, region: Region, client_of: Any, operator: Any) -> None:
    pem = parts(authority.issue("mine", "mine.example", NAMES, [SERVER]))
    secret = pem["key"].splitlines()[1]
    browser, new = client_of(operator), reverse("certificates:new", urlconf="portal.urls_operator")

    refused = browser.post(new, {"region": region.pk, "chain": "nonsense", "key": pem["key"]})
    assert "no certificate in PEM form" in refused.content.decode()
    stored = browser.post(new, {"region": region.pk, **pem}, follow=True)
    assert "mine.example" in stored.content.decode()

    certificate = Certificate.objects.get()
    pages = [refused, stored]
    for path in ("certificates/", f"certificates/{certificate.pk}/", f"api/v1/certificates/{certificate.pk}/"):
        pages.append(browser.get("/" + path))
        assert pages[-1].status_code == 200
    assert all(secret not in page.content.decode() for page in pages)
    with connection.cursor() as cursor, contexts.public():
        cursor.execute("SELECT key FROM sbc_certificate")
        assert secret not in cursor.fetchone()[0]
    with contexts.public():
        said = [str([entry.before, entry.after, entry.facts]) for entry in AuditEntry.objects.all()]
    assert said and not any(secret in each or "PRIVATE" in each for each in said)


def test_nobodys_portal_but_the_operators_reads_certificates(
    authority: Authority, region: Region, acme: Customer, northwind: Any
) -> None:
    add(authority, region)

    for place in (contexts.customer(acme), contexts.msp(northwind)):
        with place:
            assert not Certificate.objects.exists()
    with contexts.public():
        assert Certificate.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_refused_certificate_says_why_in_words_and_asks_for_the_key_again(
    authority: Authority, region: Region, client_of: Any, operator: Any
) -> None:
    good, other = (
        parts(authority.issue(name, f"{name}.example", NAMES, [SERVER, CLIENT], days=days))
        for name, days in (("old", 1), ("two", 30))
    )
    browser, address = client_of(operator), reverse("certificates:new", urlconf="portal.urls_operator")

    def refused(**pem: str) -> Any:
        return browser.post(address, {"region": region.pk, "node": "", **pem})

    assert "This is no certificate in PEM form" in refused(chain="no", key="no").context["form"].errors["chain"][0]
    wrong = refused(chain=good["chain"], key=other["key"])
    assert wrong.context["form"].errors == {"key": ["The key does not belong to this certificate."]}
    text = wrong.content.decode()
    assert "Paste the key again" in text and "BEGIN PRIVATE KEY" not in text
    assert "All nodes of the region" in text
    with pytest.raises(ValidationError) as late, contexts.public():
        certificates.add_certificate(Certificate(region=region, **good), now=now() + timedelta(days=9), by=LAB)
    ended = (now() + timedelta(days=1)).date()
    assert f"ended on {ended.day} {ended:%B %Y}" in str(late.value)
