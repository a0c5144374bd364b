"""The audit log tells nobody what the pages keep from them."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.timezone import now

from portal.core import audit
from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants.audit_sight import DEMANDS
from tenants.models import Membership, User
from tenants.tests.clients import client_of

BY = Actor(email="nadia@northwind.example")
KNOWN = {area for areas in DEMANDS.values() for area in areas}
# Areas of the telephony and of the desk, whose entries hold nothing that the log's readers may not see.
OPEN = {
    "address", "blocked_prefix", "caller_id", "calls", "carrier", "directory", "emergency", "emergency_list",
    "emergency_trunks", "group", "holiday", "number", "numbers", "person", "place", "queue", "retention", "route",
    "schedule", "site", "stock", "trunk",
}  # fmt: skip


def staff(place, role):
    user = User.objects.create_user(f"{role}@log.example", "x", name=role.title())
    with contexts.msp(getattr(place, "msp", place)):
        Membership(user=user, role=role, **({"tenant": place} if hasattr(place, "label") else {"msp": place})).save()
    return client_of(user, place)


def told(browser):
    page = browser.get("/audit/").content.decode()
    return page + browser.get("/api/v1/audit/").content.decode()


@pytest.mark.django_db
def test_who_may_not_see_costs_or_bills_does_not_read_them_in_the_log(acme, northwind):
    with contexts.msp(northwind):
        audit.record(BY, "advisor.first_values_saved", after={"licence": "cost-of-ours"})
        audit.record(BY, "invoice.issued", tenant_id=acme.pk, after={"what": "sum-of-bill"})
        audit.record(BY, "invoice.drafted", tenant_id=acme.pk, after={"what": "sum-of-draft"})
        audit.record(BY, "quote.saved", tenant_id=acme.pk, after={"what": "plan-for-sale"})
        entry = audit.entries(verb="invoice.drafted").get()
    desk, support = staff(northwind, "billing"), staff(northwind, "support")
    clerk, manager = staff(acme, "admin"), staff(acme, "voice_manager")

    read = {
        name: told(browser) for name, browser in locals().items() if name in ("desk", "support", "clerk", "manager")
    }
    seen = {
        name: [word for word in ("cost-of-ours", "sum-of-bill", "sum-of-draft", "plan-for-sale") if word in text]
        for name, text in read.items()
    }
    assert seen == {
        "desk": ["cost-of-ours", "sum-of-bill", "sum-of-draft", "plan-for-sale"],
        "support": ["sum-of-bill", "sum-of-draft", "plan-for-sale"],
        "clerk": ["sum-of-bill"],
        "manager": [],
    }
    assert [browser.get(f"/audit/{entry.pk}/").status_code for browser in (support, clerk)] == [200, 404]


@pytest.mark.django_db
def test_the_log_offers_the_areas_of_the_last_three_months(acme, alice):
    with contexts.customer(acme):
        audit.record(BY, "schedule.saved")
        AuditEntry(at=now() - timedelta(days=91), tenant_id=acme.pk, msp_id=acme.msp_id, verb="holiday.saved").save()

    page = client_of(alice, acme).get("/audit/").content.decode()

    assert '<option value="schedule"' in page and '<option value="holiday"' not in page and "holiday" in page.lower()


def _parsed(path):
    try:
        return ast.parse(path.read_text())
    except SystemError:
        # Python 3.11 counts how deep it is for all threads together (CPython issue 106905).
        return ast.parse(path.read_text())


def test_every_area_of_the_log_is_sorted():
    """An app that notes something new says who may read it: here, or among the capabilities."""
    found = set()
    for path in (Path(settings.BASE_DIR) / "voice").rglob("*.py"):
        if "tests" in path.parts:
            continue
        for node in ast.walk(_parsed(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("audit.record") and len(node.args) > 1:
                texts = (each.value for each in ast.walk(node.args[1]) if isinstance(each, ast.Constant))
                found |= {text.partition(".")[0] for text in texts if isinstance(text, str) and text.find(".") > 0}
    assert len(found) > 30
    assert found - KNOWN - OPEN == set()
    assert set() == KNOWN & OPEN
