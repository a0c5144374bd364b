"""Credit notes over calls that were priced again to less, where no bill of the customer can bear that."""

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from tenants.models import Customer
from voice.plans.bills import discounts_on_calls, moments
from voice.rating.money import half_up, to_minor
from voice.receivables import selectors
from voice.receivables.again import MILLION, SHARE
from voice.receivables.models import Invoice
from voice.receivables.phrases import say
from voice.receivables.services.issuing import credit

# Entries that no document has yet, by the line of the issued invoice that billed their calls.
_OPEN = """
  FROM public.rerating_adjustment a
  JOIN public.receivables_billedcharge b ON (b.tenant_id, b.invited, b.id) = (a.tenant_id, a.invited, a.call)
  JOIN public.receivables_invoiceline l ON l.id = b.line_id
  JOIN public.receivables_invoice i ON i.id = l.invoice_id AND i.state = 'issued' AND i.currency = a.currency
 WHERE a.tenant_id = %(tenant)s AND a.invoice_id IS NULL AND a.answered < %(before)s
"""
_SUMS = f"""
SELECT i.id, l.position, (a.answered AT TIME ZONE %(zone)s)::date, count(*),
       sum({SHARE.format(charged="b.micros", off="b.off")})
{_OPEN} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_TAKE = f"""
UPDATE public.rerating_adjustment SET invoice_id = %(note)s WHERE id IN (
    SELECT a.id {_OPEN} AND i.id = %(invoice)s AND l.position = ANY(%(positions)s))
"""  # noqa: S608 constants
# By invoice and position: how many entries, and what they come to after discounts, in millionths of a micro.
Sums = dict[int, dict[int, tuple[int, int]]]


@transaction.atomic
def credit_priced_again(customer: Customer, begins: date, ends: date, *, by: Actor) -> list[Invoice]:
    """Write the drafts of credit notes over calls that were priced again to less, one for each invoice with such calls.

    Each bears its entries, as a bill would: no bill takes them off once more. Raises ValidationError where no line of
    an issued invoice comes to less, or less than that is left of each such invoice as a whole.
    """
    Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=customer.pk)
    before = moments(customer.pk, begins, ends)[1]
    made: list[Invoice] = []
    refused = ValidationError(_("No line of an issued invoice comes to less by calls that were priced again."))
    for number, lines in _sums(customer, ends, before).items():
        try:
            with transaction.atomic():
                made += _credit_lines(customer, Invoice.objects.get(pk=number), lines, before, by=by)
        except ValidationError as error:
            # One invoice keeps no other back: who asks once more is told why.
            refused = error
    if not made:
        raise refused
    return made


def _credit_lines(
    customer: Customer, invoice: Invoice, lines: dict[int, tuple[int, int]], before: datetime, *, by: Actor
) -> list[Invoice]:
    left = selectors.left_to_credit(invoice).lines
    less = {position: to_minor(half_up(-sum_, MILLION), invoice.currency) for position, (_n, sum_) in lines.items()}
    amounts = {position: min(net, left[position]) for position, net in less.items() if min(net, left[position]) > 0}
    if not amounts:
        return []
    reason = say(selectors.documents_language(customer), "priced_again")
    note = credit(invoice, reason=reason, amounts=amounts, by=by)
    _take(customer, before, note, sum(lines[position][0] for position in amounts), list(amounts))
    audit.record(by, "invoice.credited_again", note, tenant_id=note.tenant_id, invoice=invoice.number, net=note.net)
    return [note]


def _sums(customer: Customer, ends: date, before: datetime) -> Sums:
    facts: dict[str, Any] = {"tenant": customer.pk, "before": before, "zone": str(before.tzinfo)}
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, facts)
        rows = cursor.fetchall()
    bills, off = Invoice.objects.in_bulk({row[0] for row in rows}), discounts_on_calls(customer, ends)
    found: Sums = defaultdict(dict)
    for number, position, day, entries, share in rows:
        bill = bills[number]
        before_it = found[number].get(position, (0, 0))
        asked = int(share) * (MILLION - off(day, (bill.begins, bill.ends), bill.currency))
        found[number][position] = before_it[0] + entries, before_it[1] + asked
    return found


def _take(customer: Customer, before: datetime, note: Invoice, entries: int, positions: list[int]) -> None:
    facts: dict[str, Any] = {
        "tenant": customer.pk, "before": before, "note": note.pk, "invoice": note.corrects_id, "positions": positions,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, facts)
        if cursor.rowcount != entries:
            raise ValidationError(_("Calls were priced again in this moment: try once more."))
