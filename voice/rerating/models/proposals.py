"""Rating a period again: the question, what it comes to by customer and line, and each call in a table of its own."""

from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from voice.calls.models.cdr import Direction
from voice.rating.models import PricedOutcome


class Side(models.TextChoices):
    SELL = "sell", _("What customers pay")
    BUY = "buy", _("What carriers ask")


class What(models.IntegerChoices):
    """What a proposal does to a call: only CHANGED and PRICED move anything."""

    SAME = 0, _("Unchanged")
    CHANGED = 1, _("Changed")
    # Was kept aside, has a price now: its charge is set, as by “Price again”.
    PRICED = 2, _("Has a price now")
    # No rate takes it: what was posted stays.
    LEFT = 3, _("Left as it is")


class Proposal(models.Model):
    """A period of calls rated again; nothing of it counts before it is applied."""

    class State(models.TextChoices):
        RATING = "rating", _("Being rated")
        READY = "ready", _("Waiting for you")
        APPLYING = "applying", _("Being applied")
        APPLIED = "applied", _("Applied")
        DISCARDED = "discarded", _("Discarded")
        FAILED = "failed", _("Needs attention")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    # Calls answered from `begins` up to, not including, `ends`.
    begins = models.DateTimeField(_("from"))
    ends = models.DateTimeField(_("until"))
    # Empty is all of them.
    customers = ArrayField(models.IntegerField(), default=list, blank=True)
    trunks = ArrayField(models.BigIntegerField(), default=list, blank=True)
    sell = models.BooleanField(_("what customers pay"), default=True)
    buy = models.BooleanField(_("what carriers ask"), default=False)
    # Without a deck: by those in force at the answer; with a version: by what the deck held when that came into force.
    sell_deck = models.ForeignKey("rating.RateDeck", models.PROTECT, null=True, blank=True, related_name="+")
    sell_version = models.ForeignKey("rating.DeckVersion", models.PROTECT, null=True, blank=True, related_name="+")
    buy_deck = models.ForeignKey("rating.RateDeck", models.PROTECT, null=True, blank=True, related_name="+")
    buy_version = models.ForeignKey("rating.DeckVersion", models.PROTECT, null=True, blank=True, related_name="+")
    note = models.TextField(_("what for"), blank=True, validators=[MaxLengthValidator(500)])
    state = models.TextField(choices=State, default=State.RATING)
    message = models.TextField(blank=True)
    # Counts how often the calls were rated: what a reader looked at is what is applied.
    round = models.PositiveIntegerField(default=1)
    # What it was rated by, so that a change afterwards is noticed.
    basis = models.JSONField(default=dict, blank=True)
    # By side, currency: what was posted, what it should be.
    totals = models.JSONField(default=list, blank=True)
    calls = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    priced = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    made_by = models.TextField(blank=True)
    reason = models.TextField(_("reason"), blank=True, validators=[MaxLengthValidator(500)])
    job_id = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    rated_at = models.DateTimeField(null=True, editable=False)
    applied_at = models.DateTimeField(null=True, editable=False)
    # The calls' table is dropped then.
    expires_at = models.DateTimeField(null=True, editable=False)
    kept = models.BooleanField(default=True, editable=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["msp", "-created_at"], name="rerating_proposal_msp")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="rerating_proposal_period",
                condition=Q(begins__lt=F("ends")),
                violation_error_message=_("The period ends before it begins."),
            ),
            models.CheckConstraint(
                name="rerating_proposal_some_side",
                condition=Q(sell=True) | Q(buy=True),
                violation_error_message=_("Choose what to rate: what customers pay, what carriers ask, or both."),
            ),
            models.CheckConstraint(
                name="rerating_proposal_reason",
                condition=~Q(state="applied") | ~Q(reason=""),
                violation_error_message=_("Say why: the reason stays with the entries."),
            ),
        ]

    def __str__(self) -> str:
        last = self.ends - timedelta(microseconds=1)
        return f"{self.begins:%Y-%m-%d} – {last:%Y-%m-%d}"

    @property
    def is_open(self) -> bool:
        """Whether it can still be applied, or will be."""
        return self.state in (self.State.RATING, self.State.READY, self.State.APPLYING)


class ProposalSum(models.Model):
    """What calls of one customer, trunk and line come to: as it was posted, and as it should be."""

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="sums", db_index=False)
    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    side = models.TextField(choices=Side)
    what = models.SmallIntegerField(choices=What)
    tenant = models.ForeignKey("tenants.Customer", models.DO_NOTHING, db_constraint=False, db_index=False)
    trunk = models.BigIntegerField(default=0)
    direction = models.TextField(choices=Direction)
    outcome = models.TextField(choices=PricedOutcome)
    deck_id = models.BigIntegerField(null=True)
    was_destination = models.TextField(blank=True)
    was_currency = models.TextField(blank=True)
    destination = models.TextField(blank=True)
    currency = models.TextField(blank=True)
    calls = models.BigIntegerField()
    was_billed = models.BigIntegerField()
    billed = models.BigIntegerField()
    was_micros = models.BigIntegerField()
    micros = models.BigIntegerField()
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proposal", "number"], name="rerating_proposalsum_once")
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.destination}"


class Line(models.Model):
    """One call of a proposal, in the partition of its own that the proposal writes and drops; without an index."""

    pk = models.CompositePrimaryKey("proposal_id", "number", "tenant_id", "invited", "id")
    proposal = models.ForeignKey(Proposal, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    msp = models.ForeignKey("tenants.Msp", models.DO_NOTHING, db_constraint=False, db_index=False)
    tenant = models.ForeignKey("tenants.Customer", models.DO_NOTHING, db_constraint=False, db_index=False)
    invited = models.DateTimeField()
    id = models.UUIDField()
    # That of its sum.
    number = models.IntegerField()
    rate_id = models.BigIntegerField()
    seconds = models.IntegerField()
    billed = models.IntegerField()
    micros = models.BigIntegerField()
    was_micros = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "rerating_line"

    def __str__(self) -> str:
        return f"{self.micros}"
