"""Calls that are priced, stored straight."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from portal.db import contexts
from portal.db.partitions import ensure_days
from tenants.models import Customer
from voice.calls.models import Cdr
from voice.calls.tests.make import cdr
from voice.rating.models import Charge


def priced(customer: Customer, rated_at: datetime, **facts: Any) -> uuid.UUID:
    """Store a minute to Germany, priced at a moment; return its id."""
    call = cdr(customer, rated_at - timedelta(minutes=2), called="+4989123400")
    charge = {
        "tenant_id": call.tenant_id, "msp_id": call.msp_id, "invited": call.invited, "id": call.id,
        "answered": call.answered, "direction": "out", "destination": "Germany", "prefix": "49", "outcome": "rated",
        "micros": 180_000, "currency": "EUR", "seconds": 60, "billed": 60, "rated_at": rated_at,
    }  # fmt: skip
    for table in ("calls_cdr", "rating_charge"):
        ensure_days(table, {call.invited.date()})
    with contexts.ingest():
        Cdr.objects.bulk_create([call])
        Charge.objects.bulk_create([Charge(**charge | facts)])
    return call.id
