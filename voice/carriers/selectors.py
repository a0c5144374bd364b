"""Reads of trunks that need more than a queryset method."""

from django.db import connection
from django.db.models import Q, QuerySet

from tenants.models import Customer, Msp, Region
from voice.carriers.models import BlockedPrefix, EmergencyTrunk, Trunk, TrunkGrant, TrunkQuerySet


def trunks_for(customer: Customer) -> TrunkQuerySet:
    """Return the open trunks that the customer's calls may use: its own, and the MSP's that were granted to it."""
    granted = TrunkGrant.objects.open().filter(tenant=customer).values("trunk")
    mine = Q(tenant=customer) | Q(tenant=None, pk__in=granted)
    return Trunk.objects.open().filter(mine, msp=customer.msp_id)


def shared_trunks(msp: Msp) -> TrunkQuerySet:
    """Return the MSP's own open trunks."""
    return Trunk.objects.open().shared().filter(msp=msp)


def customers_with(trunks: TrunkQuerySet) -> QuerySet[Customer]:
    """Return the customers that have one of these shared trunks: its source addresses stand in the rows of each."""
    granted = TrunkGrant.objects.open().filter(trunk__in=trunks.shared().values("pk")).values("tenant")
    return Customer.objects.filter(pk__in=granted).exclude(state=Customer.State.CLOSED)


def trunks_to_approve(msp: Msp) -> TrunkQuerySet:
    """Return customers' own trunks that wait for the MSP, because somebody else uses their address too."""
    return Trunk.objects.open().filter(msp=msp, approved=False).select_related("tenant")


def emergency_trunks(msp_id: int, country: str) -> QuerySet[EmergencyTrunk]:
    """Return the MSP's emergency list for the country in the order that calls try it."""
    return EmergencyTrunk.objects.in_order().filter(msp=msp_id, country=country).select_related("trunk")


def blocked_prefixes(msp_id: int) -> QuerySet[BlockedPrefix]:
    """Return what no customer of the MSP may call."""
    return BlockedPrefix.objects.filter(msp=msp_id).order_by("prefix")


def regions_of(trunk: Trunk) -> list[Region]:
    """Return the regions whose SBCs carry the trunk."""
    if trunk.tenant_id:
        found = Region.objects.filter(base_domains__customer_regions__customer=trunk.tenant_id)
    else:
        found = Region.objects.filter(base_domains__msp=trunk.msp_id)
    return list(found.distinct().order_by("name"))


def all_regions() -> list[Region]:
    """Return every region, or one that names no networks where there is none yet."""
    return list(Region.objects.order_by("name")) or [Region(name="–")]


def used_elsewhere(trunk: Trunk) -> bool:
    """Return whether somebody else's trunk has one of the addresses; whose, nobody on this side may know."""
    addresses = sorted({trunk.host, *trunk.source_addresses})
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.carriers_used_elsewhere(%s, %s)", [addresses, trunk.tenant_id])
        return bool(cursor.fetchone()[0])
