"""Card payments: where a company takes them, what customers saved, what was tried, and what the gateway told."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.core.fields import EncryptedTextField


class CardAccount(models.Model):
    """Where one company takes card payments; its keys are stored encrypted and never shown again."""

    class Kind(models.TextChoices):
        STRIPE = "stripe", _("Stripe")
        LAB = "lab", _("The lab's checkout, no real money")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    entity = models.OneToOneField("receivables.LegalEntity", models.PROTECT, related_name="card_account")
    kind = models.TextField(_("gateway"), choices=Kind, default=Kind.STRIPE)
    api_key = EncryptedTextField(_("secret key"), blank=True)
    webhook_secret = EncryptedTextField(_("signing secret of the webhook"), blank=True)
    hook = models.TextField(unique=True, editable=False)
    is_on = models.BooleanField(_("customers can pay by card"), default=True)
    collects = models.BooleanField(
        _("charge saved cards by itself"),
        default=False,
        help_text=_("On the day an invoice is due, for customers who saved a card for that."),
    )
    row_version = models.PositiveIntegerField(default=0, editable=False)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.entity}"


class CardPayer(models.Model):
    """A customer as the gateway knows it."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+")
    account = models.ForeignKey(CardAccount, models.PROTECT, related_name="payers")
    reference = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "tenant"], name="payments_payer_once")]

    def __str__(self) -> str:
        return self.reference


class CardMethod(models.Model):
    """A card that a customer saved, as far as it may be shown."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+")
    account = models.ForeignKey(CardAccount, models.PROTECT, related_name="methods")
    reference = models.TextField()
    brand = models.TextField(_("kind"))
    last4 = models.TextField(_("ends in"))
    month = models.PositiveSmallIntegerField()
    year = models.PositiveSmallIntegerField()
    # The one that is charged by itself.
    is_default = models.BooleanField(_("charged by itself"), default=False)
    created_at = models.DateTimeField(_("saved"), auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "reference"], name="payments_method_once"),
            models.UniqueConstraint(
                fields=["tenant", "account"], condition=Q(is_default=True), name="payments_method_one_default"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.brand.capitalize()} … {self.last4}"


class CardAttempt(models.Model):
    """One try to pay by card: at the gateway's checkout, or with a saved card. `key` is what the gateway is told."""

    class Kind(models.TextChoices):
        CHECKOUT = "checkout", _("At the checkout")
        SAVED = "saved", _("With a saved card")
        COLLECT = "collect", _("By itself, when due")
        TOP_UP = "top_up", _("Top-up")

    class State(models.TextChoices):
        OPEN = "open", _("Waiting")
        ACTION = "action", _("Waits for its owner")
        SUCCEEDED = "succeeded", _("Paid")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Given up")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+", verbose_name=_("customer"))
    account = models.ForeignKey(CardAccount, models.PROTECT, related_name="attempts")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.TextField(_("how"), choices=Kind)
    state = models.TextField(choices=State, default=State.OPEN)
    currency = models.TextField()
    amount = models.BigIntegerField(_("amount"))
    # Paid first, before the oldest open ones.
    invoices = ArrayField(models.BigIntegerField(), default=list, blank=True)
    saves = models.BooleanField(default=False)
    method = models.ForeignKey(CardMethod, models.SET_NULL, null=True, blank=True, related_name="+")
    session = models.TextField(blank=True)
    intent = models.TextField(blank=True)
    # The gateway may still take the money: a card is being charged, or its page is open to be paid at.
    is_under_way = models.BooleanField(default=True, editable=False)
    # The payer did all there is to do, and its bank takes days for a debit.
    at_bank = models.BooleanField(default=False, editable=False)
    words = models.TextField(blank=True)
    started_by = models.TextField(blank=True)
    created_at = models.DateTimeField(_("started"), auto_now_add=True)
    payment = models.OneToOneField(
        "receivables.Payment", models.PROTECT, null=True, blank=True, related_name="card_attempt"
    )
    # What it was paid with, as it may be shown: “Visa … 4242”.
    card = models.TextField(_("card"), blank=True)
    # What went back and did not come here again, and what of it is booked.
    refunded = models.BigIntegerField(default=0)
    refund_booked = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["msp", "-created_at"], name="payments_attempt_newest")]
        constraints = [
            models.CheckConstraint(name="payments_attempt_is_positive", condition=Q(amount__gt=0)),
            models.UniqueConstraint(
                fields=["account", "intent"], condition=~Q(intent=""), name="payments_attempt_intent_once"
            ),
            # What is paid ahead is for no bill, and may be paid more than once; a debit bars bills of its own alone.
            models.UniqueConstraint(
                fields=["tenant", "account"],
                condition=Q(at_bank=False, is_under_way=True, kind__in=["checkout", "saved", "collect"]),
                name="payments_attempt_one_way",
            ),
            models.CheckConstraint(
                name="payments_attempt_over", condition=Q(is_under_way=False) | Q(state__in=["open", "failed"])
            ),
            models.CheckConstraint(
                name="payments_attempt_at_bank", condition=Q(at_bank=False) | Q(is_under_way=True, state="open")
            ),
            models.CheckConstraint(
                name="payments_attempt_paid_is_booked",
                condition=Q(state="succeeded", payment__isnull=False) | ~Q(state="succeeded") & Q(payment__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.intent or str(self.key)


class CardDispute(models.Model):
    """A payment that its payer disputes at the bank: the money is taken away, and comes back where the payee wins."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+")
    attempt = models.ForeignKey(CardAttempt, models.PROTECT, related_name="disputes")
    reference = models.TextField()
    reason = models.TextField(blank=True)
    amount = models.BigIntegerField()
    withdrawn = models.BooleanField(default=False)
    reinstated = models.BooleanField(default=False)
    reversal = models.OneToOneField("receivables.Reversal", models.PROTECT, null=True, blank=True, related_name="+")
    returned = models.OneToOneField("receivables.Payment", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["attempt", "reference"], name="payments_dispute_once")]

    def __str__(self) -> str:
        return self.reference


class CardEvent(models.Model):
    """One signed event of the gateway, by its id: what it said and what we made of it."""

    class Outcome(models.TextChoices):
        BOOKED = "booked", _("Booked")
        NOTED = "noted", _("Noted")
        WAITING = "waiting", _("Waits for its payment")
        REFUSED = "refused", _("Refused")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    account = models.ForeignKey(CardAccount, models.PROTECT, related_name="events")
    attempt = models.ForeignKey(CardAttempt, models.PROTECT, null=True, blank=True, related_name="events")
    event = models.TextField()
    kind = models.TextField()
    intent = models.TextField(blank=True)
    fact = models.JSONField(default=dict)
    outcome = models.TextField(choices=Outcome, default=Outcome.NOTED)
    words = models.TextField(blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["account", "intent"], name="payments_event_intent")]
        constraints = [models.UniqueConstraint(fields=["account", "event"], name="payments_event_once")]

    def __str__(self) -> str:
        return self.kind
