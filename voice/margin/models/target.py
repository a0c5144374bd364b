"""The share of its revenue that the MSP wants to keep."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Target(models.Model):
    """The margin that an MSP wants, in thousandths of revenue: for all customers, or for one of them."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey(
        "tenants.Customer", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("customer")
    )
    per_mille = models.PositiveSmallIntegerField(_("margin wanted"))
    row_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["msp", "tenant"],
                nulls_distinct=False,
                name="margin_target_once",
                violation_error_message=_("This customer has a target already."),
            ),
            models.CheckConstraint(
                name="margin_target_is_share",
                condition=Q(per_mille__gte=0, per_mille__lt=1000),
                violation_error_message=_("A margin wanted is from 0 to 99.9 percent of revenue."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.per_mille / 10:g} %"
