from django.db import models


class QuarantinedRecord(models.Model):
    """A record that no customer can be found for, or that cannot be read: kept as it came, until a person decides."""

    node = models.ForeignKey("sbc.Node", models.PROTECT, related_name="quarantine")
    spool = models.UUIDField()
    sequence = models.PositiveBigIntegerField()
    reason = models.TextField()
    record = models.JSONField()
    received = models.DateTimeField(auto_now_add=True)
    settled = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["spool", "sequence"], name="sbc_quarantine_once")]
