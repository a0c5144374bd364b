from django.db import models


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
    """How many of a customer's calls failed with one code and disposition in one hour or day."""

    code = models.IntegerField()
    disposition = models.TextField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "grain", "at", "code", "disposition"], name="calls_failure_once")
        ]
        indexes = [models.Index(fields=["msp", "grain", "at"], name="calls_failure_msp")]
