"""Working out at night what months without an invoice are expected to bring, so that pages read one row a customer."""

import logging
from collections import Counter
from datetime import date

from django.db import transaction
from django.db.models import Exists, OuterRef

from tenants.models import Customer, Msp
from voice.margin import plans
from voice.margin.lens import next_month, previous_month
from voice.margin.models import ExpectedMonth
from voice.plans.bills import DISCOUNT, USAGE
from voice.plans.previews import month_of
from voice.receivables.models import Invoice

# Older months that nobody has billed are no expectation any more.
MONTHS = 3

log = logging.getLogger(__name__)


def work_out(msp: Msp, today: date) -> None:
    """Work out anew what the running month and those before it are expected to bring; in the context of the MSP."""
    month = today.replace(day=1)
    for _back in range(MONTHS):
        _work_out(msp, month)
        month = previous_month(month)
    ExpectedMonth.objects.filter(msp=msp, month__lte=month).delete()


def _work_out(msp: Msp, month: date) -> None:
    billed = Invoice.objects.issued().filter(
        tenant=OuterRef("pk"), source="run", begins__gte=month, begins__lt=next_month(month)
    )
    bound = plans.in_month(month).filter(tenant=OuterRef("pk")).order_by()
    waiting = Customer.objects.filter(Exists(bound), ~Exists(billed), msp=msp).select_related("msp").order_by("pk")
    rows = [row for customer in waiting for row in _expected(customer, month)]
    with transaction.atomic():
        ExpectedMonth.objects.filter(msp=msp, month=month).delete()
        ExpectedMonth.objects.bulk_create(rows)


def _expected(customer: Customer, month: date) -> list[ExpectedMonth]:
    try:
        with transaction.atomic():
            found = month_of(customer, month)
    except Exception:
        # One customer whose month cannot be worked out keeps nobody else's figures away; its run will say why.
        log.exception("The month of customer %s could not be worked out", customer.pk)
        return []
    fees, off = Counter({found.currency: 0}), Counter[str]()
    for item in found.bill.items:
        currency = item.currency or found.currency
        if item.kind == USAGE and item.basis.get("rule") == "deck":
            # Margins count the charge; the line of the bill is what is left of it.
            off[currency] += item.basis.get("covered_micros", 0)
        elif item.kind == USAGE or (item.kind == DISCOUNT and item.basis.get("on") == "calls"):
            off[currency] -= item.micros
        else:
            fees[currency] += item.micros
    return [
        ExpectedMonth(
            msp_id=customer.msp_id, tenant=customer, month=month, currency=each, fees=fees[each], off=off[each]
        )
        for each in sorted({*fees, *off})
    ]
