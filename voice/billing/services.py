"""Writing the customer's copy of a document: once, in the transaction that issues it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from voice.billing.models import BILL_COLUMNS, LINE_COLUMNS, Bill, BillLine, plain


@transaction.atomic
def keep(document: Any, lines: Iterable[Any], taxes: Sequence[Mapping[str, Any]]) -> Bill:
    """Store the copy of a document of the register in the customer's schema at hand."""
    bill = Bill(**plain(document, BILL_COLUMNS), taxes=list(taxes))
    bill.save(force_insert=True)
    BillLine.objects.bulk_create(BillLine(bill=bill, **plain(line, LINE_COLUMNS)) for line in lines)
    return bill
