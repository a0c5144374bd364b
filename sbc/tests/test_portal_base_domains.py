"""A base domain that came later: whose certificate lacks it is said, until one that names it is shown."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.db import contexts
from sbc import protocol, services
from sbc.models import Alarm, Certificate, Node
from sbc.services import certificates
from sbc.services.alarms import settle_alarm
from tenants.models import BaseDomain, Msp, Region
from tenants.services import add_base_domain, save_region

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")
OLD, NEW = "a" * 64, "b" * 64
NAMES = ["sbc.first.example", "*.sbc.first.example"]
LATER = ["sbc.later.example", "*.sbc.later.example"]


@pytest.fixture
def north() -> Region:
    """A region with two nodes; its only base domain is covered."""
    with contexts.public():
        region = save_region(Region(name="North", slug="north"), by=LAB)
        for place in (1, 2):
            services.add_node(Node(region=region, name=f"sbc-north-{place}"), by=LAB)
        for fingerprint, names in ((OLD, NAMES), (NEW, NAMES + LATER)):
            facts: dict[str, Any] = {"fingerprint": fingerprint, "names": names, "chain": "-", "key": "-"}
            facts |= {"not_before": now(), "not_after": now() + timedelta(days=90)}
            Certificate.objects.create(region=region, subject=names[-1], issuer="ca", **facts)
    for place in (1, 2):
        shows(f"sbc-north-{place}", OLD)
    return region


def shows(name: str, fingerprint: str) -> None:
    until = int((now() + timedelta(days=90)).timestamp() * 1000)
    said = protocol.CertificateState(served=fingerprint, until=until, dialled=fingerprint, nonce="", reason="")
    certificates.told(Node.objects.get(name=name), said)


def give(msp: Msp, region: Region, fqdn: str) -> None:
    with contexts.public():
        add_base_domain(BaseDomain(msp=msp, region=region, fqdn=fqdn), by=LAB)
        services.compile_revisions()


def alarms() -> list[Alarm]:
    with contexts.ingest():
        return list(Alarm.objects.open().filter(kind=Alarm.Kind.CERTIFICATE))


def test_what_nodes_do_not_cover_is_said_until_all_of_them_do(north: Region, northwind: Msp, fabrikam: Msp) -> None:
    give(northwind, north, "sbc.first.example")
    assert alarms() == []

    give(fabrikam, north, "sbc.later.example")
    certificates.warn_of_names()

    (alarm,) = alarms()
    assert "sbc.later.example, *.sbc.later.example at sbc-north-1, sbc-north-2:" in alarm.text
    assert alarm.count == 1, "it is one thing, however often it is looked at"
    shows("sbc-north-1", NEW)
    (alarm,) = alarms()
    assert " at sbc-north-2:" in alarm.text
    shows("sbc-north-2", "c" * 64)
    assert alarms() == [alarm], "what is not known to name it closes nothing"
    shows("sbc-north-2", NEW)
    assert alarms() == []
    shows("sbc-north-2", OLD)
    assert len(alarms()) == 1, "going back opens it again"


def test_what_a_person_has_settled_is_quiet_until_it_was_covered(north: Region, northwind: Msp) -> None:
    give(northwind, north, "sbc.later.example")
    settle_alarm(alarms()[0], at=now(), by=LAB)

    certificates.warn_of_names()
    shows("sbc-north-1", NEW)
    assert alarms() == []

    shows("sbc-north-2", NEW)
    shows("sbc-north-1", OLD)
    assert " at sbc-north-1:" in alarms()[0].text


def test_a_node_out_of_service_and_one_with_a_file_of_its_own_are_nobodys_worry(north: Region, northwind: Msp) -> None:
    shows("sbc-north-1", "c" * 64)
    with contexts.public():
        services.disable_node(Node.objects.get(name="sbc-north-2"), by=LAB)

    give(northwind, north, "sbc.later.example")

    assert alarms() == []


def test_the_operator_reads_it_on_the_health_page(north: Region, northwind: Msp, client_of: Any, operator: Any) -> None:
    give(northwind, north, "sbc.later.example")
    cache.clear()

    assert "No certificate for sbc.later.example" in client_of(operator).get("/health/").content.decode()
