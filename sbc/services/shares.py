"""Limits over several nodes are shares (design D16): who comes or goes changes what the others may carry."""

from django.db import transaction
from django.db.models import Q

from portal.db import contexts
from sbc.models import Deployment, Node
from sbc.scopes import COMPILED_STATES
from tenants.models import Customer, Msp
from tenants.scopes import Scope, config_changed


@transaction.atomic
def divide_again(node: Node) -> int:
    """Send every node its new share of the limits, because this one came or went; return how many scopes changed."""
    with contexts.ingest():
        if not Node.objects.enabled().exclude(boot="").exclude(pk=node.pk).filter(region=node.region_id).exists():
            return 0
        msps = Msp.objects.filter(base_domains__region=node.region_id).distinct()
        customers = Customer.objects.filter(
            state__in=COMPILED_STATES, customer_regions__base_domain__region=node.region_id
        ).distinct()
        # Outer scopes first: locks are taken in that order everywhere.
        scopes: list[Scope] = [*msps.order_by("pk"), *customers.order_by("pk")]
        mine = Q(msp__in=msps, tenant=None) | Q(tenant__in=customers)
        for scope in scopes:
            config_changed(scope)
        # A delta would stand on shares that are no longer true. Scopes before their deployments, as who compiles.
        Deployment.objects.filter(mine).update(whole=True)
        return len(scopes)
