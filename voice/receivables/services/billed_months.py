"""Noting which months the calls of an issued invoice are of, so that what is on no invoice is a difference of sums."""

from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from tenants.models import Msp
from voice.receivables.again import SHARE
from voice.receivables.models import BilledCharge, BilledMonth, Invoice

# As far back as pages of margins look, and a month.
LOOKED_AT = timedelta(days=430)
# Micros are those of the charge as it was put on its line, and of what priced it again.
_NOTE = f"""
INSERT INTO public.receivables_billedmonth (msp_id, tenant_id, invoice_id, month, billed_in, currency, micros, "off")
SELECT %(msp)s, %(tenant)s, %(invoice)s, x.month, date_trunc('month', %(begins)s::date)::date, x.currency,
       sum(x.micros), sum(x.off)
  FROM (
    SELECT date_trunc('month', c.answered, 'UTC') AT TIME ZONE 'UTC' AS month, c.currency, b.micros, b.off
      FROM public.receivables_invoiceline l
      JOIN public.receivables_billedcharge b ON b.line_id = l.id
      JOIN public.rating_charge c ON (c.tenant_id, c.invited, c.id) = (b.tenant_id, b.invited, b.id)
     WHERE l.invoice_id = %(invoice)s
    UNION ALL
    SELECT date_trunc('month', a.answered, 'UTC') AT TIME ZONE 'UTC', a.currency, a.micros,
           a.micros - {SHARE.format(charged="b.micros", off="b.off")}
      FROM public.rerating_adjustment a
      LEFT JOIN public.receivables_billedcharge b ON (b.tenant_id, b.invited, b.id) = (a.tenant_id, a.invited, a.call)
     WHERE a.tenant_id = %(tenant)s AND a.invoice_id = %(invoice)s
  ) x
 GROUP BY x.month, x.currency
"""  # noqa: S608 constants


def note_months(invoice: Invoice) -> None:
    """Note what of which month's charges a document bills, in the transaction that issues it.

    A credit note has none of its own but those of calls that were priced again.
    """
    facts: dict[str, Any] = {
        "msp": invoice.msp_id, "tenant": invoice.tenant_id, "invoice": invoice.pk, "begins": invoice.begins
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, facts)


def note_missing_months(msp: Msp, today: date) -> int:
    """Note the same for invoices that were issued before it was noted; return how many lacked it."""
    lacking = Invoice.objects.issued().filter(
        ~Exists(BilledMonth.objects.filter(invoice=OuterRef("pk"))),
        Exists(BilledCharge.objects.filter(line__invoice=OuterRef("pk"))),
        msp=msp, kind=Invoice.Kind.INVOICE, begins__gte=today - LOOKED_AT,
    )  # fmt: skip
    for invoice in (found := list(lacking.order_by("pk"))):
        with transaction.atomic():
            note_months(invoice)
    return len(found)
