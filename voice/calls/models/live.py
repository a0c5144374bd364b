from django.db import models
from django.utils.translation import gettext_lazy as _

from voice.calls.masking import NumbersQuerySet
from voice.calls.models.cdr import Direction


class LiveCallQuerySet(NumbersQuerySet["LiveCall"]):
    """Calls in progress."""


class LiveCall(models.Model):
    """A call in progress as one customer sees it: for the eye, lost without harm, gone with its node."""

    class State(models.TextChoices):
        START = "start", _("Calling")
        RINGING = "ringing", _("Ringing")
        ANSWERED = "answered", _("Talking")

    call = models.UUIDField()
    tenant = models.ForeignKey("tenants.Customer", models.CASCADE, related_name="+", db_constraint=False)
    msp = models.ForeignKey("tenants.Msp", models.CASCADE, related_name="+", db_constraint=False)
    node_name = models.TextField()
    direction = models.TextField(choices=Direction.choices)
    caller = models.TextField()
    called = models.TextField()
    trunk = models.TextField(blank=True)
    route_id = models.BigIntegerField(null=True)
    state = models.TextField(choices=State.choices)
    started = models.DateTimeField()
    answered = models.DateTimeField(null=True)
    updated = models.DateTimeField()

    objects = LiveCallQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "call"], name="calls_livecall_once")]
        indexes = [models.Index(fields=["node_name"], name="calls_livecall_node")]
