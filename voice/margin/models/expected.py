"""What months that nobody has billed yet are expected to bring beside the charges of their calls."""

from django.db import models
from django.db.models import Q


class ExpectedMonth(models.Model):
    """What a customer's contract asks for a month without an issued invoice, as it was worked out at night.

    `fees` are those of the whole month, with surcharges, discounts, minimums and credits; `off` is what included
    minutes and prices by volume take off the charges of the calls so far.
    """

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+", db_index=False)
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+", db_index=False)
    month = models.DateField()
    currency = models.TextField()
    fees = models.BigIntegerField()
    off = models.BigIntegerField(default=0)
    worked_out_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "month"], name="margin_expectedmonth_once"),
            models.CheckConstraint(name="margin_expectedmonth_off", condition=Q(off__gte=0)),
        ]
        indexes = [models.Index(fields=["msp", "month"], name="margin_expectedmonth_msp")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.fees - self.off} {self.currency}"
