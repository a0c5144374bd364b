"""What calls cost and earn: a charge for each call of a customer, a cost for each trunk that carried it, the sums.

Charges are the customer's to see, costs never: no policy lets the customers' role read a row of `Cost` or `CostUsage`.
"""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from voice.calls.models.cdr import Direction
from voice.rating.pricing import Outcome


class PricedOutcome(models.TextChoices):
    """The outcomes of pricing as people read them; calls that nobody answered leave no charge."""

    RATED = Outcome.RATED.value, _("Rated")
    FREE = Outcome.FREE.value, _("Free of charge")
    UNRATED = Outcome.UNRATED.value, _("No rate")
    BLOCKED = Outcome.BLOCKED.value, _("Blocked prefix")
    NO_NUMBER = Outcome.NO_NUMBER.value, _("Not a number")
    NO_END = Outcome.NO_END.value, _("End unknown")
    NO_LENGTH = Outcome.NO_LENGTH.value, _("No length")
    TOO_LONG = Outcome.TOO_LONG.value, _("Longer than a day")


ASIDE = tuple(outcome.value for outcome in Outcome if outcome.is_kept_aside)


class Priced(models.Model):
    """One answered call by one deck, under the key of its record; never changed once it costs or is free."""

    tenant = models.ForeignKey("tenants.Customer", models.DO_NOTHING, db_constraint=False, db_index=False)
    msp = models.ForeignKey("tenants.Msp", models.DO_NOTHING, db_constraint=False, db_index=False)
    invited = models.DateTimeField()
    id = models.UUIDField()
    answered = models.DateTimeField()
    direction = models.TextField(choices=Direction.choices)
    destination = models.TextField(blank=True)
    # That of the rate; where there was none, the first digits that were called, so that what lacks can be counted.
    prefix = models.TextField(blank=True)
    outcome = models.TextField(choices=PricedOutcome.choices)
    micros = models.BigIntegerField()
    # Empty where there was no deck.
    currency = models.TextField(blank=True)
    seconds = models.PositiveIntegerField()
    billed = models.PositiveIntegerField()
    deck_id = models.BigIntegerField(null=True)
    rate_id = models.BigIntegerField(null=True)
    rated_at = models.DateTimeField()

    class Meta:
        abstract = True

    @property
    def is_kept_aside(self) -> bool:
        return self.outcome in ASIDE


class Charge(Priced):
    """What a customer pays for one call, by its own deck."""

    pk = models.CompositePrimaryKey("tenant_id", "invited", "id")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["msp", "invited"], condition=models.Q(outcome__in=ASIDE), name="rating_charge_aside"),
        ]

    def __str__(self) -> str:
        return f"{self.micros} {self.currency}"


class Cost(Priced):
    """What an MSP pays a carrier for one call over one trunk, by the trunk's deck."""

    pk = models.CompositePrimaryKey("tenant_id", "invited", "id", "trunk")
    trunk = models.BigIntegerField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["msp", "invited"], condition=models.Q(outcome__in=ASIDE), name="rating_cost_aside"),
        ]

    def __str__(self) -> str:
        return f"{self.micros} {self.currency}"


class UsageGrain(models.TextChoices):
    HOUR = "hour"
    DAY = "day"


class Summed(models.Model):
    """A customer's calls of one hour or day (UTC) in one direction to one destination, by the moment of the answer."""

    tenant = models.ForeignKey("tenants.Customer", models.DO_NOTHING, db_constraint=False, db_index=False)
    msp = models.ForeignKey("tenants.Msp", models.DO_NOTHING, db_constraint=False, db_index=False)
    grain = models.TextField(choices=UsageGrain.choices)
    at = models.DateTimeField()
    direction = models.TextField(choices=Direction.choices)
    destination = models.TextField(blank=True)
    currency = models.TextField(blank=True)
    calls = models.BigIntegerField(default=0)
    answered = models.BigIntegerField(default=0)
    seconds = models.BigIntegerField(default=0)
    billed = models.BigIntegerField(default=0)
    micros = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class Usage(Summed):
    """What a customer's calls came to; those that nobody answered count as calls, at the moment they began."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "grain", "at", "direction", "destination", "currency"], name="rating_usage_once"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["msp", "grain", "at"], name="rating_usage_msp")]

    def __str__(self) -> str:
        return f"{self.at} {self.destination}"


class CostUsage(Summed):
    """What a customer's calls over one trunk came to for its MSP."""

    trunk = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "grain", "at", "direction", "destination", "currency", "trunk"],
                name="rating_costusage_once",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["msp", "grain", "at"], name="rating_costusage_msp")]

    def __str__(self) -> str:
        return f"{self.at} {self.destination}"
