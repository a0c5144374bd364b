"""Which call is on which line of which invoice: once each, for good."""

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
