"""Charges as rating leaves them, for the tests of what is billed."""

import uuid
from datetime import UTC, datetime, timedelta

from portal.db import contexts
from portal.db.partitions import ensure_days
from voice.rating.models import Charge

NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)


def charges(customer, *rows, at=NOON, **facts):
    """Store a charge for each (destination, micros) or bare amount, a minute apart; return them."""
    told = {"direction": "out", "outcome": "rated", "currency": "EUR", "seconds": 60, "billed": 60, "deck_id": 1}
    made = []
    for minute, row in enumerate(rows):
        destination, micros = row if isinstance(row, tuple) else ("Germany", row)
        moment = at + timedelta(minutes=minute)
        made.append(
            Charge(
                tenant_id=customer.pk, msp_id=customer.msp_id, invited=moment, id=uuid.uuid4(),
                answered=moment + timedelta(seconds=5), destination=destination, micros=micros,
                **({"rated_at": moment} | told | facts),
            )
        )  # fmt: skip
    ensure_days("rating_charge", {each.invited.date() for each in made})
    with contexts.ingest():
        Charge.objects.bulk_create(made)
    return made
