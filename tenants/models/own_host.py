"""A host name of an MSP's or a customer's own domain, on its way from a wish to a place."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tenants.models.customer import Customer
from tenants.models.platform import Msp


class OwnHost(models.Model):
    """A host name that an MSP wants for its console or for a customer's portal; it leads nowhere until it is proven.

    Only the proof makes a Domain of it, so that nobody keeps a name from its owner by asking for it first.
    """

    msp = models.ForeignKey(Msp, models.PROTECT, related_name="own_hosts")
    tenant = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="own_hosts")
    host = models.TextField(_("host name"))
    token = models.TextField(editable=False)
    added_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    verified_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["msp", "host"],
                name="tenants_ownhost_once",
                violation_error_message=_("You have this host name already."),
            ),
            models.CheckConstraint(
                name="tenants_ownhost_shape",
                condition=Q(
                    host__regex=r"^(?=.{4,243}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$"
                ),
                violation_error_message=_("Write a whole host name, like portal.provider.example."),
            ),
        ]

    def __str__(self) -> str:
        return self.host

    @property
    def state(self) -> str:
        return "active" if self.verified_at else "waiting_dns"

    @property
    def record_name(self) -> str:
        """Where the proof is looked for in DNS."""
        return f"_strowger.{self.host}"

    @property
    def record_value(self) -> str:
        """What the TXT record has to say."""
        return f"strowger-verification={self.token}"
