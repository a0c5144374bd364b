"""Names that come later: own host names proven in DNS, and base domains for customers that are there already."""

import json
from datetime import timedelta
from unittest import mock

import dns.exception
import dns.resolver
import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants import addresses, hosts, services
from tenants.models import BaseDomain, Customer, CustomerRegion, Domain, Msp, OwnHost, Region
from tenants.resolver import DnsUnreachable, FileDns, PublicDns
from tenants.tests.clients import client_of

pytestmark = pytest.mark.django_db
BY = Actor(email="nadia@northwind.example")
HOST = "portal.acme.example"


@pytest.fixture(autouse=True)
def dns_file(settings, tmp_path):
    settings.DNS_FILE = tmp_path / "dns.json"
    hosts.forget()
    yield settings.DNS_FILE
    hosts.forget()


@pytest.fixture
def own(northwind, acme):
    contexts.use_msp(northwind)
    return services.add_host(OwnHost(msp=northwind, tenant=acme, host=HOST), by=BY)


def answers(dns_file, own, *texts):
    dns_file.write_text(json.dumps({own.record_name: texts or (own.record_value,)}))


def test_a_host_leads_nowhere_until_its_record_is_seen_and_to_its_place_then(
    own, northwind, acme, dns_file, django_capture_on_commit_callbacks
):
    assert own.state == "waiting_dns" and hosts.place_of(HOST) is None
    with pytest.raises(ValidationError, match="not there yet"):
        services.check_host(own, by=BY)
    answers(dns_file, own, "something else", own.record_value[:-1])
    with pytest.raises(ValidationError, match="not there yet"):
        services.check_host(own, by=BY)
    assert hosts.place_of(HOST) is None

    answers(dns_file, own)
    with django_capture_on_commit_callbacks(execute=True):
        services.check_host(own, by=BY)
    place = hosts.place_of(HOST.upper() + ".:8443")
    assert own.state == "active" and (place.kind, place.tenant_id) == ("customer", acme.pk)
    assert addresses.primary_host(acme) == "acme.northwind.localhost"
    services.use_in_links(own, by=BY)
    assert addresses.primary_host(acme) == HOST
    verbs = set(AuditEntry.objects.filter(verb__startswith="host.").values_list("verb", flat=True))
    assert verbs == {"host.added", "host.verified", "host.used_in_links"}


def test_a_removed_host_leads_nowhere_again(own, acme, dns_file, django_capture_on_commit_callbacks):
    answers(dns_file, own)
    with django_capture_on_commit_callbacks(execute=True):
        services.check_host(own, by=BY)
        services.use_in_links(own, by=BY)
    with django_capture_on_commit_callbacks(execute=True):
        services.remove_host(own, by=BY)
    assert hosts.place_of(HOST) is None
    assert addresses.primary_host(acme) == "acme.northwind.localhost"


@pytest.mark.parametrize(
    "host",
    ["", "*", "*.acme.example", "acme", "localhost", "portal.localhost", "console.localhost", "fabrikam.localhost",
     "acme.northwind.localhost", "evil.sbc.fabrikam.example", "sbc.northwind.example", "127.0.0.1", "1.2.3.4", "[::1]",
     "a..b", "-a.example", "http://acme.example", "acme.example/x", "acme.example:80", "a.example, b.example",
     "printer.local",
     "x" * 64 + ".example", "a." * 130 + "example", "☎" * 300, "a_b.example", "a.example\0", "a.example\nb",
     "';--.example",
     "portal.1", "console。localhost", "LOCALHOST."],
)  # fmt: skip
def test_a_name_that_can_never_be_theirs_is_refused_at_its_field(northwind, fabrikam, host):
    contexts.use_msp(northwind)
    with pytest.raises(ValidationError) as refused:
        services.add_host(OwnHost(msp=northwind, host=host), by=BY)
    assert "host" in refused.value.message_dict
    assert not OwnHost.objects.exists()


def test_asking_first_keeps_no_name_from_its_owner(own, fabrikam, dns_file, django_capture_on_commit_callbacks):
    with contexts.msp(fabrikam):
        theirs = services.add_host(OwnHost(msp=fabrikam, host=HOST), by=BY)
        assert theirs.token != own.token
        answers(dns_file, theirs, theirs.record_value)
        with django_capture_on_commit_callbacks(execute=True):
            services.check_host(theirs, by=BY)
        assert OwnHost.objects.count() == 1, "an MSP sees its own wishes only"
    assert hosts.place_of(HOST).msp_id == fabrikam.pk

    answers(dns_file, own)
    with pytest.raises(ValidationError, match="in use already"):
        services.check_host(own, by=BY)
    with pytest.raises(ValidationError):
        services.add_host(OwnHost(msp=own.msp, host=HOST), by=BY)
    assert hosts.place_of(HOST).msp_id == fabrikam.pk


def test_another_msps_customer_is_no_place_to_lead_to(northwind, initech):
    contexts.use_msp(northwind)
    with pytest.raises(ValidationError):
        services.add_host(OwnHost(msp=northwind, tenant=initech, host=HOST), by=BY)


def test_the_sweep_opens_what_is_proven_and_asks_ever_more_rarely(own, dns_file, django_capture_on_commit_callbacks):
    contexts.use_public()
    now = timezone.now()
    assert services.check_waiting(now=now, by=BY) == 0
    with mock.patch.object(FileDns, "texts") as asked:
        services.check_waiting(now=now + timedelta(seconds=30), by=BY)
        services.check_waiting(now=now + timedelta(days=15), by=BY)
    assert not asked.called
    answers(dns_file, own)
    with django_capture_on_commit_callbacks(execute=True):
        assert services.check_waiting(now=now + timedelta(minutes=2), by=BY) == 1
    assert services.check_waiting(now=now + timedelta(hours=2), by=BY) == 0
    assert hosts.place_of(HOST) is not None


@pytest.mark.parametrize(
    ("failure", "told"),
    [(dns.resolver.NXDOMAIN(), []), (dns.resolver.NoAnswer(), []), (dns.exception.Timeout(), DnsUnreachable),
     (dns.resolver.NoNameservers(), DnsUnreachable)],
)  # fmt: skip
def test_no_such_record_is_an_answer_and_silence_is_none(failure, told, monkeypatch):
    def fail(*args, **facts):
        raise failure

    monkeypatch.setattr(dns.resolver, "resolve", fail)
    if told is DnsUnreachable:
        with pytest.raises(DnsUnreachable):
            PublicDns().texts("_strowger.portal.acme.example")
    else:
        assert PublicDns().texts("_strowger.portal.acme.example") == told


def test_the_pages_lead_from_the_wish_to_the_proof(northwind, acme, nadia, dns_file):
    browser = client_of(nadia, northwind)
    answer = browser.post("/domains/hosts/new/", {"host": "Portal.ACME.example.", "tenant": acme.pk})
    page = browser.get(answer["Location"]).content.decode()
    assert "_strowger.portal.acme.example" in page and "Waiting for DNS" in page
    assert "not there yet" in browser.post(f"{answer['Location']}check/", follow=True).content.decode()
    with contexts.msp(northwind):
        answers(dns_file, OwnHost.objects.get())
    assert "leads here now" in browser.post(f"{answer['Location']}check/", follow=True).content.decode()
    assert "Mails and links use" in browser.post(f"{answer['Location']}links/", follow=True).content.decode()
    assert browser.post(f"{answer['Location']}remove/", {"confirmed": "1"}).status_code == 302
    assert "None yet" in browser.get("/domains/").content.decode()
    refused = browser.post("/domains/hosts/new/", {"host": "*.acme.example", "tenant": ""})
    assert refused.status_code == 200 and "Write a whole host name" in refused.content.decode()


def test_the_api_does_the_same(northwind, acme, initech, nadia, dns_file):
    browser = client_of(nadia, northwind)

    def post(path, **facts):
        return browser.post(f"/api/v1/{path}", facts, content_type="application/json")

    made = post("hosts/", host=HOST, customer=acme.pk)
    assert made.status_code == 201 and made.json()["state"] == "waiting_dns"
    assert post("hosts/", host="b.acme.example", customer=initech.pk).status_code == 400
    assert post("hosts/", host="*.acme.example").status_code == 400
    one = f"hosts/{made.json()['id']}/"
    assert post(f"{one}check/").status_code == 400
    dns_file.write_text(json.dumps({made.json()["record_name"]: [made.json()["record_value"]]}))
    assert post(f"{one}check/").json()["state"] == "active"
    assert post(f"{one}use-in-links/").status_code == 200
    assert browser.delete(f"/api/v1/{one}").status_code == 204
    assert post("base-domains/", fqdn="sbc.evil.example").status_code in (403, 405)
    (base,) = browser.get("/api/v1/base-domains/").json()["results"]
    assert post(f"base-domains/{base['id']}/give-names/").json() == {"named": []}


@pytest.fixture
def later(northwind):
    """A base domain of Northwind in a second region, added after its customers."""
    with contexts.public():
        north = services.save_region(Region(name="North", slug="north"), by=BY)
        return services.add_base_domain(BaseDomain(msp=northwind, region=north, fqdn="north.northwind.net"), by=BY)


def test_existing_customers_are_named_on_a_later_base_domain_once(northwind, acme, globex, later):
    contexts.use_msp(northwind)
    Customer.objects.filter(pk=globex.pk).update(state="closed")
    before = Customer.objects.get(pk=acme.pk).config_version

    assert services.give_names(later, by=BY) == [acme]
    assert CustomerRegion.objects.get(base_domain=later).fqdn == "acme.north.northwind.net"
    assert Customer.objects.get(pk=acme.pk).config_version == before + 1
    assert AuditEntry.objects.get(verb="customer.named").after == {"fqdn": "acme.north.northwind.net"}
    assert services.give_names(later, by=BY) == []
    assert Customer.objects.get(pk=acme.pk).config_version == before + 1


def test_a_name_that_is_a_base_domain_stops_all_of_them(northwind, fabrikam, globex, later):
    with contexts.public():
        region = services.save_region(Region(name="South", slug="south"), by=BY)
        services.add_base_domain(BaseDomain(msp=fabrikam, region=region, fqdn="globex.north.northwind.net"), by=BY)
    with contexts.msp(northwind), pytest.raises(ValidationError, match="is a base domain"):
        services.give_names(later, by=BY)
    with contexts.msp(northwind):
        assert not CustomerRegion.objects.filter(base_domain=later).exists()


def test_no_base_domain_comes_where_a_portal_is(own, northwind, region, fabrikam, dns_file):
    with contexts.public():
        north = services.save_region(Region(name="North", slug="north"), by=BY)
    answers(dns_file, own)
    services.check_host(own, by=BY)
    contexts.use_public()
    for fqdn, portal in (
        (HOST, HOST),
        ("acme.example", HOST),
        ("northwind.localhost", "acme.northwind.localhost"),
        ("console.localhost", "console.localhost"),
    ):
        with pytest.raises(ValidationError, match=f"{portal} is the address of a portal") as refused:
            services.add_base_domain(BaseDomain(msp=fabrikam, region=north, fqdn=fqdn), by=BY)
        assert list(refused.value.message_dict) == ["fqdn"]
    services.add_base_domain(BaseDomain(msp=fabrikam, region=north, fqdn="sbc-acme.example"), by=BY)


def test_no_portal_comes_where_a_base_domain_is(northwind, region, fabrikam, own, dns_file):
    with contexts.public():
        north = services.save_region(Region(name="North", slug="north"), by=BY)
        services.add_base_domain(BaseDomain(msp=northwind, region=north, fqdn="tailspin.localhost"), by=BY)
        services.add_base_domain(BaseDomain(msp=fabrikam, region=north, fqdn="acme.example"), by=BY)
        with pytest.raises(ValidationError, match="in use"):
            services.create_msp(Msp(name="Tailspin", slug="tailspin"), by=BY)
    contexts.use_msp(northwind)
    answers(dns_file, own)
    with pytest.raises(ValidationError, match="belongs to the SBCs"):
        services.check_host(own, by=BY)


def test_operator_and_msp_each_have_the_button(northwind, fabrikam, acme, nadia, operator, later):
    words = "Give existing customers a name here"
    msp, console = client_of(nadia, northwind), client_of(operator, None)
    assert words in msp.get("/domains/").content.decode()
    assert words in console.get(f"/msps/{northwind.pk}/").content.decode()
    assert "2 customers have no name" in msp.get(f"/domains/base/{later.pk}/names/").content.decode()
    assert console.get(f"/msps/{fabrikam.pk}/base-domains/{later.pk}/names/").status_code == 404
    path = f"/msps/{northwind.pk}/base-domains/{later.pk}/names/"
    assert console.post(path, {"confirmed": "1"}).status_code == 302
    with contexts.msp(northwind):
        assert CustomerRegion.objects.filter(base_domain=later).count() == 2
        assert Domain.objects.filter(tenant=acme).count() == 1
    assert words not in msp.get("/domains/").content.decode()
