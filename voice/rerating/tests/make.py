"""Calls for tests of rating again, stored and priced as ingest would have done it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.db import contexts
from portal.db.partitions import ensure_days
from tenants.models import Customer, Msp
from voice.calls.models import Cdr
from voice.calls.tests.make import cdr
from voice.rating import live
from voice.rerating import services
from voice.rerating.models import Proposal

JUNE, JULY = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


def calls(customer: Customer, count: int = 1, **facts: Any) -> list[Cdr]:
    """Store calls of a minute each, an hour apart, with what they cost by the decks of now."""
    at = facts.pop("at", NOON)
    found = [cdr(customer, at + timedelta(hours=number), **facts) for number in range(count)]
    store(found)
    live.rate_again(found, at=at)
    return found


def store(found: Sequence[Cdr]) -> None:
    for table in ("calls_cdr", "rating_charge", "rating_cost"):
        ensure_days(table, {call.invited.date() for call in found})
    with contexts.ingest():
        Cdr.objects.bulk_create(found)


def proposed(msp: Msp, by: Any, **facts: Any) -> Proposal:
    """Return a proposal that was rated."""
    with contexts.msp(msp):
        whole = {"msp": msp, "begins": JUNE, "ends": JULY} | facts
        made = services.propose(Proposal(**whole), by=by)
        return services.rate(made, quiet)


def applied(proposal: Proposal, by: Any, reason: str = "The carrier corrected its list") -> Proposal:
    """Return a proposal after it was applied."""
    with contexts.msp(proposal.msp):
        asked = services.ask_to_apply(proposal, round=proposal.round, reason=reason, by=by)
        return services.apply(asked, by=by)


def quiet(done: int, total: int | None = None, message: str = "") -> None:
    """Hear of progress, and say nothing."""
