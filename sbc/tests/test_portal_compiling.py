"""What becomes a revision, in which order, and what keeps one scope from holding up the others."""

from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from portal.db import contexts
from sbc import facts, services
from sbc.models import Alarm, Revision
from tenants.models import Customer, Msp, Region
from tenants.scopes import config_changed

pytestmark = pytest.mark.django_db(transaction=True)
MIGRATION = import_module("tenants.migrations.0012_public_networks_reach_nodes")


def change(customer: Customer) -> int:
    with contexts.ingest():
        version = config_changed(customer)
    services.compile_revisions()
    return version


def alarms(kind: str) -> list[str]:
    with contexts.ingest():
        return list(Alarm.objects.open().filter(kind=kind).values_list("text", flat=True))


def opened(region: Region) -> set[str]:
    """Return the networks that the newest revision of a region lets trunks use."""
    with contexts.ingest():
        newest = Revision.objects.filter(scope=f"region:{region.pk}").latest("version")
    return {value for table, key, value in newest.rows if "allow" in key}


def test_a_customer_for_whom_somebody_waits_goes_first_but_not_before_its_msp(
    acme: Customer, globex: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.compile_revisions()
    with contexts.owner():
        for outer in (Region, Msp):
            outer.objects.update(live_version=F("config_version"))

    def order(*changed: Customer | Msp) -> list[str]:
        """Return the scopes in the order in which they are compiled once all of these have changed."""
        with contexts.ingest():
            last = Revision.objects.latest("pk").pk
            for scope in changed:
                config_changed(scope)
        services.compile_revisions(first=f"cust:{globex.pk}")
        with contexts.ingest():
            return list(Revision.objects.filter(pk__gt=last).order_by("pk").values_list("scope", flat=True))

    mine, others, outer = f"cust:{globex.pk}", f"cust:{acme.pk}", f"msp:{acme.msp_id}"
    assert acme.pk < globex.pk
    assert order(acme, globex) == [mine, others]
    assert order(acme.msp, acme, globex) == [outer, others, mine]
    # Who has been closed meanwhile is nobody's to compile.
    with contexts.owner():
        Msp.objects.update(live_version=F("config_version"))
        Customer.objects.filter(pk=globex.pk).update(state="closed", config_version=F("config_version") + 1)
    assert order() == []


def test_revisions_never_change(acme: Customer) -> None:
    services.compile_revisions()
    with contexts.ingest():
        revision = Revision.objects.get(scope=f"cust:{acme.pk}")
        with pytest.raises(Exception, match=str(revision)):
            revision.save()
        with pytest.raises(Exception, match="permission denied"):
            Revision.objects.update(rows=[])


def test_unchanged_routing_keeps_its_generation(acme: Customer) -> None:
    services.compile_revisions()
    change(acme)

    with contexts.ingest():
        first, second = Revision.objects.filter(scope=f"cust:{acme.pk}").order_by("version")
    assert second.generation == first.generation
    assert (second.added, second.changed, second.removed) == (0, 0, 0)


def test_one_customer_that_cannot_be_compiled_holds_up_nobody(
    acme: Customer, globex: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = services.compiling.facts
    real = facts.customer_facts

    def broken(customer: Customer, **more: Any) -> Any:
        if customer.pk == acme.pk:
            raise ValueError("a name with a semicolon")
        return real(customer, **more)

    monkeypatch.setattr(facts, "customer_facts", broken)
    services.compile_revisions()

    with contexts.ingest():
        assert Revision.objects.filter(scope=f"cust:{globex.pk}").exists()
        assert not Revision.objects.filter(scope=f"cust:{acme.pk}").exists()
    assert "semicolon" in alarms("compile")[0]


def test_a_region_without_networks_opens_the_public_ones_after_an_upgrade_too(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an older version made of the empty list was no network at all."""
    monkeypatch.setattr(facts, "for_nodes", lambda *_networks: ([], []))
    with contexts.ingest():
        Region.objects.filter(pk=region.pk).update(allowed_networks=[])
        config_changed(region)
    services.compile_revisions()
    monkeypatch.undo()
    assert opened(region) == set()

    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute(MIGRATION.OPEN)
    services.compile_revisions()

    assert opened(region) == {"0.0.0.0/0"}
