"""The ledger: double entry, append-only, balanced by the database at each commit."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Account(models.Model):
    """One account of a company's books: a customer's of each kind, or the company's own where no customer is named."""

    class Kind(models.TextChoices):
        RECEIVABLE = "receivable", _("Owed by the customer")
        REVENUE = "revenue", _("Revenue")
        TAX = "tax", _("Tax to be paid")
        BANK = "bank", _("Money received")
        WRITTEN_OFF = "written_off", _("Written off")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    entity = models.ForeignKey("receivables.LegalEntity", models.PROTECT, related_name="accounts")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.TextField(choices=Kind)
    currency = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "tenant", "kind", "currency"], name="receivables_account_once", nulls_distinct=False
            ),
            models.CheckConstraint(name="receivables_account_currency", condition=Q(currency__regex=r"^[A-Z]{3}$")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.tenant or self.entity} {self.currency}"


class Entry(models.Model):
    """One event in the books, in one currency; what it moved stands in its postings."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Invoice")
        CREDIT_NOTE = "credit_note", _("Credit note")
        PAYMENT = "payment", _("Payment")
        REVERSAL = "reversal", _("Payment taken back")
        FEE = "fee", _("Reminder fee")
        WRITE_OFF = "write_off", _("Written off")
        CORRECTION = "correction", _("Correction")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, null=True, blank=True, related_name="+")
    entity = models.ForeignKey("receivables.LegalEntity", models.PROTECT, related_name="entries")
    kind = models.TextField(choices=Kind)
    currency = models.TextField()
    booked_on = models.DateField()
    text = models.TextField()
    invoice = models.ForeignKey("receivables.Invoice", models.PROTECT, null=True, blank=True, related_name="entries")
    payment = models.ForeignKey("receivables.Payment", models.PROTECT, null=True, blank=True, related_name="entries")
    reversal = models.ForeignKey("receivables.Reversal", models.PROTECT, null=True, blank=True, related_name="entries")
    # The entry that a correction takes back, and why: the MSP's to read.
    corrects = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="corrected_by")
    reason = models.TextField(blank=True)
    # The transaction that made the entry, set by the database: nothing is posted to it in a later one.
    made_in = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "booked_on", "id"], name="receivables_entry_statement")]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(invoice__isnull=False, kind__in=["invoice", "credit_note"]),
                name="receivables_entry_invoice_once",
            ),
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(payment__isnull=False, kind="payment"),
                name="receivables_entry_payment_once",
            ),
            models.UniqueConstraint(
                fields=["reversal"], condition=Q(reversal__isnull=False), name="receivables_entry_reversal_once"
            ),
            models.CheckConstraint(
                name="receivables_entry_has_reason",
                condition=Q(corrects__isnull=True) & ~Q(kind="write_off") | ~Q(reason=""),
                violation_error_message=_("Say why."),
            ),
        ]

    def __str__(self) -> str:
        return self.text


class Posting(models.Model):
    """What an entry moves on one account, in micros: debit or credit, never both."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, null=True, blank=True, related_name="+")
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="postings")
    account = models.ForeignKey(Account, models.PROTECT, related_name="postings")
    debit = models.BigIntegerField(default=0)
    credit = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="receivables_posting_one_side",
                condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.debit - self.credit}"
