"""Money that came in, what went back of it, and the invoices that it pays."""

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Payment(models.Model):
    """An amount that a customer paid, as somebody noted it; a wrong one is taken back, never changed."""

    class Method(models.TextChoices):
        TRANSFER = "transfer", _("Bank transfer")
        CARD = "card", _("Card")
        CASH = "cash", _("Cash")
        OTHER = "other", _("Other")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="payments")
    entity = models.ForeignKey("receivables.LegalEntity", models.PROTECT, related_name="payments")
    currency = models.TextField()
    amount = models.BigIntegerField(_("amount"))
    received_on = models.DateField(_("received on"))
    method = models.TextField(_("method"), choices=Method, default=Method.TRANSFER)
    reference = models.TextField(
        _("reference"),
        validators=[MaxLengthValidator(140)],
        help_text=_("As it stands on the bank statement, so that anybody can find it again."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="receivables_payment_is_positive",
                condition=Q(amount__gt=0),
                violation_error_message=_("An amount received is more than nothing."),
            ),
            models.CheckConstraint(
                name="receivables_payment_has_reference",
                condition=~Q(reference=""),
                violation_error_message=_("Give the reference of the payment."),
            ),
            models.UniqueConstraint(
                fields=["entity", "tenant", "received_on", "method", "reference", "amount"],
                name="receivables_payment_once",
                violation_error_message=_("This payment is recorded already: same day, reference and amount."),
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Reversal(models.Model):
    """Money of a payment that went back: a refund, a card dispute, a direct debit that the payer's bank returned.

    Or that never came: a payment that somebody entered by mistake.
    """

    class Kind(models.TextChoices):
        REFUND = "refund", _("Refund")
        CHARGEBACK = "chargeback", _("Chargeback")
        RETURNED = "returned", _("Returned by the bank")
        MISTAKE = "mistake", _("Entered by mistake")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+")
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="reversals")
    kind = models.TextField(choices=Kind)
    amount = models.BigIntegerField(_("amount"))
    booked_on = models.DateField(_("booked on"))
    reference = models.TextField(_("reference"), validators=[MaxLengthValidator(140)])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="receivables_reversal_is_positive",
                condition=Q(amount__gt=0),
                violation_error_message=_("What goes back is more than nothing."),
            ),
            models.UniqueConstraint(
                fields=["payment", "reference"],
                name="receivables_reversal_once",
                violation_error_message=_("This is booked already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.reference}"


class Allocation(models.Model):
    """The part of a payment, of a credit note or of what is written off, that settles an invoice.

    A payment's is below zero where a reversal takes it back, or where a credit note takes its place: then that much is
    on the account again. A credit note settles the invoice that it takes back. What an entry writes off is below zero
    for the entry that takes it back. The database lets none of them settle more than it is, no invoice be settled by
    more than its total, and no two customers, companies or currencies meet.
    """

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+")
    invoice = models.ForeignKey("receivables.Invoice", models.PROTECT, related_name="allocations")
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, blank=True, related_name="allocations")
    credit_note = models.ForeignKey(
        "receivables.Invoice", models.PROTECT, null=True, blank=True, related_name="settles"
    )
    reversal = models.ForeignKey(Reversal, models.PROTECT, null=True, blank=True, related_name="allocations")
    entry = models.OneToOneField("receivables.Entry", models.PROTECT, null=True, blank=True, related_name="allocation")
    amount = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="receivables_allocation_sign",
                condition=Q(reversal__isnull=True, amount__gt=0)
                | Q(reversal__isnull=True, entry__isnull=False, amount__lt=0)
                | Q(payment__isnull=False, reversal__isnull=False, credit_note__isnull=True, amount__lt=0)
                | Q(payment__isnull=False, reversal__isnull=True, credit_note__isnull=False, amount__lt=0),
            ),
            models.CheckConstraint(
                name="receivables_allocation_one_origin",
                condition=Q(payment__isnull=False, credit_note__isnull=True, entry__isnull=True)
                | Q(payment__isnull=True, credit_note__isnull=False, entry__isnull=True)
                | Q(payment__isnull=False, credit_note__isnull=False, entry__isnull=True, amount__lt=0)
                | Q(payment__isnull=True, credit_note__isnull=True, reversal__isnull=True, entry__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id}: {self.amount}"
