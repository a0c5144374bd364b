"""The three kinds of scope: who they are on the wire, and which regions' nodes carry them."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from django.db.models import F, QuerySet

from portal.core import nudges
from portal.db.together import Together
from sbc.models import Node
from tenants.models import BaseDomain, Customer, Msp, Region
from tenants.scopes import Scope, scope_key

__all__ = [
    "COMPILED_STATES", "KINDS", "Scope", "carriers_of", "carrying", "find_scope", "nodes_of", "nudge_node",
    "owner_of", "scope_key", "scopes_of", "served_by", "tell_pages",
]  # fmt: skip

KINDS: dict[str, type[Scope]] = {"region": Region, "msp": Msp, "cust": Customer}
# Customers whose schema is not ready, or gone, have nothing to compile.
COMPILED_STATES = (Customer.State.ACTIVE, Customer.State.SUSPENDED, Customer.State.CLOSING)


def find_scope(key: str) -> Scope | None:
    """Return the region, MSP or customer that a scope's name stands for."""
    kind, _, pk = key.partition(":")
    model: Any = KINDS[kind]
    found: Scope | None = model.objects.filter(pk=int(pk)).first()
    return found


def owner_of(scope: Scope) -> dict[str, int | None]:
    """Return the owner columns of a scope's rows: a customer's belong to its MSP too."""
    if isinstance(scope, Region):
        return {"region_id": scope.pk, "msp_id": None, "tenant_id": None}
    if isinstance(scope, Msp):
        return {"region_id": None, "msp_id": scope.pk, "tenant_id": None}
    return {"region_id": None, "msp_id": scope.msp_id, "tenant_id": scope.pk}


def carrying(scope: Scope) -> "QuerySet[Any, Any]":
    """Return the `region` of those whose nodes carry the scope, each once."""
    if isinstance(scope, Region):
        return Region.objects.filter(pk=scope.pk).values(region=F("pk"))
    mine = {"msp": scope} if isinstance(scope, Msp) else {"customer_regions__customer": scope}
    return BaseDomain.objects.filter(**mine).order_by().values("region").distinct()


def nodes_of(regions: Any) -> QuerySet[Node]:
    """Return the enabled nodes of these regions; one that has never been heard of holds nobody up."""
    return Node.objects.enabled().exclude(boot="").filter(region_id__in=regions).order_by("pk")


def carriers_of(scope: Scope) -> list[int]:
    """Return the ids of the nodes that carry the scope."""
    return [row["pk"] for row in _carriers(type(scope)).ask(id=scope.pk)["nodes"]]


@cache
def _carriers(kind: type[Scope]) -> Together:
    return Together({"nodes": nodes_of(carrying(kind(pk=-1))).values("pk")}, id=-1)


def scopes_of(node: Node) -> Iterator[Scope]:
    """Yield what the node carries, outer scopes first."""
    yield node.region
    bases = BaseDomain.objects.filter(region=node.region_id)
    yield from Msp.objects.filter(pk__in=bases.values("msp")).order_by("pk")
    carried = Customer.objects.filter(state__in=COMPILED_STATES, customer_regions__base_domain__in=bases)
    yield from carried.order_by("pk").distinct()


def served_by(node: Node, customers: Iterable[int]) -> dict[int, int]:
    """Return, of these ids, the customers whose calls the node may carry, with their MSPs: those of its region.

    In whatever state they are now: records of a customer that was closed may still be on their way.
    """
    possible = [pk for pk in customers if 0 < pk < 2**31]
    if not possible:
        return {}
    here = Customer.objects.filter(pk__in=possible, customer_regions__base_domain__region=node.region_id)
    return dict(here.values_list("pk", "msp_id"))


def nudge_node(pk: int) -> None:
    """Tell the connection of a node that there is work; a lost nudge costs time only."""
    nudges.nudge_group(f"node.{pk}")


def tell_pages(scope: Scope) -> None:
    """Tell open pages that something about the rollout of a scope has changed."""
    owner = owner_of(scope)
    nudges.topic(owner["tenant_id"], owner["msp_id"], "rollout")
