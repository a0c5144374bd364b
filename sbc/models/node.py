from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class NodeQuerySet(models.QuerySet["Node"]):
    def enabled(self) -> "NodeQuerySet":
        return self.exclude(state=Node.State.DISABLED)


class Spool(models.Model):
    """One node's file of records that are worth money; a record is known by its spool and its sequence."""

    id = models.UUIDField(primary_key=True, editable=False)
    node = models.ForeignKey("sbc.Node", models.PROTECT, related_name="spools")
    last_sequence = models.PositiveBigIntegerField(default=0)
    first_seen = models.DateTimeField(auto_now_add=True)


class Node(models.Model):
    """One session border controller: Kamailio, rtpengine and HAProxy with the process that dials this portal."""

    class State(models.TextChoices):
        AWAY = "away", _("Away")
        CONNECTED = "connected", _("Connected")
        DISABLED = "disabled", _("Disabled")

    region = models.ForeignKey("tenants.Region", models.PROTECT, related_name="nodes", verbose_name=_("Region"))
    name = models.TextField(_("Name"), help_text=_("For example sbc-fra-1. Lower-case letters, digits and hyphens."))
    token_hash = models.TextField(blank=True, editable=False)
    token_made = models.DateTimeField(null=True, editable=False)
    state = models.TextField(choices=State.choices, default=State.AWAY, editable=False)
    spool = models.ForeignKey(Spool, models.SET_NULL, null=True, editable=False, related_name="+")
    boot = models.TextField(blank=True, editable=False)
    # The channel of the one connection that may speak for this node.
    channel = models.TextField(blank=True, editable=False)
    connected_since = models.DateTimeField(null=True, editable=False)
    last_seen = models.DateTimeField(null=True, editable=False)
    software = models.TextField(blank=True, editable=False)
    engine = models.TextField(blank=True, editable=False)
    gauges = models.JSONField(default=dict, editable=False)
    # What it said that it listens at: never a trunk's in its region.
    addresses = ArrayField(models.TextField(), default=list, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = NodeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"], name="sbc_node_name", violation_error_message=_("There is a node of that name.")
            ),
            models.UniqueConstraint(fields=["token_hash"], condition=~Q(token_hash=""), name="sbc_node_token"),
            models.CheckConstraint(
                name="sbc_node_name_is_a_label",
                condition=Q(name__regex=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"),
                violation_error_message=_("Use lower-case letters, digits and hyphens, for example sbc-fra-1."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AlarmQuerySet(models.QuerySet["Alarm"]):
    def open(self) -> "AlarmQuerySet":
        return self.filter(until=None)

    def newest_first(self) -> "AlarmQuerySet":
        return self.order_by("-last", "-pk")


class Alarm(models.Model):
    """Something a person should look at: raised by what nodes say, counted while it goes on, closed when it is over."""

    class Kind(models.TextChoices):
        TOKEN = "token", _("Node token used twice")
        GAP = "gap", _("Records missing")
        SPOOL = "spool", _("Record store replaced")
        QUARANTINE = "quarantine", _("Records that belong to nobody")
        REFUSED = "refused", _("Configuration refused")
        HELD = "held", _("Configuration waits for a person")
        DRIFT = "drift", _("Node changed by hand")
        NODE = "node", _("Trouble with a node")
        DAEMON = "daemon", _("Part of the node is down")
        TRUNK = "trunk", _("Trunk refuses calls")
        CALL = "call", _("Call that needs attention")
        ORPHAN = "orphan", _("Call end without a call")
        COMPILE = "compile", _("Configuration could not be compiled")
        MESSAGE = "message", _("Message not understood")
        CERTIFICATE = "certificate", _("Certificate ends, was refused or lacks a name")
        COUNTS = "counts", _("Records that do not add up")

    node = models.ForeignKey(Node, models.CASCADE, null=True, related_name="alarms")
    tenant = models.ForeignKey("tenants.Customer", models.CASCADE, null=True, related_name="+", db_constraint=False)
    msp = models.ForeignKey("tenants.Msp", models.CASCADE, null=True, related_name="+", db_constraint=False)
    kind = models.TextField(choices=Kind.choices)
    # What makes two reports one alarm, for example the scope or the trunk.
    subject = models.TextField(blank=True)
    text = models.TextField()
    count = models.PositiveIntegerField(default=1)
    since = models.DateTimeField()
    last = models.DateTimeField()
    until = models.DateTimeField(null=True)

    objects = AlarmQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["node", "tenant", "kind", "subject"],
                condition=Q(until=None),
                nulls_distinct=False,
                name="sbc_alarm_open_once",
            )
        ]

    def __str__(self) -> str:
        return self.text
