"""Invoices before they are issued: drafted from a source, approved, opened again, dropped."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from tenants.models import Customer
from voice import days
from voice.edits import facts, locked
from voice.plans.ordering import forget_draws, later_draws
from voice.receivables import selectors
from voice.receivables.composer import Composed, LinesSource, TaxLine, compose
from voice.receivables.models import BillingProfile, Invoice, InvoiceLine, InvoiceRun, InvoiceTax
from voice.receivables.tax import Levy
from voice.receivables.taxation import Treatments
from voice.rerating.services import give_back

State = Invoice.State
# The code of the refusal of a bill that would come to less than nothing.
CREDITS = "credits"
AMOUNTS = ("kind", "currency", "net", "tax", "total", "begins", "ends")


@transaction.atomic
def draft(
    profile: BillingProfile, source: LinesSource, *, begins: date, ends: date, by: Actor, numbers: int = 0
) -> Invoice:
    """Write the draft of a period's invoice from what the source bills; raises ValidationError in words.

    `numbers` is how many telephone numbers it bills, for taxes that are asked for each.
    """
    days.demand(begins=begins, ends=ends)
    taxed = Treatments(profile, ends - timedelta(days=1), numbers)
    composed = compose(source.items(begins, ends, taxed), profile.currency)
    if not composed.lines:
        raise ValidationError(_("There is nothing to bill for this period."))
    if composed.total < 0:
        raise ValidationError(_("The credits are more than the charges: write a credit note."), code=CREDITS)
    invoice = Invoice(
        msp_id=profile.msp_id,
        tenant_id=profile.tenant_id,
        entity=profile.entity,
        source=source.name,
        begins=begins,
        ends=ends,
        currency=profile.currency,
        seller_vat_id=taxed.vat_id,
    )
    store(invoice, composed)
    audit.record(by, "invoice.drafted", invoice, tenant_id=invoice.tenant_id, after=facts(invoice, AMOUNTS))
    return invoice


def store(invoice: Invoice, composed: Composed) -> None:
    """Store a draft with its lines and taxes."""
    levies = {each.levy: number for number, each in enumerate((each for each in composed.taxes if each.levy), start=1)}
    invoice.net, invoice.tax, invoice.total = composed.net, composed.tax, composed.total
    invoice.full_clean(exclude=["seller", "buyer"])
    invoice.save(force_insert=True)
    InvoiceLine.objects.bulk_create(
        InvoiceLine.of(
            invoice,
            position=position,
            kind=line.kind,
            group=line.group,
            text=line.text,
            quantity=line.quantity,
            seconds=line.seconds,
            exact=line.exact,
            net=line.net,
            category=line.treatment.category,
            per_million=line.treatment.per_million,
            tax_name=line.treatment.name,
            levies=[levies[levy] for levy in line.treatment.levies],
            corrects=line.corrects,
            basis=line.basis,
        )
        for position, line in enumerate(composed.lines, start=1)
    )
    InvoiceTax.objects.bulk_create(_row(invoice, each, levies) for each in composed.taxes)


def _row(invoice: Invoice, each: TaxLine, levies: Mapping[Levy | None, int]) -> InvoiceTax:
    facts: dict[str, Any] = {"category": each.treatment.category, "net": each.net, "tax": each.tax}
    levy = each.levy
    if levy is None:
        treatment = each.treatment
        facts |= {"per_million": treatment.per_million, "name": treatment.name, "note": treatment.note}
    else:
        facts |= {
            "per_million": levy.per_million, "name": levy.name, "is_levy": True, "position": levies[levy],
            "share_per_million": levy.share, "fixed": levy.fixed, "units": levy.units,
        }  # fmt: skip
    return InvoiceTax.of(invoice, **facts)


@transaction.atomic
def approve(invoice: Invoice, *, by: Actor) -> Invoice:
    """Say that a draft may be issued as it is; raises ValidationError while a warning of its run is open."""
    # Before the document, as by whoever collects the month again: nothing is found between our look and our word.
    run = InvoiceRun.objects.select_for_update(of=("self",)).filter(customers__invoice=invoice).first()
    take(invoice, {State.DRAFT})
    _refuse_unseen(invoice, run)
    return _moved(invoice, State.APPROVED, "invoice.approved", by)


def _refuse_unseen(invoice: Invoice, run: InvoiceRun | None) -> None:
    if run and run.is_working:
        raise ValidationError(_("The run is at work: wait until it is through."))
    if run and selectors.open_warnings(invoice).exists():
        raise ValidationError(_("Look at what the run found about this invoice, and tick it, first."))


@transaction.atomic
def reopen(invoice: Invoice, *, by: Actor) -> Invoice:
    """Make an approved invoice a draft again."""
    take(invoice, {State.APPROVED})
    return _moved(invoice, State.DRAFT, "invoice.reopened", by)


@transaction.atomic
def drop(invoice: Invoice, *, by: Actor) -> None:
    """Throw a draft away; it has no number yet, so none is missing.

    Raises ValidationError where a later document counts on what this one left of included minutes.
    """
    # Whoever writes a later month of the customer reads what is drawn under the same lock.
    Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=invoice.tenant_id)
    take(invoice, {State.DRAFT})
    _refuse_counted_on(invoice)
    give_back(invoice.tenant_id, invoice.pk)
    forget_draws(invoice.tenant, drawn_by(invoice))
    audit.record(by, "invoice.dropped", invoice, tenant_id=invoice.tenant_id, before=facts(invoice, AMOUNTS))
    invoice.delete()


def counting_on(invoice: Invoice) -> list[Invoice]:
    """Return the later documents that reckon with what this one left of included minutes, the newest first."""
    references = later_draws(invoice.tenant, invoice.begins, invoice.ends)
    later = Invoice.objects.filter(tenant=invoice.tenant_id, begins__gte=invoice.ends).order_by("-begins", "-pk")
    return [each for each in later if drawn_by(each) in references] if references else []


def _refuse_counted_on(invoice: Invoice) -> None:
    later = [] if invoice.is_credit_note else counting_on(invoice)
    if not later:
        return
    facts = {"month": date_format(later[0].begins, "F Y"), "state": later[0].get_state_display().lower()}
    if any(each.state != State.DRAFT for each in later):
        words = _("%(month)s counts on what this month left of included minutes and is %(state)s: this draft stays.")
    else:
        words = _("%(month)s counts on what this month left of included minutes: throw its draft away first.")
    raise ValidationError(words % facts)


def drawn_by(invoice: Invoice) -> str:
    """Return the name under which a plan knows what a document drew from it."""
    return f"invoice {invoice.pk}"


def take(invoice: Invoice, states: Iterable[str]) -> None:
    """Lock the invoice and refuse it in any other than these states."""
    locked(invoice)
    if invoice.state not in states:
        raise ValidationError(
            _("%(invoice)s is %(state)s: this cannot be done with it any more.")
            % {"invoice": invoice, "state": invoice.get_state_display().lower()}
        )


def _moved(invoice: Invoice, to: str, verb: str, by: Actor) -> Invoice:
    invoice.state = to
    invoice.row_version += 1
    invoice.save(update_fields=["state", "row_version"])
    audit.record(by, verb, invoice, tenant_id=invoice.tenant_id, total=invoice.total, currency=invoice.currency)
    return invoice
