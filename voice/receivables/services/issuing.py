"""Issuing: the number, the frozen copies, the entry in the books and the customer's copy: all at once, or nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.ui import values
from voice import languages
from voice.receivables import selectors
from voice.receivables.composer import Composed, Line, TaxLine, compose_taxes, levied
from voice.receivables.models import BillingProfile, Invoice, InvoiceTax, LegalEntity, Notice, NumberSeries
from voice.receivables.numbering import number_text, period_of
from voice.receivables.services.billed_months import note_months
from voice.receivables.services.copies import keep_copy
from voice.receivables.services.counting import count
from voice.receivables.services.invoices import State, store, take
from voice.receivables.services.ledger import book_document
from voice.receivables.services.notices import notify
from voice.receivables.services.payments import lock_account, settle_from_credit
from voice.receivables.tax import Levy, Treatment

SELLER = (
    "name", "street", "postcode", "city", "country", "vat_id", "email", "phone", "registration", "tax_number",
    "bank", "iban", "bic",
)  # fmt: skip
BUYER = ("name", "street", "postcode", "city", "country", "vat_id", "email", "buyer_reference")
# How far ahead of today and its period, or before both, a document may be dated.
APART = timedelta(days=62)


def demand_day_of_issue(on: date, ends: date) -> None:
    """Raise ValidationError for a day far after today and the period, or far before both.

    No later number could have an earlier day; and a year that was mistyped begins a series that nobody meant.
    """
    last, first = max(timezone.localdate(), ends) + APART, min(timezone.localdate(), ends) - APART
    if on < first:
        raise ValidationError({"on": _("Choose a day from %(first)s on: it is of no such time.")
                               % {"first": date_format(first, "j F Y")}})  # fmt: skip
    if on > last:
        raise ValidationError({"on": _("Choose a day until %(last)s: later numbers cannot have earlier dates.")
                               % {"last": date_format(last, "j F Y")}})  # fmt: skip


@transaction.atomic
def issue(invoice: Invoice, *, on: date, by: Actor) -> Invoice:
    """Give an approved invoice its number and its final form, and book it. There is no way back but a credit note."""
    demand_day_of_issue(on, invoice.ends)
    # Before any other lock: whoever notes a payment has this one, and then waits for the account by which calls stop.
    lock_account(invoice.tenant_id)
    take(invoice, {State.APPROVED})
    profile = BillingProfile.objects.get(tenant_id=invoice.tenant_id)
    if invoice.is_credit_note:
        _refuse_more_than(invoice)
    invoice.seller = _seller(invoice)
    # A credit note goes to whom the invoice went.
    invoice.buyer = invoice.corrects.buyer if invoice.corrects else _buyer(profile)
    invoice.issued_on, invoice.due_on = on, on + timedelta(days=profile.due_days)
    _take_number(invoice, on)
    invoice.state = State.ISSUED
    invoice.row_version += 1
    invoice.save()
    book_document(invoice)
    count(invoice, by=by)
    note_months(invoice)
    keep_copy(invoice)
    notify(Notice.Kind.BILL, invoice.pk, invoice.tenant_id, invoice.msp_id)
    settle_from_credit(invoice.tenant_id, by=by)
    audit.record(
        by, "invoice.issued", invoice, tenant_id=invoice.tenant_id, total=invoice.total, currency=invoice.currency
    )
    return invoice


def _seller(invoice: Invoice) -> dict[str, Any]:
    # Where the VAT is another country's, the number there stands in the place of the company's own, by which alone it
    # is found on the network.
    seller = _frozen(invoice.entity, SELLER)
    return seller | {"vat_id": invoice.seller_vat_id or seller["vat_id"], "own_vat_id": seller["vat_id"]}


def _buyer(profile: BillingProfile) -> dict[str, Any]:
    language = languages.language_of(profile.language, profile.country)
    return {**_frozen(profile, BUYER), "language": language}


def _frozen(party: LegalEntity | BillingProfile, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(party, name) for name in names}


def _take_number(invoice: Invoice, on: date) -> None:
    # The row stays locked until the transaction ends: whoever issues next waits, and gets the next number.
    entity = LegalEntity.objects.get(pk=invoice.entity_id)
    pattern = entity.pattern(invoice.kind)
    names = {"entity": entity, "kind": invoice.kind, "period": period_of(pattern, on.year)}
    NumberSeries.objects.get_or_create(**names, defaults={"msp_id": entity.msp_id})
    series = NumberSeries.objects.select_for_update(of=("self",)).get(**names)
    # Of all years: where one has begun, the one before is closed.
    numbered = Invoice.objects.filter(entity=entity, kind=invoice.kind, sequence__isnull=False)
    newest = numbered.aggregate(day=Max("issued_on"))["day"]
    if newest and newest > on:
        raise ValidationError(_("The last number is of %(day)s: a later number cannot have an earlier date.")
                              % {"day": date_format(newest, "j F Y")})  # fmt: skip
    if invoice.corrects is not None and invoice.corrects.issued_on and invoice.corrects.issued_on > on:
        raise ValidationError(_("A credit note is of no earlier day than its invoice."))
    series.last += 1
    series.save(update_fields=["last"])
    invoice.series_period, invoice.sequence = series.period, series.last
    invoice.number = number_text(pattern, on.year, series.last)


@transaction.atomic
def credit(invoice: Invoice, *, reason: str, by: Actor, amounts: Mapping[int, int] | None = None) -> Invoice:
    """Write the draft of a credit note: over all that is left of an invoice, or over so much of some lines.

    `amounts` are micros by the line's position. Raises ValidationError.
    """
    invoice = Invoice.objects.select_for_update(of=("self",)).select_related("entity").get(pk=invoice.pk)
    if invoice.is_credit_note or invoice.state != State.ISSUED:
        raise ValidationError(_("Only an issued invoice can be credited."))
    if not reason.strip():
        raise ValidationError({"reason": _("Say why: the credit note prints it.")})
    _refuse_written_off(invoice)
    note = Invoice(
        msp_id=invoice.msp_id,
        tenant_id=invoice.tenant_id,
        entity=invoice.entity,
        kind=Invoice.Kind.CREDIT_NOTE,
        corrects=invoice,
        begins=invoice.begins,
        ends=invoice.ends,
        currency=invoice.currency,
        reason=reason.strip(),
        seller_vat_id=invoice.seller_vat_id,
    )
    store(note, _credited(invoice, amounts))
    audit.record(by, "invoice.credit_drafted", note, tenant_id=note.tenant_id, invoice=invoice.number, total=note.total)
    return note


def _credited(invoice: Invoice, amounts: Mapping[int, int] | None) -> Composed:
    left = selectors.left_to_credit(invoice)
    rows = list(invoice.taxes.all())
    notes = {selectors.key_of(each): each.note for each in rows if not each.is_levy}
    levies = {each.position: _levy(each) for each in rows if each.is_levy}
    wanted = dict(left.lines if amounts is None else amounts)
    chosen: list[Line] = []
    for line in invoice.lines.order_by("position"):
        net, room = wanted.pop(line.position, 0), left.lines[line.position]
        if net * room < 0 or abs(net) > abs(room):
            raise ValidationError(_("Line %(n)d has less than that left to credit.") % {"n": line.position})
        if net:
            key = (line.category, line.per_million, line.tax_name)
            borne = tuple(levies[position] for position in line.levies)
            treatment = Treatment(*key, notes.get((*key, 0), ""), borne)
            chosen.append(
                Line(
                    line.kind, line.group, line.text, treatment, exact=net, net=net,
                    quantity=line.quantity if net == line.net else 1, seconds=line.seconds, corrects=line.position,
                    bases=[line.basis] if line.basis else [],
                )
            )  # fmt: skip
    if wanted or not chosen:
        raise ValidationError(_("Choose lines of the invoice that have something left to credit."))
    made = Composed(invoice.currency, chosen, _credited_taxes(invoice.currency, chosen, left, levies))
    if made.total > left.total:
        words = _("That is more than is left of invoice %(number)s as a whole (%(left)s): credit those of its lines"
                  " that take something off, too.")  # fmt: skip
        raise ValidationError(words % {"number": invoice.number, "left": values.money(left.total, invoice.currency)})
    return made


def _levy(row: InvoiceTax) -> Levy:
    return Levy(row.name, row.per_million, row.share_per_million, row.fixed, row.units)


def _credited_taxes(
    currency: str, lines: list[Line], left: selectors.Left, levies: Mapping[int, Levy]
) -> list[TaxLine]:
    positions = {levy: position for position, levy in levies.items()}
    found = []
    for each in compose_taxes(lines, currency):
        treatment, levy = each.treatment, each.levy
        if levy is None:
            key = (treatment.category, treatment.per_million, treatment.name, 0)
            asked = each.tax
        else:
            key = (treatment.category, levy.per_million, levy.name, positions[levy])
            # What is asked for each number is given back with the last of its lines, not in parts.
            asked = levied(replace(levy, units=0), each.net, currency)
        rest_net, rest_tax = left.taxes[key]
        # The last credit takes the tax that is left, so that all of them together are the invoice's.
        found.append(replace(each, tax=rest_tax if each.net == rest_net else min(asked, rest_tax)))
    return found


def _refuse_more_than(note: Invoice) -> None:
    """Refuse a credit note that would be another one now: it was written before others were issued."""
    invoice = Invoice.objects.select_for_update(of=("self",)).get(credit_notes=note)
    _refuse_written_off(invoice)
    amounts = {line.corrects: line.net for line in note.lines.all() if line.corrects is not None}
    now = _credited(invoice, amounts)
    wanted = sorted((each.net, each.tax) for each in now.taxes)
    if sorted(note.taxes.values_list("net", "tax")) != wanted:
        raise ValidationError(_("Other credit notes have changed its tax: throw this draft away and write it again."))


def _refuse_written_off(invoice: Invoice) -> None:
    if selectors.is_written_off(Invoice.objects.filter(pk=invoice.pk)):
        raise ValidationError(_("Some of this invoice is written off: take that back first."))
