"""What bank entries are held against, and who is not reminded."""

from datetime import date, timedelta

from django.db.models import Q, Sum

from voice.payments.gaps import Gap, gaps
from voice.payments.matching import Books, Known, OpenInvoice
from voice.payments.models import BankEntry, BankStatement, CardAttempt, DunningPause
from voice.receivables import selectors as receivables
from voice.receivables.models import Invoice, Payment

# A bank returns a direct debit within 13 months.
MOST_PAYMENTS = 20_000
# No bank takes that long for a debit: whose end was never told does not keep reminders back for good.
LONGEST_DEBIT = timedelta(days=30)


def books_of(entity_id: int) -> Books:
    """Return what the entries of a company's bank account are held against."""
    booked = BankEntry.objects.filter(entity_id=entity_id, state=BankEntry.State.BOOKED).exclude(payer_iban="")
    ibans: dict[str, set[int]] = {}
    for iban, tenant_id in booked.filter(amount__gt=0).values_list("payer_iban", "tenant_id").distinct():
        ibans.setdefault(iban, set()).add(tenant_id)
    payers = {iban: frozenset(found) for iban, found in ibans.items()}
    return Books(open_invoices(entity_id), payments_of(entity_id), payers)


def open_invoices(entity_id: int, tenant_id: int | None = None) -> list[OpenInvoice]:
    """Return the invoices of a company, or of one customer of it, that have something left to pay."""
    issued = Invoice.objects.issued().filter(entity_id=entity_id)
    found = receivables.with_standing(issued if tenant_id is None else issued.filter(tenant_id=tenant_id))
    return [
        OpenInvoice(row.pk, row.tenant_id, row.tenant.name, row.number, row.currency, row.left, row.due_on)
        for row in found.filter(left__gt=0).select_related("tenant").order_by("due_on", "pk")
    ]


def payments_of(entity_id: int) -> list[Known]:
    """Return the payments of a company that something is left of, the newest first."""
    found = Payment.objects.filter(entity_id=entity_id).select_related("tenant", "bank_entry")
    found = found.annotate(back=Sum("reversals__amount"))
    return [
        Known(
            row.pk, row.tenant_id, row.tenant.name, row.currency, row.amount - (row.back or 0), row.received_on,
            *(_of_bank(row.bank_entry) if hasattr(row, "bank_entry") else ()),
        )
        for row in found.order_by("-received_on", "-pk")[:MOST_PAYMENTS]
        if row.amount > (row.back or 0)
    ]  # fmt: skip


def _of_bank(entry: BankEntry) -> tuple[str, str, bool]:
    return entry.end_to_end, entry.payer_iban, True


def bank_gaps(msp_id: int) -> list[Gap]:
    """Return where statements of an MSP's accounts do not follow each other and nobody has said why."""
    accounts: dict[tuple[int, str, str], list[BankStatement]] = {}
    for row in BankStatement.objects.filter(msp=msp_id).order_by("pk"):
        accounts.setdefault((row.entity_id, row.iban, row.currency), []).append(row)
    return [gap for rows in accounts.values() for gap in gaps(rows) if not gap.after.gap_note]


def is_being_paid(invoice: Invoice, today: date) -> bool:
    """Tell whether money for an invoice is on its way: a card is being charged, or a bank takes days for a debit.

    A checkout that somebody has only opened is no payment.
    """
    Kind = CardAttempt.Kind
    going = CardAttempt.objects.filter(
        tenant_id=invoice.tenant_id, account__entity_id=invoice.entity_id, currency=invoice.currency,
        is_under_way=True, created_at__date__gt=today - LONGEST_DEBIT,
    )  # fmt: skip
    going = going.filter(Q(at_bank=True) | Q(kind__in=[Kind.SAVED, Kind.COLLECT])).exclude(kind=Kind.TOP_UP)
    # One that names no invoice is of everything that was open.
    everything = Q(invoices=[])
    if invoice.issued_at is not None:
        everything &= Q(created_at__gte=invoice.issued_at)
    return going.filter(everything | Q(invoices__contains=[invoice.pk])).exists()


def is_paused(tenant_id: int, today: date, invoice_id: int | None = None) -> bool:
    """Tell whether a customer as a whole, or this invoice of it, is left alone today."""
    running = DunningPause.objects.filter(tenant_id=tenant_id, ended_at=None).filter(
        Q(until=None) | Q(until__gte=today), Q(invoice=None) | Q(invoice=invoice_id)
    )
    return running.exists()
