"""The register of invoices and credit notes: frozen copies once they are issued."""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from voice.receivables.models.entity import DocumentKind
from voice.receivables.models.tax import TaxCategory


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def issued(self) -> "InvoiceQuerySet":
        return self.filter(state=Invoice.State.ISSUED)


class Invoice(models.Model):
    """An invoice or a credit note: written as a draft, approved, and issued with a number that it keeps.

    Amounts are positive in both kinds; a credit note names the invoice that it corrects. The database refuses every
    change of an issued one, and issues none whose lines and taxes are not its totals.
    """

    Kind = DocumentKind

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        APPROVED = "approved", _("Approved")
        ISSUED = "issued", _("Issued")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="invoices")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="invoices", verbose_name=_("customer"))
    entity = models.ForeignKey("receivables.LegalEntity", models.PROTECT, related_name="invoices")
    kind = models.TextField(choices=DocumentKind, default=DocumentKind.INVOICE)
    state = models.TextField(choices=State, default=State.DRAFT)
    corrects = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="credit_notes")
    # What the document was made from, such as `fees`; with the period it keeps two runs from billing the same twice.
    source = models.TextField(blank=True)
    begins = models.DateField(_("from"))
    ends = models.DateField(_("until"), help_text=_("The first day that is not in the period."))
    currency = models.TextField()
    net = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    reason = models.TextField(blank=True)
    number = models.TextField(blank=True)
    series_period = models.PositiveSmallIntegerField(null=True, blank=True)
    sequence = models.PositiveIntegerField(null=True, blank=True)
    issued_on = models.DateField(_("issued on"), null=True, blank=True)
    # When that was, set by the database: the date on the document is one that somebody chose.
    issued_at = models.DateTimeField(null=True, editable=False)
    due_on = models.DateField(_("due on"), null=True, blank=True)
    # The seller's number in another country, whose VAT the document bears; blank is the company's own.
    seller_vat_id = models.TextField(blank=True)
    seller = models.JSONField(default=dict)
    buyer = models.JSONField(default=dict)
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["msp", "-id"], name="receivables_invoice_newest"),
            models.Index(fields=["tenant", "-issued_on"], name="receivables_invoice_customer"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "number"], condition=~Q(number=""), name="receivables_invoice_number_once"
            ),
            models.UniqueConstraint(
                fields=["entity", "kind", "series_period", "sequence"],
                condition=Q(sequence__isnull=False),
                name="receivables_invoice_sequence_once",
            ),
            models.UniqueConstraint(
                fields=["tenant", "source", "begins", "ends", "currency"],
                condition=Q(kind="invoice") & ~Q(source=""),
                name="receivables_invoice_source_once",
                violation_error_message=_("This period is on an invoice already."),
            ),
            models.CheckConstraint(
                name="receivables_invoice_period",
                condition=Q(ends__gt=F("begins")),
                violation_error_message=_("The period ends before it begins."),
            ),
            models.CheckConstraint(name="receivables_invoice_adds_up", condition=Q(total=F("net") + F("tax"))),
            models.CheckConstraint(
                name="receivables_invoice_credit_note_corrects",
                condition=Q(kind="invoice", corrects__isnull=True) | Q(kind="credit_note", corrects__isnull=False),
            ),
            models.CheckConstraint(
                name="receivables_invoice_issued_is_whole",
                condition=Q(state="issued", sequence__isnull=False, issued_on__isnull=False, due_on__isnull=False)
                & ~Q(number="")
                | ~Q(state="issued") & Q(number="", sequence__isnull=True, issued_on__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        if self.number:
            return self.number
        return f"{self.get_kind_display()} {self.begins:%Y-%m} ({self.get_state_display()})"

    @property
    def is_credit_note(self) -> bool:
        return self.kind == DocumentKind.CREDIT_NOTE


class Child(models.Model):
    """A row of an invoice; customer and MSP stand in it, so that the database knows whose it is."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+")

    class Meta:
        abstract = True

    @classmethod
    def of(cls, invoice: Invoice, **facts: Any) -> Self:
        """Return a row that belongs where its invoice does."""
        return cls(**facts | {"invoice": invoice, "msp_id": invoice.msp_id, "tenant_id": invoice.tenant_id})


class InvoiceLine(Child):
    """One printed line; its net is rounded to the coin, and the lines' sum is the invoice's net."""

    class Kind(models.TextChoices):
        USAGE = "usage", _("Calls")
        FEE = "fee", _("Fee")
        CREDIT = "credit", _("Credit")
        COMMITMENT = "commitment", _("Minimum")
        DISCOUNT = "discount", _("Discount")

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    kind = models.TextField(choices=Kind)
    group = models.TextField(blank=True)
    text = models.TextField()
    # How many of what: calls of a usage line, pieces of a fee.
    quantity = models.BigIntegerField(default=1)
    seconds = models.BigIntegerField(default=0)
    # The exact sum before rounding, for whoever asks where a cent went.
    exact = models.BigIntegerField()
    net = models.BigIntegerField()
    category = models.TextField(choices=TaxCategory)
    per_million = models.PositiveIntegerField()
    tax_name = models.TextField(blank=True)
    # The positions of the further taxes that this line bears.
    levies = ArrayField(models.PositiveIntegerField(), default=list)
    # In a credit note: the position of the invoice's line that this one takes back.
    corrects = models.PositiveIntegerField(null=True, blank=True)
    # What explains the line: direction and destination of its calls, or count, days and part of the month of a fee.
    basis = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invoice", "position"], name="receivables_line_position_once")]

    def __str__(self) -> str:
        return self.text


class InvoiceTax(Child):
    """What one tax rate makes of the lines under it, or a further tax that some of them bear beside it (`is_levy`)."""

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="taxes")
    category = models.TextField(choices=TaxCategory)
    per_million = models.PositiveIntegerField()
    name = models.TextField(blank=True)
    note = models.TextField(blank=True)
    net = models.BigIntegerField()
    tax = models.BigIntegerField()
    # Lines under a levy are counted by their rate's row already. Its tax is the rate on the share of their net, and the
    # fixed amount for each of so many numbers.
    is_levy = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)
    share_per_million = models.PositiveIntegerField(default=1_000_000)
    fixed = models.BigIntegerField(default=0)
    units = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "category", "per_million", "name"],
                condition=Q(is_levy=False),
                name="receivables_invoicetax_once",
            ),
            models.UniqueConstraint(
                fields=["invoice", "position"], condition=Q(is_levy=True), name="receivables_invoicetax_levy_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.per_million / 10_000:g} %"


class InvoiceFile(Child):
    """A document as it went out, byte for byte."""

    class Kind(models.TextChoices):
        PDF = "pdf", _("PDF")
        XML = "xml", _("E-invoice (XML)")
        UBL = "ubl", _("E-invoice for Peppol (UBL)")

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="files")
    kind = models.TextField(choices=Kind)
    content = models.BinaryField()
    sha256 = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invoice", "kind"], name="receivables_file_once")]

    def __str__(self) -> str:
        return f"{self.invoice_id}.{self.kind}"
