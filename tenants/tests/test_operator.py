"""The operator's desk: MSPs, base domains, regions."""

import pytest
from django.core import mail
from django.core.exceptions import ValidationError

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants import services
from tenants.models import BaseDomain, Msp, Region
from tenants.tests.clients import client_of, visitor

pytestmark = pytest.mark.django_db
BY = Actor(email="operator@strowger.example")


def test_an_msp_begins_with_a_console_a_brand_and_an_invited_owner(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        msp = services.create_msp(Msp(name="Tailspin", slug="tailspin"), by=BY, owner_email="ada@tailspin.example")
    assert mail.outbox[0].to == ["ada@tailspin.example"]
    assert "http://tailspin.localhost:8000/invitations/" in mail.outbox[0].body
    assert b"Tailspin" in visitor(msp).get("/account/login/").content


@pytest.mark.parametrize(
    "slug", ["console", "PUBLIC", "a.b", "x',public;--", "", "-a", "ä", "a" * 31, "northwind", "a\n"]
)
def test_a_hostile_or_used_short_name_is_refused(northwind, slug):
    with pytest.raises(ValidationError) as refused:
        services.create_msp(Msp(name="X", slug=slug), by=BY)
    assert "slug" in refused.value.message_dict or "__all__" in refused.value.message_dict


@pytest.mark.parametrize(
    "fqdn",
    ["sbc.northwind.example", "localhost", "a..b", "UPPER_case.example", "x" * 35 + ".example", "", "*.x.example"],
)
def test_a_base_domain_is_a_short_unused_name(region, fabrikam, northwind, fqdn):
    other = services.save_region(Region(name="North", slug="north"), by=BY)
    with pytest.raises(ValidationError):
        services.add_base_domain(BaseDomain(msp=fabrikam, region=other, fqdn=fqdn), by=BY)


def test_a_base_domain_raises_the_versions_of_region_and_msp_and_both_logs_tell(fabrikam):
    north = services.save_region(Region(name="North", slug="north"), by=BY)
    before = (north.config_version, fabrikam.config_version)
    services.add_base_domain(BaseDomain(msp=fabrikam, region=north, fqdn="SBC.Fabrikam.net"), by=BY)
    north.refresh_from_db()
    fabrikam.refresh_from_db()
    assert (north.config_version, fabrikam.config_version) == (before[0] + 1, before[1] + 1)
    assert AuditEntry.objects.filter(verb="base_domain.added").count() == 1
    with contexts.msp(fabrikam):
        assert AuditEntry.objects.filter(verb="base_domain.added").count() == 1
        assert BaseDomain.objects.filter(fqdn="sbc.fabrikam.net").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_networks", ["127.0.0.1/8"]),
        ("denied_networks", ["everything"]),
        ("microsoft_names", [{"fqdn": "-", "port": 5061}]),
        ("microsoft_names", ["sip.example"]),
        ("microsoft_names", [{"fqdn": "sip.example", "port": 0, "address": "x"}]),
    ],
)
def test_a_region_takes_networks_and_names_only(region, name, value):
    setattr(region, name, value)
    with pytest.raises(ValidationError) as refused:
        services.save_region(region, by=BY)
    assert name in refused.value.message_dict


def test_the_form_of_a_region_keeps_what_is_stored(region, operator):
    browser = client_of(operator, None)
    page = browser.get(f"/regions/{region.pk}/").content.decode()
    assert "sip2.pstnhub.microsoft.com:5061 127.0.8.2" in page
    facts = {
        "name": "Lab", "allowed_networks": "127.0.9.0/24\n", "denied_networks": "",
        "microsoft_names": "sip.pstnhub.microsoft.com 127.0.8.1", "microsoft_networks": "127.0.8.0/24",
        "config_version": region.config_version,
    }  # fmt: skip
    assert browser.post(f"/regions/{region.pk}/", facts).status_code == 302
    region.refresh_from_db()
    assert region.microsoft_names == [{"fqdn": "sip.pstnhub.microsoft.com", "port": 5061, "address": "127.0.8.1"}]
    assert browser.post(f"/regions/{region.pk}/", facts).status_code == 200  # the second editor is told
