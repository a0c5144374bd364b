from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

NUMBERS = ("caller", "caller_sent", "called", "called_sent")
SHOWN_OF_NUMBER = 6


class QuarantineQuerySet(models.QuerySet["QuarantinedRecord"]):
    def waiting(self) -> "QuarantineQuerySet":
        return self.filter(settled=None)


class QuarantinedRecord(models.Model):
    """A record that no customer can be found for, or that cannot be read: kept as it came, until a person decides."""

    class Outcome(models.TextChoices):
        STORED = "stored", _("Stored as a call")
        ASIDE = "aside", _("Set aside")

    node = models.ForeignKey("sbc.Node", models.PROTECT, related_name="quarantine")
    spool = models.UUIDField()
    sequence = models.PositiveBigIntegerField()
    reason = models.TextField()
    record = models.JSONField()
    received = models.DateTimeField(auto_now_add=True)
    settled = models.DateTimeField(null=True)
    outcome = models.TextField(choices=Outcome.choices, blank=True)
    note = models.TextField(blank=True)  # why somebody set it aside

    objects = QuarantineQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["spool", "sequence"], name="sbc_quarantine_once")]

    def __str__(self) -> str:
        return f"{self.node} {self.sequence}"

    @property
    def facts(self) -> dict[str, Any]:
        """Return what the record says. Of telephone numbers only the beginning: they are some customer's, not ours."""
        known = self.record if isinstance(self.record, dict) else {"record": self.record}
        return {name: _short(value) if name in NUMBERS else value for name, value in known.items()}


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= SHOWN_OF_NUMBER else text[:SHOWN_OF_NUMBER] + "…"
