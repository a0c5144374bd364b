"""The addresses that nodes listen at: no trunk may have them, and who has one already is compiled without it."""

from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import Q

from portal.db import contexts
from sbc.models import Node
from sbc.scopes import COMPILED_STATES
from tenants.models import Customer, Msp
from tenants.scopes import Scope, config_changed
from voice.carriers.models import Trunk
from voice.carriers.networks import as_address
from voice.carriers.selectors import customers_with

MOST = 20


def own_addresses(region_id: int) -> set[str]:
    """Return what the nodes of a region listen at; every role may ask."""
    said = Node.objects.enabled().filter(region=region_id).values_list("addresses", flat=True)
    return {address for each in said for address in each}


@transaction.atomic
def note_addresses(node: Node, said: Iterable[str]) -> None:
    """Keep what a node says that it listens at; one of an earlier version says nothing of it. As the role ingest."""
    told = sorted({str(address) for text in said if (address := as_address(text))})[:MOST]
    if not told:
        return
    before = Node.objects.select_for_update(no_key=True).values_list("addresses", flat=True).get(pk=node.pk)
    if before == told:
        return
    Node.objects.filter(pk=node.pk).update(addresses=told)
    compile_again(node, set(before) ^ set(told))


def compile_again(node: Node, addresses: Collection[str]) -> int:
    """Open the next version of whoever has a trunk at one of these addresses near the node; return how many have."""
    if not addresses:
        return 0
    with contexts.ingest():
        trunks = Trunk.objects.open().filter(
            source_addresses__has_any_keys=list(addresses), msp__base_domains__region=node.region_id
        )
        granted = customers_with(trunks).values("pk")
        owners = Customer.objects.filter(Q(pk__in=trunks.values("tenant")) | Q(pk__in=granted))
        # Outer scopes first: locks are taken in that order everywhere.
        scopes: list[Scope] = [
            *Msp.objects.filter(pk__in=trunks.shared().values("msp")).order_by("pk"),
            *owners.filter(state__in=COMPILED_STATES).order_by("pk"),
        ]
        for scope in scopes:
            config_changed(scope)
        return len(scopes)
