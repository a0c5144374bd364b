"""The lists of invoices, payments, companies and billed customers, and the words for an invoice's state."""

from collections.abc import Callable
from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from portal.ui import markup
from portal.ui.lists import Action, Choice, Column, Day, Empty, ListPage
from portal.ui.navigation import page_url
from portal.ui.parts import Tab
from portal.ui.status import Status, status
from tenants.countries import country_name
from tenants.models import Customer
from voice.billing.models import Bill, BillLine
from voice.currencies.tabs import tabs
from voice.receivables import selectors
from voice.receivables.models import BillingProfile, Invoice, InvoiceLine, LegalEntity, Payment
from voice.receivables.references import grouped

NEW_INVOICE = Action(_("New invoice"), "invoices:new", "plus", "bills.change")
NEW_PAYMENT = Action(_("Record a payment"), "invoices:payment_new", "credit-card", "bills.change")
NEW_ENTITY = Action(_("New company"), "invoices:entity_new", "plus", "bills.change")
STANDINGS = [
    ("draft", _("Draft")), ("approved", _("Approved")), ("open", _("Open")), ("overdue", _("Overdue")),
    ("settled", _("Settled")), ("written_off", _("Written off")),
]  # fmt: skip


def day(name: str) -> Callable[[Any], str]:
    """Return what draws a row's date; an export writes it as 2026-11-20."""
    return lambda row: markup.day(getattr(row, name))


def state_of(invoice: Any) -> Status:
    """Return where the invoice stands: not issued yet, open, overdue, settled or written off."""
    # A customer's copy is always of an issued document.
    if getattr(invoice, "state", Invoice.State.ISSUED) != Invoice.State.ISSUED:
        return status(invoice.state, word=invoice.get_state_display())
    if invoice.is_credit_note:
        return status("done", word=_("Issued"))
    if invoice.left <= 0 and invoice.given_up:
        whole = invoice.given_up == invoice.total
        return status("closed", word=_("Written off") if whole else _("Rest written off"))
    if invoice.left <= 0:
        return status("done", word=_("Settled"))
    if invoice.due_on and invoice.due_on < timezone.localdate():
        return status("attention", word=_("Overdue"))
    return status("waiting_you", word=_("Partly settled") if invoice.settled else _("Open"))


def narrowed(found: QuerySet[Any], standing: str) -> QuerySet[Any]:
    """Return the invoices that stand so."""
    if found.model is Invoice and standing in Invoice.State.values and standing != Invoice.State.ISSUED:
        return found.filter(state=standing)
    issued = found if found.model is Bill else found.filter(state=Invoice.State.ISSUED)
    if standing in ("settled", "written_off"):
        done = issued.filter(left__lte=0)
        return done.filter(given_up=0) if standing == "settled" else done.exclude(given_up=0)
    owed = issued.filter(left__gt=0)
    return owed.filter(due_on__lt=timezone.localdate()) if standing == "overdue" else owed


def payment_tabs(request: HttpRequest, current: str) -> list[Tab]:
    """Return the pages that stand beside the payments, as far as this installation has them."""
    offered = [
        ("payments", _("Payments"), "invoices:payments"),
        ("bank", _("Bank statements"), "payments:bank"),
        ("reminders", _("Reminders"), "payments:reminders"),
        ("cards", _("Card payments"), "payments:cards"),
        ("balances", _("Balances"), "payments:balances"),
    ]
    return [Tab(label, url, name == current) for name, label, page in offered if (url := page_url(page, request))]


def _to_be_paid(invoice: Invoice) -> int | None:
    owed = invoice.state == Invoice.State.ISSUED and not invoice.is_credit_note
    return invoice.left if owed else None  # type: ignore[attr-defined]


class InvoiceList(ListPage):
    title = _("Invoices")
    lead = _(
        "What your customers are billed. An issued invoice never changes: a credit note takes back what was wrong."
    )
    columns = [
        Column("standing", _("State"), kind="status", value=state_of),
        Column("number", _("Number"), value=str, link="invoices:detail", sort="number"),
        Column("tenant__name", _("Customer"), sort=True),
        Column("issued_on", _("Issued on"), draw=day("issued_on"), sort=True, card=False),
        Column("due_on", _("Due on"), draw=day("due_on"), sort=True, card=False),
        Column("total", _("Total"), kind="money", sort=True),
        Column("left", _("To be paid"), kind="money", sort=True, value=_to_be_paid),
    ]
    summed = [("left", _("To be paid"))]
    search_fields = ["number", "tenant__name", "lines__text"]
    search_label = _("Search number, customer or line")
    default_sort = "-pk"
    export_name = "invoices"
    actions = [NEW_INVOICE, NEW_PAYMENT]
    empty = Empty(
        _("No invoices yet."),
        _("Set how a customer is billed, then write its first invoice."),
        NEW_INVOICE,
        "file-text",
    )

    @cached_property
    def filters(self) -> list[Any]:  # type: ignore[override]
        customers = Customer.objects.filter(msp=self.request.msp).order_by("name")  # type: ignore[attr-defined]
        return [
            Choice("state", _("State"), STANDINGS, apply=narrowed),
            Choice("customer", _("Customer"), [(each.pk, each.name) for each in customers], field="tenant"),
            Choice("kind", _("Kind"), Invoice.Kind.choices),
            Day("from", _("Issued from"), "issued_on"),
            Day("to", _("Issued until"), "issued_on", "to"),
        ]

    def queryset(self) -> QuerySet[Invoice]:
        return selectors.invoices().filter(msp=self.request.msp)  # type: ignore[attr-defined]

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        matching = super().search(Invoice.objects.all(), text).values("pk")
        return queryset.filter(pk__in=matching)


class BillList(ListPage):
    title = _("Bills")
    lead = _("Your invoices and credit notes, with what is still to be paid.")
    columns = [
        Column("standing", _("State"), kind="status", value=state_of),
        Column("number", _("Number"), link="bills:detail", sort=True),
        Column("kind", _("Kind"), value=lambda row: row.get_kind_display(), card=False),
        Column("begins", _("Period from"), draw=day("begins"), sort=True, card=False),
        Column("issued_on", _("Issued on"), draw=day("issued_on"), sort=True, card=False),
        Column("due_on", _("Due on"), draw=day("due_on"), sort=True),
        Column("total", _("Total"), kind="money", sort=True),
        Column("left", _("To be paid"), kind="money", sort=True),
    ]
    search_fields = ["number"]
    search_label = _("Search number")
    filters = [
        Choice("state", _("State"), STANDINGS[2:], apply=narrowed),
        Choice("kind", _("Kind"), Invoice.Kind.choices),
        Day("from", _("Issued from"), "issued_on"),
        Day("to", _("Issued until"), "issued_on", "to"),
    ]
    default_sort = "-pk"
    export_name = "bills"
    actions = [
        Action(_("Pay"), "pay:pay", "credit-card", "payments.change"),
    ]
    empty = Empty(_("No bills yet."), _("They appear here as soon as they are issued."), icon="file-text")

    def queryset(self) -> QuerySet[Bill]:
        return selectors.bills()


def _line_page(row: Any) -> str:
    name, parent = ("bills:line", row.bill_id) if isinstance(row, BillLine) else ("invoices:line", row.invoice_id)
    return reverse(name, args=[parent, row.position])


def tax_of(line: Any) -> str:
    """Return the rate of a line, or how many taxes it bears."""
    if line.levies:
        return ngettext("%(n)d tax", "%(n)d taxes", len(line.levies)) % {"n": len(line.levies)}
    return f"{line.per_million / 10_000:g} %"


class LineList(ListPage):
    """The lines of one invoice."""

    columns = [
        Column("position", _("Line"), kind="count", sort=True, card=False),
        Column("text", _("What"), sort=True, link=_line_page),
        Column("kind", _("Kind"), value=lambda row: row.get_kind_display(), card=False),
        Column("quantity", _("Quantity"), kind="count", sort=True, card=False),
        Column("seconds", _("Time"), kind="duration", card=False, value=lambda row: row.seconds or None),
        Column("tax", _("Tax"), kind="count", value=tax_of, card=False),
        Column("exact", _("Exactly"), kind="money", card=False, help=_("The sum before it is rounded to the coin.")),
        Column("net", _("Net"), kind="money", sort=True),
    ]
    search_fields = ["text"]
    search_label = _("Search lines")
    filters = [Choice("kind", _("Kind"), InvoiceLine.Kind.choices)]
    default_sort = "position"
    export_name = "invoice-lines"
    size = 50
    empty = Empty(_("No lines."))

    def __init__(self, request: Any, invoice: Invoice | Bill, template: str, **context: Any) -> None:
        super().__init__(request, invoice=invoice, **context)
        self.invoice, self.template, self.title = invoice, template, str(invoice)

    def queryset(self) -> QuerySet[Any]:
        parent = "bill" if isinstance(self.invoice, Bill) else "invoice"
        return self.invoice.lines.annotate(currency=F(f"{parent}__currency"))


class PaymentList(ListPage):
    title = _("Payments")
    lead = _("Money that came in. A wrong entry is corrected by another one, never changed.")
    columns = [
        Column("received_on", _("Received on"), draw=day("received_on"), sort=True),
        Column("tenant__name", _("Customer"), sort=True),
        Column("method", _("How"), value=lambda row: row.get_method_display(), card=False),
        Column("reference", _("Reference"), link="payments:payment", sort=True),
        Column("amount", _("Amount"), kind="money", sort=True),
    ]
    summed = [("amount", _("Received"))]
    search_fields = ["reference", "tenant__name"]
    default_sort = "-received_on"
    export_name = "payments"
    actions = [NEW_PAYMENT]
    empty = Empty(
        _("No payments yet."), _("For example a transfer with the invoice's number."), NEW_PAYMENT, "credit-card"
    )

    @cached_property
    def filters(self) -> list[Any]:  # type: ignore[override]
        customers = Customer.objects.filter(msp=self.request.msp).order_by("name")  # type: ignore[attr-defined]
        return [
            Choice("customer", _("Customer"), [(each.pk, each.name) for each in customers], field="tenant"),
            Choice("method", _("How"), Payment.Method.choices),
            Day("from", _("Received from"), "received_on"),
            Day("to", _("Received until"), "received_on", "to"),
        ]

    def queryset(self) -> QuerySet[Payment]:
        return Payment.objects.filter(msp=self.request.msp).select_related("tenant")  # type: ignore[attr-defined]


class EntityList(ListPage):
    title = _("Your companies")
    lead = _("Who sends invoices. Each company has books of its own, and numbers without a gap.")
    columns = [
        Column("name", _("Name"), link="invoices:entity", link_needs="bills.change", sort=True),
        Column("country", _("Country"), value=lambda row: country_name(row.country), sort=True),
        Column("vat_id", _("VAT id"), kind="code"),
        Column("iban", _("IBAN"), draw=lambda row: grouped(row.iban) or markup.NONE, card=False),
        Column("invoice_pattern", _("Invoice numbers"), kind="code", card=False),
    ]
    search_fields = ["name", "vat_id"]
    filters = []
    default_sort = "name"
    export_name = "companies"
    actions = [NEW_ENTITY]
    empty = Empty(
        _("No company yet."), _("For example “Northwind Voice GmbH”, with its VAT id."), NEW_ENTITY, "building"
    )

    def __init__(self, request: Any, **context: Any) -> None:
        super().__init__(request, tabs=tabs(request, "invoices:entities"), **context)

    def queryset(self) -> QuerySet[LegalEntity]:
        return LegalEntity.objects.filter(msp=self.request.msp)  # type: ignore[attr-defined]


def _country(customer: Any) -> str:
    profile = getattr(customer, "billing_profile", None)
    return country_name(profile.country) if profile else ""


class ProfileList(ListPage):
    title = _("How customers are billed")
    lead = _("By which of your companies, to which address, in which currency.")
    columns = [
        Column("name", _("Customer"), link="invoices:profile", sort=True),
        Column("billing_profile__entity__name", _("Billed by"), sort=True),
        Column("billing_profile__country", _("Country"), value=_country, sort=True, card=False),
        Column("billing_profile__vat_id", _("VAT id"), kind="code", card=False),
        Column("billing_profile__currency", _("Currency"), sort=True),
    ]
    search_fields = ["name", "billing_profile__vat_id"]
    filters = [
        Choice(
            "set",
            _("Set"),
            [("yes", _("Is set")), ("no", _("Not set yet"))],
            apply=lambda found, value: found.filter(billing_profile__isnull=value == "no"),
        )
    ]
    default_sort = "name"
    export_name = "billing"
    empty = Empty(_("No customers yet."), icon="building")

    def __init__(self, request: HttpRequest, **context: Any) -> None:
        super().__init__(request, tabs=tabs(request, "invoices:profiles"), **context)

    def queryset(self) -> QuerySet[Customer]:
        found = Customer.objects.filter(msp=self.request.msp).exclude(state=Customer.State.CLOSED)  # type: ignore[attr-defined]
        return found.select_related("billing_profile__entity")


def currencies(customer: Customer) -> list[str]:
    """Return the currencies in which the customer has something on its account."""
    found = Invoice.objects.filter(tenant=customer).order_by("currency").values_list("currency", flat=True).distinct()
    profile = BillingProfile.objects.filter(tenant=customer).first()
    return sorted({*found, *([profile.currency] if profile else [])})
