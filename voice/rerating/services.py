"""Writes of adjustments by whoever makes invoices."""

from datetime import datetime

from django.db import transaction

from voice.rerating import selectors
from voice.rerating.models import Adjustment
from voice.rerating.selectors import AdjustmentSum


@transaction.atomic
def take(customer_id: int, before: datetime, invoice_id: int) -> list[AdjustmentSum]:
    """Let an invoice bear the customer's open adjustments of calls answered before a moment, in its transaction.

    Return the sums of all that it bears: asked twice, the same. Two invoices that want them at once never both get one.
    """
    selectors.unbilled(customer_id, before).update(invoice_id=invoice_id)
    return selectors.sums_of(Adjustment.objects.filter(tenant_id=customer_id, invoice_id=invoice_id))


@transaction.atomic
def give_back(customer_id: int, invoice_id: int) -> int:
    """Open the adjustments again that a dropped draft had taken; return how many."""
    return Adjustment.objects.filter(tenant_id=customer_id, invoice_id=invoice_id).update(invoice_id=None)
