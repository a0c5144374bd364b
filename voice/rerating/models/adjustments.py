"""What rating again changed of calls that were posted: entries for the difference, beside charges and costs.

A charge with its adjustments says what a call costs now; sums of usage are the sums of both.
"""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from voice.calls.models.cdr import Direction


class Moved(models.Model):
    """What one proposal moved of one call under one destination and currency; never changed.

    A call that goes to another destination leaves two: one takes it away there, one adds it here.
    """

    tenant = models.ForeignKey("tenants.Customer", models.DO_NOTHING, db_constraint=False, db_index=False)
    msp = models.ForeignKey("tenants.Msp", models.DO_NOTHING, db_constraint=False, db_index=False)
    # The key of the record, of the charge and of the cost.
    invited = models.DateTimeField()
    call = models.UUIDField()
    answered = models.DateTimeField()
    direction = models.TextField(choices=Direction.choices)
    destination = models.TextField(blank=True)
    currency = models.TextField(blank=True)
    # By how much each figure changes: calls is -1 where the call no longer counts, 1 where it counts now, or 0.
    calls = models.SmallIntegerField(default=0)
    seconds = models.IntegerField(default=0)
    billed = models.IntegerField(default=0)
    micros = models.BigIntegerField()
    proposal_id = models.BigIntegerField()
    made_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.micros} {self.currency}"


class Adjustment(Moved):
    """What a customer owes more or less for a call than was posted; `invoice_id` says which invoice bears it."""

    invoice_id = models.BigIntegerField(_("invoice"), null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "invited", "call", "proposal_id", "destination", "currency"],
                name="rerating_adjustment_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "answered"], condition=models.Q(invoice_id=None), name="rerating_adjustment_open"
            ),
            models.Index(
                fields=["invoice_id"], condition=models.Q(invoice_id__isnull=False), name="rerating_adjustment_bill"
            ),
            models.Index(fields=["proposal_id"], name="rerating_adjustment_run"),
        ]


class CostAdjustment(Moved):
    """What a trunk asks more or less for a call than was posted: the MSP's to know."""

    trunk = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "invited", "call", "trunk", "proposal_id", "destination", "currency"],
                name="rerating_costadjustment_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["msp", "answered"], name="rerating_costadjustment_msp"),
            models.Index(fields=["proposal_id"], name="rerating_costadjustment_run"),
        ]
