"""Reads of trunks that need more than a queryset method."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.ui.parts import Step
from tenants.countries import country_in_words
from tenants.models import Customer, Msp, Region
from tenants.selectors import tells_step
from voice.carriers.models import BlockedPrefix, EmergencyCover, EmergencyTrunk, Trunk, TrunkGrant, TrunkQuerySet


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


def emergency_lists(msp_id: int) -> QuerySet[EmergencyTrunk]:
    """Return the MSP's emergency lists, country by country, each in the order that calls try it."""
    return EmergencyTrunk.objects.in_order().filter(msp=msp_id)


def emergency_trunks(msp_id: int, country: str) -> QuerySet[EmergencyTrunk]:
    """Return the MSP's emergency list for the country in the order that calls try it."""
    return emergency_lists(msp_id).filter(country=country).select_related("trunk")


def customers_in(msp: Msp, country: str) -> QuerySet[Customer]:
    """Return the MSP's customers in whose rows the country's emergency list stands: at home or abroad there."""
    abroad = EmergencyCover.objects.filter(msp=msp, country=country).values("tenant")
    found = Customer.objects.filter(Q(country=country) | Q(pk__in=abroad), msp=msp)
    return found.exclude(state=Customer.State.CLOSED)


def trunks_in_use(msp: Msp) -> list[int]:
    """Return the trunks that calls may take now, those of customers among them; in the MSP's context."""
    return list(Trunk.objects.open().filter(msp=msp, enabled=True, approved=True).values_list("pk", flat=True))


def without_help(msp: Msp) -> QuerySet[EmergencyCover]:
    """Return where customers with numbers in use have no trunk in use for emergency calls; in the MSP's context."""
    found = EmergencyCover.objects.filter(msp=msp, has_callers=True).exclude(trunks__overlap=trunks_in_use(msp))
    return found.select_related("tenant").order_by("country", "tenant__name")


@tells_step
def emergency_step(customer: Customer) -> Step:
    """Return whether somebody who dials 112 at a customer is heard; in the MSP's context."""
    label, listed = _("Emergency trunks"), emergency_trunks(customer.msp_id, customer.country).values_list("trunk")
    own = EmergencyCover.objects.filter(tenant=customer, country=customer.country).values_list("trunks", flat=True)
    in_use = Trunk.objects.open().filter(Q(pk__in=listed) | Q(pk__in=own.first() or []), enabled=True, approved=True)
    if names := list(in_use.in_name_order().values_list("name", flat=True)):
        return Step(label, "done", ", ".join(names))
    words = _("No trunk carries emergency calls in %(country)s yet: whoever calls for help there would get no answer.")
    told = words % {"country": country_in_words(customer.country)}
    return Step(label, "todo", told, action=_("Choose trunks"), url=reverse("carriers:emergency"))


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


def used_elsewhere(tenant_id: int | None, addresses: Iterable[str]) -> bool:
    """Return whether somebody else's trunk has one of the addresses; whose, nobody on this side may know."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.carriers_used_elsewhere(%s, %s)", [sorted(addresses), tenant_id])
        return bool(cursor.fetchone()[0])
