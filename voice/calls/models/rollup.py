from django.db import models

from voice.calls.masking import NumbersQuerySet
from voice.calls.models.cdr import Direction


class Grain(models.TextChoices):
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


class Counted(models.Model):
    """Belongs to one customer and one minute, hour or day (UTC)."""

    tenant = models.ForeignKey(
        "tenants.Customer", models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    msp = models.ForeignKey("tenants.Msp", models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    grain = models.TextField(choices=Grain.choices)
    at = models.DateTimeField()

    class Meta:
        abstract = True


class Rollup(Counted):
    """A customer's calls in one minute, hour or day; `trunk` empty counts all of them, else those of one trunk."""

    trunk = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)
    # Answered, busy, no answer or rejected: the network did its part (E.425).
    effective = models.PositiveIntegerField(default=0)
    talk_ms = models.PositiveBigIntegerField(default=0)
    pdd_ms = models.PositiveBigIntegerField(default=0)
    pdd_calls = models.PositiveIntegerField(default=0)
    peak = models.PositiveIntegerField(default=0)
    # Of a day: thousandths of new calls a second that 95 of 100 of its minutes with calls did not go above.
    cps95 = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "grain", "at", "trunk"], name="calls_rollup_once")]
        indexes = [models.Index(fields=["msp", "grain", "at"], name="calls_rollup_msp")]


class FailureRollup(Counted):
    """How many of a customer's calls failed with one code and disposition in one minute or day."""

    code = models.IntegerField()
    disposition = models.TextField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "grain", "at", "code", "disposition"], name="calls_failure_once")
        ]
        indexes = [models.Index(fields=["msp", "grain", "at"], name="calls_failure_msp")]


class NumberDayQuerySet(NumbersQuerySet["NumberDay"]):
    """What numbers did, day by day."""


class NumberDay(models.Model):
    """What one of a customer's numbers did in a day (UTC) in one direction; `number` empty is every other number.

    The key is the number and not the person who has it: a call is made with its number for good, while a person may be
    noted late or wrongly, and another one next week. Whoever shows a row says who had the number on that very day, so
    that nobody is shown the calls of whoever had it before. Of a call inside a customer each end counts for its number.
    """

    tenant = models.ForeignKey(
        "tenants.Customer", models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    msp = models.ForeignKey("tenants.Msp", models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    at = models.DateTimeField()
    number = models.TextField(blank=True)
    direction = models.TextField(choices=Direction.choices)
    calls = models.PositiveBigIntegerField(default=0)
    answered = models.PositiveBigIntegerField(default=0)
    talk_ms = models.PositiveBigIntegerField(default=0)

    objects = NumberDayQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "at", "number", "direction"], name="calls_numberday_once")
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} {self.number}"
