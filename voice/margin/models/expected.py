"""What months that nobody has billed yet are expected to bring beside the charges of their calls."""

from django.db import models


class ExpectedMonth(models.Model):
    """What a customer's contract asks in one currency for a month without an issued invoice, as worked out at night.

    `fees` are those of the whole month, with surcharges, minimums, credits and all discounts but those on calls. `off`
    is what plans take off the charges of the calls so far, less what they ask for these calls themselves: below zero
    where prices per call come to more than that.
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
            models.UniqueConstraint(fields=["tenant", "month", "currency"], name="margin_expectedmonth_once"),
        ]
        indexes = [models.Index(fields=["msp", "month"], name="margin_expectedmonth_msp")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.fees - self.off} {self.currency}"
