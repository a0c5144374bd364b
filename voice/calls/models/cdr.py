from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from voice.calls.masking import NumbersQuerySet


class Direction(models.TextChoices):
    OUT = "out", _("Outgoing")
    IN = "in", _("Incoming")
    INTERNAL = "internal", _("Internal")
    EMERGENCY = "emergency", _("Emergency")


class Disposition(models.TextChoices):
    ANSWERED = "answered", _("Answered")
    BUSY = "busy", _("Busy")
    NO_ANSWER = "no_answer", _("No answer")
    CANCELLED = "cancelled", _("Cancelled by caller")
    REJECTED = "rejected", _("Rejected by called party")
    INVALID_NUMBER = "invalid_number", _("Invalid number")
    NOT_OURS = "not_ours", _("Number not ours")
    BLOCKED = "blocked", _("Blocked by a rule")
    LIMITED = "limited", _("Over a limit")
    SPEND_LIMIT = "spend_limit", _("Spend limit")
    BAD_CALLER_ID = "bad_caller_id", _("Caller ID not allowed")
    CARRIER_FAILURE = "carrier_failure", _("Carrier failure")
    NETWORK_FAILURE = "network_failure", _("Network failure")
    TIMEOUT = "timeout", _("Timed out")
    EMERGENCY = "emergency", _("Emergency call")
    NOT_ROUTED = "not_routed", _("No route")
    NOT_OFFERED = "not_offered", _("Not offered")


class CdrQuerySet(NumbersQuerySet["Cdr"]):
    def newest_first(self) -> "CdrQuerySet":
        return self.order_by("-invited", "-id")


class Cdr(models.Model):
    """One call as one customer saw it: append-only evidence, a partition a day, never changed by rating.

    Only the end of a call whose end was not known may follow, once.

    A call between two customers leaves two, which share `call`.
    """

    pk = models.CompositePrimaryKey("tenant_id", "invited", "id")
    id = models.UUIDField()
    call = models.UUIDField()
    tenant = models.ForeignKey("tenants.Customer", models.DO_NOTHING, db_constraint=False, db_index=False)
    msp = models.ForeignKey("tenants.Msp", models.DO_NOTHING, db_constraint=False, db_index=False)
    peer_id = models.IntegerField(null=True)
    node_name = models.TextField()
    sequence = models.BigIntegerField()
    direction = models.TextField(choices=Direction.choices)
    # Which end of an internal call this customer was; empty on all others.
    side = models.TextField(blank=True)
    call_id = models.TextField()
    caller = models.TextField()
    caller_sent = models.TextField()
    called = models.TextField()
    called_sent = models.TextField()
    invited = models.DateTimeField()
    ringing = models.DateTimeField(null=True)
    answered = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    end_unknown = models.BooleanField(default=False)
    last_seen = models.DateTimeField(null=True)
    talk_ms = models.BigIntegerField(default=0)
    code = models.IntegerField()
    cause = models.IntegerField(null=True)
    reason = models.TextField(blank=True)
    released_by = models.TextField()
    ingress = models.TextField()
    ingress_name = models.TextField(blank=True)
    egress = models.TextField(blank=True)
    egress_name = models.TextField(blank=True)
    route_id = models.BigIntegerField(null=True)
    generation = models.BigIntegerField(null=True)
    attempts = models.JSONField(default=list)
    limit = models.TextField(blank=True)
    screening = models.TextField(blank=True)
    attestation = models.TextField(blank=True)
    user_agent = models.TextField(blank=True)
    media = models.JSONField(null=True)
    disposition = models.TextField(choices=Disposition.choices)
    received = models.DateTimeField()

    objects = CdrQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "id"], name="calls_cdr_tenant_call"),
            models.Index(fields=["msp", "-invited"], name="calls_cdr_msp_invited"),
            # A late end looks for its call by these, across all days.
            models.Index(fields=["call"], condition=models.Q(end_unknown=True), name="calls_cdr_no_end"),
            models.Index(fields=["call_id"], condition=models.Q(end_unknown=True), name="calls_cdr_no_end_sip"),
        ]

    def __str__(self) -> str:
        return f"{self.caller} → {self.called}"

    @property
    def talk(self) -> timedelta:
        return timedelta(milliseconds=self.talk_ms)

    @property
    def is_answered(self) -> bool:
        return self.answered is not None
