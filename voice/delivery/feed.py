"""Puts what happened into an MSP's feed: each call, bill and payment once, under numbers without a gap."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from portal.db import contexts
from tenants.models import Msp
from voice.delivery.models import Delivery, Endpoint, Feed, Kind, Message
from voice.receivables.models import Entry, Invoice, Payment, Reversal
from voice.rerating.models import Adjustment, Proposal

# What is booked by itself, and told by no document or payment.
ALONE = (Entry.Kind.FEE, Entry.Kind.WRITE_OFF, Entry.Kind.CORRECTION)
CALLS_IN_ONE = 500
MOST_AT_ONCE = 20_000
# A call is priced with the clock of its batch and seen once that has committed: looked for that much longer.
OVERLAP = timedelta(minutes=1)
# What took still longer is found by the sweep.
SWEPT = timedelta(days=3)

_NEW = """
    SELECT charge.invited, charge.id, charge.rated_at FROM rating_charge AS charge
     WHERE charge.msp_id = %(msp)s AND charge.rated_at > %(since)s AND charge.rated_at <= %(until)s
       AND charge.outcome IN ('rated', 'free')
       AND NOT EXISTS (
           SELECT FROM (SELECT unnest(calls) AS id FROM delivery_message
                         WHERE msp_id = %(msp)s AND kind = 'calls.rated' AND at > %(told)s) AS earlier
            WHERE earlier.id = charge.id)
     ORDER BY charge.rated_at, charge.id LIMIT %(most)s
"""
Row = tuple[datetime, uuid.UUID, datetime]


@transaction.atomic
def collect(msp: Msp, now: datetime, *, swept: bool = False) -> int:
    """Put into the feed what is not in it yet, and onto the way to whoever listens; return how many messages.

    `swept` looks back three days instead of a minute. Runs in the MSP's context; of two at a time one does nothing.
    """
    feed = Feed.objects.select_for_update(skip_locked=True).filter(msp=msp).first()
    if feed is None:
        if not Feed.objects.filter(msp=msp).exists():
            Feed.objects.get_or_create(msp=msp, defaults={"began_at": now, "marked_at": now})
        return 0
    messages = [
        *_calls(feed, now, SWEPT if swept else OVERLAP), *_adjustments(feed, now), *_documents(feed, now),
    ]  # fmt: skip
    for message in messages:
        feed.sequence += 1
        message.sequence = feed.sequence
    Message.objects.bulk_create(messages)
    feed.save(update_fields=["sequence", "marked_at"])
    _address(messages, now)
    return len(messages)


@transaction.atomic
def ping(endpoint: Endpoint, now: datetime) -> Delivery:
    """Put a test message into the feed and onto the way to one endpoint."""
    feed, _made = Feed.objects.get_or_create(msp_id=endpoint.msp_id, defaults={"began_at": now, "marked_at": now})
    feed = Feed.objects.select_for_update().get(pk=feed.pk)
    feed.sequence += 1
    feed.save(update_fields=["sequence"])
    message = _message(feed, Kind.PING, now, sequence=feed.sequence)
    message.save(force_insert=True)
    return Delivery.objects.create(msp_id=endpoint.msp_id, endpoint=endpoint, message=message, next_at=now)


def all_feeds(now: datetime, *, swept: bool = False) -> int:
    """Bring the feed of every MSP up to date; return how many messages came."""
    count = 0
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            count += collect(msp, now, swept=swept)
    return count


def _calls(feed: Feed, now: datetime, overlap: timedelta) -> Iterable[Message]:
    since = max(feed.began_at, feed.marked_at - overlap)
    told = since - OVERLAP
    facts: dict[str, Any] = {"msp": feed.msp_id, "since": since, "until": now, "told": told, "most": MOST_AT_ONCE}
    with connection.cursor() as cursor:
        cursor.execute(_NEW, facts)
        rows: list[Row] = cursor.fetchall()
    # With more than fit, the mark stays at the last that did: the rest follows at once.
    feed.marked_at = max(feed.marked_at, rows[-1][2] if len(rows) == MOST_AT_ONCE else now)
    for start in range(0, len(rows), CALLS_IN_ONE):
        yield _of_calls(feed, rows[start : start + CALLS_IN_ONE], now)


def _of_calls(feed: Feed, rows: Sequence[Row], now: datetime) -> Message:
    return _message(feed, Kind.CALLS, now, **_named([(invited, key) for invited, key, _rated in rows]))


def _adjustments(feed: Feed, now: datetime) -> Iterable[Message]:
    told = Message.objects.filter(msp_id=feed.msp_id, proposal__isnull=False).values("proposal")
    # One whose calls are kept no more was told weeks ago; its messages may be erased by now.
    applied = Proposal.objects.filter(
        msp_id=feed.msp_id, state=Proposal.State.APPLIED, kept=True, applied_at__gte=feed.began_at
    )
    for proposal in applied.exclude(pk__in=told).order_by("applied_at", "pk").values_list("pk", flat=True):
        moved = Adjustment.objects.filter(msp_id=feed.msp_id, proposal_id=proposal)
        rows = list(moved.values_list("invited", "call").distinct().order_by("invited", "call"))
        for start in range(0, len(rows), CALLS_IN_ONE):
            part = rows[start : start + CALLS_IN_ONE]
            yield _message(feed, Kind.ADJUSTMENT, now, proposal=proposal, **_named(part))


def _named(rows: Sequence[tuple[datetime, uuid.UUID]]) -> dict[str, Any]:
    """Return what names calls in a message: their ids, and the days on which to look for them."""
    moments = [invited for invited, _key in rows]
    return {"calls": [key for _invited, key in rows], "first_invited": min(moments), "last_invited": max(moments)}


def _documents(feed: Feed, now: datetime) -> Iterable[Message]:
    told = Message.objects.filter(msp_id=feed.msp_id, document__isnull=False)
    issued = Invoice.objects.issued().filter(issued_at__gte=feed.began_at)
    news: dict[Kind, QuerySet[Any]] = {
        Kind.INVOICE: issued.filter(kind=Invoice.Kind.INVOICE),
        Kind.CREDIT_NOTE: issued.filter(kind=Invoice.Kind.CREDIT_NOTE),
        Kind.PAYMENT: Payment.objects.filter(created_at__gte=feed.began_at),
        Kind.REVERSAL: Reversal.objects.filter(created_at__gte=feed.began_at),
        # What else moves a customer's account: without it nobody else reaches the same balance.
        Kind.ENTRY: Entry.objects.filter(created_at__gte=feed.began_at, tenant__isnull=False, kind__in=ALONE),
    }
    for kind, rows in news.items():
        new = rows.filter(msp_id=feed.msp_id).exclude(pk__in=told.filter(kind=kind).values("document"))
        for pk in new.order_by("pk").values_list("pk", flat=True):
            yield _message(feed, kind, now, document=pk)


def _message(feed: Feed, kind: str, now: datetime, **facts: Any) -> Message:
    return Message(msp_id=feed.msp_id, key=uuid.uuid4(), kind=kind, at=now, **facts)


def _address(messages: Sequence[Message], now: datetime) -> None:
    if not messages:
        return
    listening = Endpoint.objects.filter(msp_id=messages[0].msp_id, state=Endpoint.State.ACTIVE)
    Delivery.objects.bulk_create(
        Delivery(msp_id=message.msp_id, endpoint=endpoint, message=message, next_at=now)
        for endpoint in listening
        for message in messages
        if message.kind in endpoint.kinds
    )
