from django.db import models

from voice.calls.models.cdr import Direction


class RunningCall(models.Model):
    """A long call that goes on, as its node told last: gone with its record, priced only when the end is known.

    `record` is all that the node knows of it. Should the node never come back, the call's record is made of it.
    """

    call = models.UUIDField(unique=True)
    tenant = models.ForeignKey("tenants.Customer", models.CASCADE, related_name="+", db_constraint=False)
    msp = models.ForeignKey("tenants.Msp", models.CASCADE, related_name="+", db_constraint=False)
    node_name = models.TextField()
    direction = models.TextField(choices=Direction.choices)
    answered = models.DateTimeField()
    seen = models.DateTimeField()
    record = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["seen"], name="calls_runningcall_seen")]

    def __str__(self) -> str:
        return f"{self.call}"

    @property
    def seconds(self) -> int:
        """Return how long it has lasted for certain."""
        return max(0, int((self.seen - self.answered).total_seconds()))
