"""Call records for tests, as ingest would have stored them."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from tenants.models import Customer
from voice.calls.models import Cdr


def cdr(customer: Customer, invited: datetime, **facts: Any) -> Cdr:
    """Return a call of a customer that is not stored yet: answered after 4 s, a minute long."""
    key = uuid.uuid4()
    whole = {
        "id": key, "call": key, "tenant_id": customer.pk, "msp_id": customer.msp_id, "node_name": "sbc-lab-1",
        "sequence": 1, "direction": "out", "call_id": f"{key.hex}@teams.example", "caller": "+493012345678",
        "caller_sent": "+493012345678", "called": "+442079460018", "called_sent": "+442079460018", "invited": invited,
        "ringing": invited + timedelta(seconds=1), "answered": invited + timedelta(seconds=4),
        "ended": invited + timedelta(seconds=64), "talk_ms": 60_000, "code": 200, "cause": 16,
        "released_by": "caller", "ingress": "teams", "egress": "g1", "disposition": "answered", "received": invited,
    }  # fmt: skip
    return Cdr(**whole | facts)
