"""Certificates for programs: given with their key, read without it, taken away."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from portal.core.audit import Actor
from portal.core.models import AuditEntry, IdempotencyKey
from portal.db import contexts
from sbc import protocol, services
from sbc.models import Certificate, Node, NodeCertificate
from sbc.services import certificates
from sbc.tests.sip.certificates import SERVER, Authority
from sbc.tests.test_portal_certificates import NAMES, parts
from tenants.models import Region, User

pytestmark = pytest.mark.django_db
LAB = Actor.system("tests")
PATH = "/api/v1/certificates/"


@pytest.fixture
def pem(tmp_path: Path) -> dict[str, str]:
    return parts(Authority(tmp_path).issue("mine", "mine.example", NAMES, [SERVER]))


@pytest.fixture
def browser(client_of: Any, operator: User) -> Client:
    found: Client = client_of(operator)
    return found


def post(browser: Client, once: str = "", **facts: Any) -> Any:
    headers = {"Idempotency-Key": once} if once else {}
    return browser.post(PATH, facts, content_type="application/json", headers=headers)


def test_a_certificate_is_given_read_and_taken_away(browser: Client, region: Region, pem: dict[str, str]) -> None:
    made = post(browser, region=region.pk, **pem)

    assert made.status_code == 201
    said = made.json()
    assert (said["subject"], said["names"], said["node"]) == ("mine.example", NAMES, None)
    one = f"{PATH}{said['id']}/"
    assert browser.get(one).json() == said and browser.get(PATH).json()["results"] == [said]
    assert post(browser, region=region.pk, **pem).json()["errors"]["non_field_errors"] == [
        "This certificate is already here."
    ]
    assert browser.patch(one, {}, content_type="application/json").status_code == 405
    assert browser.delete(one).status_code == 204
    with contexts.public():
        assert not Certificate.objects.exists()
        verbs = AuditEntry.objects.filter(verb__startswith="certificate.").order_by("at").values_list("verb", flat=True)
        assert list(verbs) == ["certificate.added", "certificate.removed"]


def test_the_key_is_in_no_answer_no_log_and_no_row(browser: Client, region: Region, pem: dict[str, str]) -> None:
    secret = pem["key"].splitlines()[1]
    answers = [
        post(browser, region=region.pk, chain="nonsense", key=pem["key"]),
        post(browser, region=region.pk, chain=pem["chain"], key=[pem["key"]]),
        post(browser, region=region.pk, chain=pem["chain"] + pem["key"], key="none"),
        post(browser, region=0, key=pem["key"] * 50, chain=pem["chain"]),
        browser.post(PATH, f'{{"key": "{pem["key"]}', content_type="application/json"),
    ]
    assert [answer.status_code for answer in answers] == [400] * 5
    answers += [post(browser, "once", region=region.pk, **pem) for _ in range(2)]
    assert [answer.status_code for answer in answers[5:]] == [201] * 2
    pk = answers[-1].json()["id"]
    answers += [browser.get(path) for path in (f"{PATH}{pk}/", f"/objects/certificates/{pk}/api/")]
    answers.append(browser.get(f"/objects/certificates/{pk}/history/"))

    assert [answer.status_code for answer in answers[7:]] == [200] * 3
    assert not any(secret in answer.content.decode() or "PRIVATE" in answer.content.decode() for answer in answers)
    with contexts.public():
        (kept,) = IdempotencyKey.objects.values()
        rows = [*AuditEntry.objects.values(), kept]
        assert Certificate.objects.count() == 1
    stored = json.dumps(rows, default=str)
    assert secret not in stored and "PRIVATE" not in stored and "BEGIN CERT" not in kept["body"]


def test_a_node_is_restarted_for_its_certificate_where_it_waits_for_that(
    browser: Client, region: Region, pem: dict[str, str]
) -> None:
    shown = post(browser, region=region.pk, **pem).json()["fingerprint"]
    with contexts.public():
        node = services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[0]
    one = f"/api/v1/nodes/{node.pk}/"
    assert browser.post(f"{one}restart/").json()["detail"].startswith("This has changed meanwhile.")
    certificates.told(node, protocol.CertificateState(served=shown, until=0, dialled="old", nonce="", reason=""))

    assert browser.post(f"{one}restart/").json()["name"] == "sbc-lab-1"
    assert NodeCertificate.objects.get().restart


def test_what_the_page_refuses_the_api_refuses_at_the_same_field(
    browser: Client, region: Region, pem: dict[str, str]
) -> None:
    refused = post(browser, region=region.pk, chain=pem["chain"], key="nonsense")

    assert refused.status_code == 400 and list(refused.json()["errors"]) == ["key"]
    assert list(post(browser).json()["errors"]) == ["region", "chain", "key"]
