"""What the bank says: statements of a company's account, and their entries until somebody has said what they are."""

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class BankStatement(models.Model):
    """One statement as it was imported; the same one is imported once."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    entity = models.ForeignKey("receivables.LegalEntity", models.PROTECT, related_name="bank_statements")
    iban = models.TextField(_("IBAN"))
    # The bank's own name for it.
    name = models.TextField(_("statement"))
    currency = models.TextField(_("currency"))
    begins = models.DateField(_("from"))
    ends = models.DateField(_("until"))
    opening = models.BigIntegerField(_("opening balance"))
    closing = models.BigIntegerField(_("closing balance"))
    # Why it does not begin with what the one before it ended with, where somebody has looked.
    gap_note = models.TextField(
        _("why something is missing before it"), blank=True, validators=[MaxLengthValidator(200)]
    )
    created_at = models.DateTimeField(_("imported"), auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "iban", "name", "begins"],
                name="payments_statement_once",
                violation_error_message=_("This statement is imported already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BankEntry(models.Model):
    """One movement on the account: money in (above zero) or out, and the payment or reversal that it was booked as."""

    class State(models.TextChoices):
        OPEN = "open", _("Not matched")
        BOOKED = "booked", _("Booked")
        ASIDE = "aside", _("Set aside")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    entity = models.ForeignKey("receivables.LegalEntity", models.PROTECT, related_name="bank_entries")
    statement = models.ForeignKey(BankStatement, models.PROTECT, related_name="entries")
    tenant = models.ForeignKey(
        "tenants.Customer", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("customer")
    )
    # A digest of what the bank says of it: the same movement in another statement has the same one.
    key = models.TextField()
    booked_on = models.DateField(_("booked on"))
    currency = models.TextField()
    amount = models.BigIntegerField(_("amount"))
    payer = models.TextField(_("from or to"), blank=True)
    payer_iban = models.TextField(_("their IBAN"), blank=True)
    structured = models.TextField(_("structured reference"), blank=True)
    text = models.TextField(_("text"), blank=True)
    end_to_end = models.TextField(blank=True)
    return_reason = models.TextField(blank=True)
    state = models.TextField(choices=State, default=State.OPEN)
    note = models.TextField(_("why"), blank=True, validators=[MaxLengthValidator(200)])
    payment = models.OneToOneField(
        "receivables.Payment", models.PROTECT, null=True, blank=True, related_name="bank_entry"
    )
    reversal = models.OneToOneField(
        "receivables.Reversal", models.PROTECT, null=True, blank=True, related_name="bank_entry"
    )

    class Meta:
        indexes = [
            models.Index(fields=["msp", "state", "-booked_on"], name="payments_entry_open"),
            models.Index(fields=["msp", "payer_iban"], name="payments_entry_payer"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["entity", "key"], name="payments_entry_once"),
            models.CheckConstraint(name="payments_entry_moves", condition=~Q(amount=0)),
            models.CheckConstraint(
                name="payments_entry_is_booked_as_one",
                condition=Q(state="booked", amount__gt=0, payment__isnull=False, reversal__isnull=True)
                | Q(state="booked", amount__lt=0, payment__isnull=True, reversal__isnull=False)
                | ~Q(state="booked") & Q(payment__isnull=True, reversal__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.payer or self.text[:60] or self.key[:8]
