"""Which call is on which line of which invoice, once each and for good, and what that comes to by month."""

from django.db import models
from django.db.models import F, Q


class BilledCharge(models.Model):
    """The charge of one call on the line that bills it, with what an allowance took off; the key is the charge's.

    It comes and goes with a draft and stays with an issued invoice. The database refuses a second line for a call.
    """

    pk = models.CompositePrimaryKey("tenant_id", "invited", "id")
    tenant = models.ForeignKey("tenants.Customer", models.DO_NOTHING, db_constraint=False, db_index=False)
    msp = models.ForeignKey("tenants.Msp", models.DO_NOTHING, db_constraint=False, db_index=False)
    invited = models.DateTimeField()
    id = models.UUIDField()
    line = models.ForeignKey(
        "receivables.InvoiceLine", models.CASCADE, db_constraint=False, db_index=False, related_name="calls"
    )
    micros = models.BigIntegerField()
    allowance = models.TextField(blank=True)
    covered = models.PositiveIntegerField(default=0)
    off = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["line", "invited", "id"], name="receivables_billed_line")]
        constraints = [
            models.CheckConstraint(name="receivables_billed_off", condition=Q(off__gte=0, off__lte=F("micros"))),
        ]

    def __str__(self) -> str:
        return f"{self.micros - self.off}"


class BilledMonth(models.Model):
    """What of the charges of one month (UTC) an issued invoice bills in one currency: written once, with its number.

    Calls that arrived late stand in a month of their own. What was priced again counts in the month of its calls.
    """

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+", db_index=False)
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+", db_index=False)
    # A draft has none, so none goes with it.
    invoice = models.ForeignKey("receivables.Invoice", models.DO_NOTHING, related_name="+")
    # The first days of the month in which the calls were answered, and of that in which the invoice's period begins.
    month = models.DateField()
    billed_in = models.DateField()
    currency = models.TextField()
    micros = models.BigIntegerField()
    # What allowances and prices by volume took off the charges.
    off = models.BigIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["msp", "month"], name="receivables_billedmonth_calls"),
            models.Index(fields=["msp", "billed_in"], name="receivables_billedmonth_in"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "month", "currency"], name="receivables_billedmonth_once"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.micros} {self.currency}"
