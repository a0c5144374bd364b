from django.db import models
from django.db.models import F, Q


class HourCountQuerySet(models.QuerySet["HourCount"]):
    def open(self) -> "HourCountQuerySet":
        return self.filter(settled=None)


class HourCount(models.Model):
    """What a node says to have spooled in one hour for one customer, and what the portal found of it.

    `settled` is when both were the same. From then on nothing is counted anew: erased calls do not open it again.
    """

    node = models.ForeignKey("sbc.Node", models.CASCADE, related_name="hour_counts")
    spool = models.UUIDField()
    at = models.DateTimeField()
    customer = models.BigIntegerField()  # 0 for records that name none
    # The node's own count, and the sequences of the first and the last of the customer's records.
    records = models.PositiveIntegerField()
    orphans = models.PositiveIntegerField()
    first = models.PositiveBigIntegerField()
    last = models.PositiveBigIntegerField()
    # What the portal has of them: as calls, kept aside, as ends without a call.
    stored = models.PositiveIntegerField(default=0)
    aside = models.PositiveIntegerField(default=0)
    ended = models.PositiveIntegerField(default=0)
    checked = models.DateTimeField(null=True)
    settled = models.DateTimeField(null=True)

    objects = HourCountQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["spool", "at", "customer"], name="sbc_hourcount_once")]
        indexes = [
            models.Index(fields=["node", "-at"], name="sbc_hourcount_node_at"),
            models.Index(fields=["at"], condition=Q(settled=None), name="sbc_hourcount_open"),
        ]

    def __str__(self) -> str:
        return f"{self.node} {self.at:%Y-%m-%d %H}:00"

    @property
    def said(self) -> int:
        return self.records + self.orphans

    @property
    def found(self) -> int:
        return self.stored + self.aside + self.ended


def differing() -> Q:
    """Return what holds for counts that do not add up as they were found last."""
    return ~Q(stored=F("records") + F("orphans") - F("aside") - F("ended"))


class OrphanEnd(models.Model):
    """An end of a call that a node did not know: counted, so that no number of a spool is without its record."""

    node = models.ForeignKey("sbc.Node", models.CASCADE, related_name="+")
    spool = models.UUIDField()
    sequence = models.PositiveBigIntegerField()
    call_id = models.TextField(blank=True)
    at = models.DateTimeField()
    # Whether it gave a call, whose end was not known, its end.
    completed = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["spool", "sequence"], name="sbc_orphanend_once")]
