"""What is left of a customer's money: the counter that moves with each call, and what moved it otherwise."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from voice.rating.standing import Mark, Standing

# The parts of a limit, in per cent, at which people are warned unless somebody says otherwise.
SHARES = (80, 100)


class AccountQuerySet(models.QuerySet["Account"]):
    def limited(self) -> "AccountQuerySet":
        """Return the accounts at whose limit calls stop."""
        some = models.Q(kind="prepaid") | models.Q(credit_limit_micros__isnull=False)
        return self.filter(some | models.Q(spend_limit_micros__isnull=False) | models.Q(own_limit_micros__isnull=False))


class Account(models.Model):
    """What a customer's calls left of its money: the fast counter that moves with each call, beside the ledger.

    It counts charges in its own currency only; `spent_micros` is what the calls answered in `month` (UTC) came to.
    """

    class Kind(models.TextChoices):
        POSTPAID = "postpaid", _("Postpaid")
        PREPAID = "prepaid", _("Prepaid")

    tenant = models.OneToOneField("tenants.Customer", models.DO_NOTHING, db_constraint=False, primary_key=True)
    msp = models.ForeignKey("tenants.Msp", models.DO_NOTHING, db_constraint=False, db_index=False)
    currency = models.TextField(_("currency"))
    kind = models.TextField(_("kind"), choices=Kind.choices, default=Kind.POSTPAID)
    balance_micros = models.BigIntegerField(_("balance"), default=0)
    credit_limit_micros = models.BigIntegerField(_("credit limit"), null=True, blank=True)
    month = models.DateField()
    spent_micros = models.BigIntegerField(_("spent this month"), default=0)
    # A month's spending may be limited by the MSP, and by the customer below that.
    spend_limit_micros = models.BigIntegerField(_("spend limit a month"), null=True, blank=True)
    own_limit_micros = models.BigIntegerField(_("own limit a month"), null=True, blank=True)
    warn_shares = models.JSONField(_("warn at"), null=True, blank=True)
    warn_below_micros = models.BigIntegerField(_("warn below"), null=True, blank=True)
    row_version = models.PositiveIntegerField(default=0, editable=False)

    objects = AccountQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="rating_account_limits",
                condition=~models.Q(credit_limit_micros__lt=0)
                & ~models.Q(spend_limit_micros__lt=0)
                & ~models.Q(own_limit_micros__lt=0)
                & ~models.Q(warn_below_micros__lt=0),
                violation_error_message=_("A limit is an amount from 0."),
            ),
            models.CheckConstraint(
                name="rating_account_credit_is_postpaid",
                condition=models.Q(kind="postpaid") | models.Q(credit_limit_micros=None),
                violation_error_message=_("A prepaid account has no credit."),
            ),
        ]

    @property
    def is_prepaid(self) -> bool:
        return self.kind == self.Kind.PREPAID

    @property
    def is_limited(self) -> bool:
        """Tell whether calls stop at a limit; `limited` says the same of rows."""
        limits = (self.credit_limit_micros, self.spend_limit_micros, self.own_limit_micros)
        return self.is_prepaid or any(limit is not None for limit in limits)

    @property
    def warned_at(self) -> Sequence[int]:
        return SHARES if self.warn_shares is None else self.warn_shares

    def standing(self, at: datetime) -> Standing:
        """Return how the account stands at a moment."""
        is_this_month = self.month >= at.astimezone(UTC).date().replace(day=1)
        return Standing(
            self.is_prepaid,
            self.balance_micros,
            self.credit_limit_micros,
            self.spent_micros if is_this_month else 0,
            self.spend_limit_micros,
            self.own_limit_micros,
        )

    def __str__(self) -> str:
        return f"{self.balance_micros} {self.currency}"


class Movement(models.Model):
    """Something other than a call that moved an account, as it was; never changed.

    What the calls took between two movements is the difference between the one's `balance_micros` (the balance after
    it) and the next one's, less its amount: each balance is explained by the movements and the usage of the days.
    """

    class Kind(models.TextChoices):
        TOP_UP = "top_up", _("Top-up")
        PAYMENT = "payment", _("Payment")
        TAKEN_BACK = "taken_back", _("Taken back")
        INVOICE = "invoice", _("Invoice")
        CREDIT_NOTE = "credit_note", _("Credit note")
        FEE = "fee", _("Reminder fee")
        CORRECTION = "correction", _("Correction")
        CURRENCY = "currency", _("Change of currency")

    tenant = models.ForeignKey("tenants.Customer", models.DO_NOTHING, db_constraint=False, db_index=False)
    msp = models.ForeignKey("tenants.Msp", models.DO_NOTHING, db_constraint=False, db_index=False)
    at = models.DateTimeField(_("when"))
    kind = models.TextField(_("what"), choices=Kind.choices)
    # Positive gives, negative takes.
    micros = models.BigIntegerField(_("amount"))
    currency = models.TextField()
    balance_micros = models.BigIntegerField(_("balance after it"))
    reference = models.TextField(_("reference"), max_length=200)

    class Meta:
        constraints: ClassVar = [
            # What was told twice happened once.
            models.UniqueConstraint(fields=["tenant", "reference"], name="rating_movement_once"),
            # A change of currency is noted of nothing, too.
            models.CheckConstraint(
                name="rating_movement_moves", condition=~models.Q(micros=0) | models.Q(kind="currency")
            ),
            models.CheckConstraint(name="rating_movement_has_reference", condition=~models.Q(reference="")),
            models.CheckConstraint(
                name="rating_movement_gives_or_takes",
                condition=models.Q(kind__in=["top_up", "payment", "credit_note"], micros__gt=0)
                | models.Q(kind__in=["taken_back", "fee"], micros__lt=0)
                | models.Q(kind__in=["invoice", "correction", "currency"]),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "-at"], name="rating_movement_newest"),
            models.Index(fields=["msp", "-at"], name="rating_movement_msp"),
        ]

    def __str__(self) -> str:
        return self.reference


class LimitWarning(models.Model):
    """That an account has passed a mark: made once as it does, and over once the account is back before the mark."""

    class Kind(models.TextChoices):
        LOW = Mark.LOW.value, _("Balance low")
        EMPTY = Mark.EMPTY.value, _("Balance used up")
        CREDIT = Mark.CREDIT.value, _("Credit limit")
        SPEND = Mark.SPEND.value, _("Spend limit of the month")
        OWN = Mark.OWN.value, _("Own limit of the month")

    tenant = models.ForeignKey("tenants.Customer", models.DO_NOTHING, db_constraint=False, db_index=False)
    msp = models.ForeignKey("tenants.Msp", models.DO_NOTHING, db_constraint=False, db_index=False)
    kind = models.TextField(choices=Kind.choices)
    # In per cent of the limit; 0 of an amount below which a balance is low.
    share = models.PositiveSmallIntegerField()
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "share"], condition=models.Q(until=None), name="rating_limitwarning_one_open"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["msp"], condition=models.Q(until=None), name="rating_limitwarning_open")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.share}"
