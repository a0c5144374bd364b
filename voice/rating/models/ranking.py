"""What becomes of calls that cost more than they bring, and the tables by which nodes rank trunks."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class LossPolicy(models.Model):
    """What becomes of calls that cost more than they bring: of all customers of an MSP, or of one that is named.

    The one of all says by which call costs are compared at all, also where a line goes by price.
    """

    class Mode(models.TextChoices):
        REPORT = "report", _("Only report them")
        REFUSE = "refuse", _("Do not use trunks that cost more than the customer pays")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, null=True, blank=True, related_name="+")
    mode = models.TextField(_("calls below cost"), choices=Mode)
    typical_seconds = models.PositiveIntegerField(
        _("typical call"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(7200)],
        help_text=_("In seconds: trunks are compared by what such a call costs. Empty is three minutes."),
    )
    row_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint("msp", "tenant", name="rating_losspolicy_once", nulls_distinct=False),
            models.CheckConstraint(
                name="rating_losspolicy_mode_known",
                condition=Q(mode__in=["report", "refuse"]),
                violation_error_message=_("Choose one of the ways that are offered."),
            ),
            models.CheckConstraint(
                name="rating_losspolicy_typical_call",
                condition=Q(typical_seconds=None) | Q(typical_seconds__range=(1, 7200), tenant=None),
                violation_error_message=_("A typical call lasts from 1 to 7200 seconds, the same for all customers."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_mode_display())


class PriceUse(models.Model):
    """A customer with a line that goes by price: while an MSP has one, its nodes are told how its trunks rank."""

    tenant = models.OneToOneField("tenants.Customer", models.CASCADE, primary_key=True, related_name="+")
    msp = models.ForeignKey("tenants.Msp", models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return str(self.tenant_id)


class PriceTables(models.Model):
    """An MSP's tables of prices for its nodes: `wanted` counts what may change them, `made` says what they include."""

    msp = models.OneToOneField("tenants.Msp", models.CASCADE, primary_key=True, related_name="+")
    wanted = models.PositiveBigIntegerField(default=0)
    made = models.PositiveBigIntegerField(default=0)
    made_at = models.DateTimeField(null=True)
    # When the clock alone makes them stale: a price that changes beyond what the timetable tells.
    next_at = models.DateTimeField(null=True)
    rows = models.JSONField(default=list)  # [[table, key, value], …]
    # What a typical call is sold below cost at now: {"count", "worst": [{"prefix", "sell", "buy", …}], "currency",
    # "converted": [rates in words], "skipped": [decks without one]}
    losses = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(name="rating_pricetables_made", condition=Q(made__lte=models.F("wanted"))),
        ]

    def __str__(self) -> str:
        return f"msp:{self.msp_id} {self.made}/{self.wanted}"
