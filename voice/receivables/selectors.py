"""What is open, what is left to credit, what a customer owes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BigIntegerField, Case, Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, JSONObject

from portal.db import contexts
from tenants.models import Customer, Msp
from voice.billing.models import Bill
from voice.languages import language_of
from voice.rating.limits import USUAL_CURRENCY, currency_of_customer
from voice.receivables.entry_words import read
from voice.receivables.models import (
    Account,
    Allocation,
    BillingProfile,
    Entry,
    Invoice,
    InvoiceTax,
    LineQuestion,
    Payment,
    Posting,
    Reversal,
    RunCustomer,
    RunFinding,
    TaxCheck,
    TaxRule,
)
from voice.receivables.tax import Rule

# Category, rate and name of a row of taxes, and its position where it is one of several on the same lines.
TaxKey = tuple[str, int, str, int]


@dataclass(frozen=True, slots=True)
class Left:
    """What credit notes have left of an invoice: of each line, and of the net and tax of each rate."""

    lines: dict[int, int]
    taxes: dict[TaxKey, tuple[int, int]]

    @property
    def total(self) -> int:
        """What is left of the whole document, with its tax; lines that take something off it are in that."""
        return sum(self.lines.values()) + sum(tax for _net, tax in self.taxes.values())


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of a statement of account."""

    entry: Entry
    words: str
    amount: int
    balance: int


def tax_rules(*countries: str) -> list[Rule]:
    """Return the rules of some countries, everybody's and the MSP's own, as the database lets the reader see them."""
    return [
        Rule(
            rule.country, rule.tax, rule.name, rule.per_million, rule.begins, rule.ends, area=rule.area,
            county=rule.county, city=rule.city, tax_class=rule.tax_class, share=rule.share_per_million,
            fixed=rule.fixed, currency=rule.currency, is_own=rule.msp_id is not None,
        )
        for rule in TaxRule.objects.filter(country__in=countries)
    ]  # fmt: skip


def with_checks(rules: QuerySet[TaxRule]) -> QuerySet[Any]:
    """Add what came out when a rule was last compared with its source, and when: `checked_on` and `outcome`."""
    newest = TaxCheck.objects.filter(rule=OuterRef("pk")).order_by("-checked_on", "-pk")
    return rules.annotate(
        checked_on=Subquery(newest.values("checked_on")[:1]), outcome=Subquery(newest.values("outcome")[:1])
    )


def everybodys_rules() -> QuerySet[Any]:
    """Return the rules that hold for every MSP's customers, with their checks."""
    return with_checks(TaxRule.objects.filter(msp__isnull=True))


def key_of(row: InvoiceTax) -> TaxKey:
    """Return what a credit note finds a row of taxes by."""
    return row.category, row.per_million, row.name, row.position if row.is_levy else 0


def invoices() -> QuerySet[Any]:
    """Return the invoices that the database lets the reader see, with customer, what is settled and what given up."""
    found = Invoice.objects.select_related("tenant", "corrects")
    return with_standing(found.annotate(given_up=_given_up()))


def with_standing(found: QuerySet[Invoice]) -> QuerySet[Any]:
    """Add `settled` and `left`: what payments and credit notes took off, and what is still to be paid."""
    return found.annotate(settled=_settled()).annotate(left=_left(Q(state=Invoice.State.ISSUED)))


def bills() -> QuerySet[Bill]:
    """Return the copies of the customer at hand: what is settled of each, what given up, what still to be paid."""
    found = Bill.objects.select_related("corrects")
    return found.annotate(settled=_settled(), given_up=_given_up()).annotate(left=_left(Q()))


def _settled(**by: Any) -> Coalesce:
    own = Allocation.objects.filter(invoice=OuterRef("pk"), **by).order_by().values("invoice")
    return Coalesce(Subquery(own.annotate(sum=Sum("amount")).values("sum")), 0, output_field=BigIntegerField())


def _given_up() -> Coalesce:
    # What is written off, without what was claimed again: both settle by an entry.
    return _settled(entry__isnull=False)


def _left(owed: Q) -> Case:
    is_invoice = owed & Q(kind=Invoice.Kind.INVOICE)
    return Case(When(is_invoice, then=F("total") - F("settled")), default=Value(0), output_field=BigIntegerField())


def with_settlements(found: QuerySet[Any]) -> QuerySet[Any]:
    """Add `settlements`: what settled each document, and what went off again, in that order."""
    names = {name: f"{name}_id" for name in ("payment", "credit_note", "reversal", "entry")} | {"amount": "amount"}
    own = Allocation.objects.filter(invoice=OuterRef("pk")).order_by("pk").values(told=JSONObject(**names))
    annotated: QuerySet[Any] = found.annotate(settlements=ArraySubquery(own))
    return annotated


def open_amount(invoice: Invoice) -> int:
    """Return what is still to be paid of an issued invoice."""
    settled = Allocation.objects.filter(invoice=invoice).aggregate(sum=Sum("amount"))["sum"]
    return invoice.total - int(settled or 0)


def open_total(tenant_id: int, entity_id: int, currency: str) -> int:
    """Return what is still to be paid of all of a customer's invoices."""
    own = Invoice.objects.filter(tenant_id=tenant_id, entity_id=entity_id, currency=currency)
    return sum(row.left for row in with_standing(own))


def balance(tenant_id: int, entity_id: int, currency: str) -> int:
    """Return what a customer owes by the books; below zero is what it has paid ahead."""
    rows = Posting.objects.filter(
        account__tenant_id=tenant_id,
        account__entity_id=entity_id,
        account__kind=Account.Kind.RECEIVABLE,
        account__currency=currency,
    )
    return int(rows.aggregate(sum=Sum(F("debit") - F("credit")))["sum"] or 0)


def owed_by(entry: Entry) -> int:
    """Return how much more an entry made its customer owe; below zero is less."""
    rows = entry.postings.filter(account__kind=Account.Kind.RECEIVABLE)
    return int(rows.aggregate(sum=Sum(F("debit") - F("credit")))["sum"] or 0)


def is_written_off(invoices: QuerySet[Invoice], since: datetime | None = None) -> bool:
    """Tell whether something of some invoices was given up, at all or since a moment, and not taken back."""
    given_up = Allocation.objects.filter(
        invoice__in=invoices, entry__kind=Entry.Kind.WRITE_OFF, entry__corrected_by=None
    )
    return (given_up.filter(created_at__gte=since) if since else given_up).exists()


def with_owed(customers: QuerySet[Customer]) -> QuerySet[Any]:
    """Add `owed`: what each customer owes by the books, in the currency of its row; below zero is paid ahead."""
    own = Posting.objects.filter(
        account__tenant=OuterRef("pk"), account__kind=Account.Kind.RECEIVABLE, account__currency=OuterRef("currency")
    )
    moved = own.order_by().values("account__tenant").annotate(sum=Sum(F("debit") - F("credit"))).values("sum")
    return customers.annotate(owed=Coalesce(Subquery(moved), 0, output_field=BigIntegerField()))


def kept_of(payment: Payment) -> int:
    """Return what has not gone back of a payment."""
    return payment.amount - gone_back([payment]).get(payment.pk, 0)


def gone_back(payments: Iterable[Payment]) -> dict[int, int]:
    """Return what went back of the payments of which something did."""
    rows = Reversal.objects.filter(payment__in=list(payments)).order_by().values_list("payment")
    return dict(rows.annotate(sum=Sum("amount")))


def unallocated(payment: Payment) -> int:
    """Return what of a payment was kept and settles nothing."""
    settles = Allocation.objects.filter(payment=payment).aggregate(sum=Sum("amount"))["sum"]
    return kept_of(payment) - int(settles or 0)


def payments_with_rest(tenant_id: int) -> list[tuple[Payment, int]]:
    """Return the payments of a customer that have something left over, the oldest first, each with how much."""

    def sums(rows: QuerySet[Any]) -> Coalesce:
        own = rows.filter(payment=OuterRef("pk")).order_by().values("payment").annotate(sum=Sum("amount"))
        return Coalesce(Subquery(own.values("sum")), 0, output_field=BigIntegerField())

    found = Payment.objects.filter(tenant_id=tenant_id).select_related("entity")
    found = found.annotate(back=sums(Reversal.objects.all()), used=sums(Allocation.objects.all()))
    found = found.annotate(rest=F("amount") - F("back") - F("used")).filter(rest__gt=0)
    return [(payment, payment.rest) for payment in found.order_by("received_on", "pk")]


def credit_notes_with_rest(tenant_id: int) -> list[tuple[Invoice, int]]:
    """Return the issued credit notes of a customer that do not settle all that they are, each with what is missing."""
    own = Allocation.objects.filter(credit_note=OuterRef("pk"), payment=None).order_by().values("credit_note")
    used = Coalesce(Subquery(own.annotate(sum=Sum("amount")).values("sum")), 0, output_field=BigIntegerField())
    notes = Invoice.objects.issued().filter(tenant_id=tenant_id, kind=Invoice.Kind.CREDIT_NOTE)
    found = notes.annotate(rest=F("total") - used).filter(rest__gt=0).order_by("pk")
    return [(note, note.rest) for note in found]


def findings_of(invoice: Invoice) -> QuerySet[RunFinding]:
    """Return what the run of an invoice found about its customer, and about the whole month."""
    rows = RunCustomer.objects.filter(invoice=invoice)
    found = RunFinding.objects.filter(Q(customer__in=rows) | Q(customer=None, run__in=rows.values("run")))
    return found.select_related("customer", "run").order_by("pk")


def open_warnings(invoice: Invoice) -> QuerySet[RunFinding]:
    """Return what of it somebody has to look at before the invoice is approved."""
    return findings_of(invoice).filter(level=RunFinding.Level.WARNING, ticked_at=None)


def disputes(msp: Msp, begins: date, ends: date) -> QuerySet[LineQuestion]:
    """Return the open questions that do not accept an amount of a bill whose period begins in these days."""
    waiting = LineQuestion.objects.filter(msp=msp, state=LineQuestion.State.OPEN).exclude(disputed=0)
    return waiting.filter(invoice__begins__gte=begins, invoice__begins__lt=ends)


def left_to_credit(invoice: Invoice) -> Left:
    """Return what issued credit notes have left, by the invoice's lines and by its tax rates."""
    lines = {line.position: line.net for line in invoice.lines.all()}
    rows = list(invoice.taxes.all())
    taxes = {key_of(each): (each.net, each.tax) for each in rows}
    # A credit note counts its levies by itself: they are the same where rate and name are.
    same = {(each.per_million, each.name, each.fixed): key_of(each) for each in rows if each.is_levy}
    for note in invoice.credit_notes.filter(state=Invoice.State.ISSUED).prefetch_related("lines", "taxes"):
        for line in note.lines.all():
            if line.corrects in lines:
                lines[line.corrects] -= line.net
        for each in note.taxes.all():
            key = same[(each.per_million, each.name, each.fixed)] if each.is_levy else key_of(each)
            net, tax = taxes[key]
            taxes[key] = (net - each.net, tax - each.tax)
    return Left(lines, taxes)


def documents_language(customer: Customer) -> str:
    """Return the language of a customer's documents."""
    # The profile is the MSP's.
    with contexts.msp(customer.msp):
        profile = BillingProfile.objects.filter(tenant=customer).first()
    return language_of(profile.language, profile.country) if profile else language_of("", customer.country)


def country_of_biller(customer: Customer) -> str:
    """Return the country whose law says how long papers about a customer are kept; empty is the rule of all."""
    # The profile is the MSP's. Who declares in the one-stop shop keeps records as long as the longest rule asks.
    with contexts.msp(customer.msp):
        own = BillingProfile.objects.filter(tenant=customer, entity__is_in_oss=False)
        return own.values_list("entity__country", flat=True).first() or ""


def usual_currency(msp: Msp) -> str:
    """Return the currency in which an MSP bills most of its customers."""
    billed = BillingProfile.objects.filter(msp=msp).values_list("currency").annotate(customers=Count("pk"))
    found = billed.order_by("-customers", "currency").first()
    return found[0] if found else USUAL_CURRENCY


def new_profile(customer: Customer) -> BillingProfile:
    """Return how a customer may be billed, not stored yet: in the currency of its account or deck, or of most bills."""
    pays_in = Coalesce("account__currency", currency_of_customer(usual_currency(customer.msp)))
    currency = Customer.objects.filter(pk=customer.pk).values_list(pays_in, flat=True).get()
    facts = {"name": customer.name, "country": customer.country, "currency": currency}
    return BillingProfile(msp_id=customer.msp_id, tenant=customer, **facts)


def currency_of_bills() -> Subquery:
    """Return, for queries of customers, the currency in which one is billed; nothing where nobody has said."""
    return Subquery(BillingProfile.objects.filter(tenant=OuterRef("pk")).values("currency")[:1])


def statement(customer: Customer, currency: str, *, since: date | None = None) -> Iterator[Movement]:
    """Yield what moved on a customer's account, oldest first, each with the balance after it; positive is owed.

    It is worded in the language of the customer's documents.
    """
    language = documents_language(customer)
    moved: dict[int, int] = defaultdict(int)
    rows = Posting.objects.filter(
        account__tenant_id=customer.pk, account__kind=Account.Kind.RECEIVABLE, account__currency=currency
    ).select_related("entry__reversal")
    entries: dict[int, Entry] = {}
    for row in rows:
        moved[row.entry_id] += row.debit - row.credit
        entries[row.entry_id] = row.entry
    balance = 0
    for entry in sorted(entries.values(), key=lambda entry: (entry.booked_on, entry.pk)):
        balance += moved[entry.pk]
        if since is None or entry.booked_on >= since:
            yield Movement(entry, read(entry.text, language), moved[entry.pk], balance)
