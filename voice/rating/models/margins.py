"""What calls earned and cost together: the sums that the pages of margins read. They are the MSP's alone."""

from typing import ClassVar

from django.db import models

from voice.calls.models.cdr import Direction


class MarginGrain(models.TextChoices):
    """How fine a sum is: a customer's month by direction, destination and trunk, or only its month or its day (UTC)."""

    ROUTE = "route"
    MONTH = "month"
    DAY = "day"


class MarginSum(models.Model):
    """What a customer's answered calls earned and cost in one currency; a call in two has its earnings in one row.

    `destination` is that of the customer's deck, and the carrier's where the customer's has none; `trunk` is the one
    that a call left by, or came by, 0 for none. `unpriced` and `uncosted` count what is kept aside and not in the sums.
    """

    tenant = models.ForeignKey("tenants.Customer", models.DO_NOTHING, db_constraint=False, db_index=False)
    msp = models.ForeignKey("tenants.Msp", models.DO_NOTHING, db_constraint=False, db_index=False)
    grain = models.TextField(choices=MarginGrain.choices)
    at = models.DateTimeField()
    direction = models.TextField(choices=Direction.choices, blank=True)
    destination = models.TextField(blank=True)
    trunk = models.BigIntegerField(default=0)
    # Empty for what was kept aside without any deck.
    currency = models.TextField(blank=True)
    calls = models.BigIntegerField(default=0)
    seconds = models.BigIntegerField(default=0)
    earned = models.BigIntegerField(default=0)
    cost = models.BigIntegerField(default=0)
    unpriced = models.BigIntegerField(default=0)
    uncosted = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "grain", "at", "direction", "destination", "trunk", "currency"],
                name="rating_marginsum_once",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["msp", "grain", "at"], name="rating_marginsum_msp")]

    def __str__(self) -> str:
        return f"{self.at} {self.destination}"
