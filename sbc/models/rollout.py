from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Scoped(models.Model):
    """Belongs to one scope: `region:1`, `msp:3` or `cust:17`. `msp` is also set on a customer's rows."""

    scope = models.TextField()
    region = models.ForeignKey("tenants.Region", models.CASCADE, null=True, related_name="+")
    msp = models.ForeignKey("tenants.Msp", models.CASCADE, null=True, related_name="+", db_constraint=False)
    tenant = models.ForeignKey("tenants.Customer", models.CASCADE, null=True, related_name="+", db_constraint=False)

    class Meta:
        abstract = True


class Unchangeable(Exception):
    """A revision says what was wanted at a version; a changed wish is another version."""


class Revision(Scoped):
    """What every node of the scope should hold at one version: rows, never changed once written."""

    version = models.PositiveBigIntegerField()
    rows = models.JSONField()  # [[table, key, value], …], secrets as references
    # By region: source addresses among them that its nodes do not take for a trunk's.
    unfit = models.JSONField(default=dict)
    needs = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    generation = models.PositiveBigIntegerField(default=0)
    fingerprint = models.TextField(blank=True)
    # Against the version before: what the rollout page tells, and whether inner scopes must wait for this one.
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    closing = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "version"], name="sbc_revision_once")]

    def __str__(self) -> str:
        return f"{self.scope} v{self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Unchangeable(str(self))
        super().save(*args, **kwargs)


class Deployment(Scoped):
    """How far one node is with one scope: wanted is desired, running is actual."""

    class State(models.TextChoices):
        PENDING = "pending", _("Not sent yet")
        SENT = "sent", _("Sent")
        ACKED = "acked", _("Running")
        REFUSED = "refused", _("Refused")
        HELD = "held", _("Waits for a person")

    node = models.ForeignKey("sbc.Node", models.CASCADE, related_name="deployments")
    wanted = models.PositiveBigIntegerField(default=0)
    running = models.PositiveBigIntegerField(default=0)
    # The scope is no more this node's: with nothing wanted, what runs is to be forgotten.
    leaving = models.BooleanField(default=False)
    state = models.TextField(choices=State.choices, default=State.PENDING)
    # The apply that is on its way: its version and the nonce that its answer must bear.
    sent = models.PositiveBigIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    nonce = models.TextField(blank=True)
    # A delta was refused: the next apply carries the whole state.
    whole = models.BooleanField(default=False)
    # The version that a person has released although it loses much; another version must be asked for again.
    approved = models.PositiveBigIntegerField(default=0)
    error = models.TextField(blank=True)
    row = models.JSONField(null=True)  # the row that the node refused: {"table", "key"}
    took_ms = models.FloatField(null=True)
    wanted_at = models.DateTimeField(null=True)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["node", "scope"], name="sbc_deployment_once"),
            models.CheckConstraint(
                name="sbc_deployment_one_owner",
                condition=Q(region__isnull=False, msp=None, tenant=None) | Q(region=None, msp__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["scope"], name="sbc_deployment_scope"),
            models.Index(fields=["node"], condition=Q(state="pending"), name="sbc_deployment_pending"),
        ]

    @property
    def is_live(self) -> bool:
        return self.running >= self.wanted

    @property
    def is_partly_live(self) -> bool:
        """Whether the node runs what is wanted but for rows that it left out; `error` says which, and why."""
        return self.is_live and bool(self.error)


class Drift(models.Model):
    """A row on a node that somebody changed by hand: found by the node's sweep, healed by it."""

    node = models.ForeignKey("sbc.Node", models.CASCADE, related_name="drift")
    scope = models.TextField(blank=True)
    table = models.TextField()
    key = models.TextField(blank=True)
    found = models.TextField()
    healed = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["node", "-at"], name="sbc_drift_node_at")]
