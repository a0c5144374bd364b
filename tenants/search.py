"""What the search box finds of tenancy."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.ui.search import Hit, provider
from tenants import selectors
from tenants.models import Customer


@provider("customers.view", places=["msp"])
def customers(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Find customers by name, label or SBC name."""
    matching = Q(name__icontains=text) | Q(label__icontains=text) | Q(customer_regions__fqdn__icontains=text)
    found = selectors.customers_of(request.msp).exclude(state=Customer.State.CLOSED).filter(matching).distinct()
    for customer in found.order_by("name"):
        yield Hit(
            customer.name, reverse("customers:detail", args=[customer.pk]), _("Customer"), "building", customer.label
        )


@provider("msps.view", places=["operator"])
def msps(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Find MSPs by name or short name."""
    for msp in selectors.msps().filter(Q(name__icontains=text) | Q(slug__icontains=text)).order_by("name"):
        yield Hit(msp.name, reverse("msps:detail", args=[msp.pk]), _("MSP"), "building-community", msp.slug)


@provider("team.view", places=["msp", "customer"])
def people(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Find members of the team."""
    here = (None, request.tenant) if request.tenant else (request.msp, None)
    for member in selectors.team(*here).filter(Q(user__email__icontains=text) | Q(user__name__icontains=text)):
        url = f"{reverse('team:list')}?{urlencode({'q': member.user.email})}"
        yield Hit(str(member.user), url, _("Team"), "user", member.get_role_display())
