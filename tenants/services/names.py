"""Names on the SBCs for customers that were there before their MSP had a base domain in the region."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.db import contexts
from tenants import selectors
from tenants.models import BaseDomain, Customer, CustomerRegion
from tenants.scopes import config_changed
from tenants.services.customers import sbc_names


@transaction.atomic
def give_names(base: BaseDomain, *, by: Actor) -> list[Customer]:
    """Give every customer of the MSP a name on this base, and send them to the region's SBCs; safe to repeat.

    Raises ValidationError where a name is a base domain itself; then no customer has got one.
    """
    with contexts.msp(base.msp):
        # In the order of their ids: two of these never wait for each other in a circle.
        customers = list(selectors.without_name(base).order_by("pk"))
        for customer in customers:
            config_changed(customer)
            (name,) = sbc_names(customer.label, [base]).values()
            with contexts.public():
                taken = BaseDomain.objects.filter(fqdn=name).exists()
            if taken:
                raise ValidationError(_("%(name)s is a base domain; no customer can have this name.") % {"name": name})
            CustomerRegion.objects.get_or_create(customer=customer, base_domain=base, defaults={"fqdn": name})
            audit.record(
                by, "customer.named", customer, after={"fqdn": name}, tenant_id=customer.pk, msp_id=customer.msp_id
            )
    return customers
