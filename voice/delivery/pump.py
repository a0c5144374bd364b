"""Sends what is due: claims it, talks to the other side without a transaction, writes down what came of it."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from portal.core import audit
from portal.core.audit import Actor
from tenants.models import Msp
from voice.delivery import files, payloads, selectors
from voice.delivery.models import Attempted, Delivery, Endpoint, StoredFile
from voice.delivery.retries import next_attempt
from voice.delivery.sending import Letter, Outcome, send

logger = logging.getLogger(__name__)
AT_ONCE, MOST_TO_ONE = 8, 20
# Whoever claims something and dies leaves it to be claimed again after this.
LEASE = timedelta(minutes=2)
BY = Actor.system("deliveries")
A = TypeVar("A", Delivery, StoredFile)
Send = Callable[[Letter], Outcome]


def send_due(msp: Msp, *, now: datetime | None = None, post: Send = send) -> int:
    """Send an MSP's messages that are due, several at a time; return how many were tried."""
    claimed = _claim(selectors.due_deliveries(msp, now or timezone.now()), now or timezone.now(), MOST_TO_ONE)
    hidden = selectors.hidden_from_programs(msp)
    ready = [(delivery, _letter(delivery, hidden)) for delivery in claimed]
    # Threads talk to the other side only: the database belongs to this one.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(post, [letter for _delivery, letter in ready]))
    for (delivery, _), outcome in zip(ready, outcomes, strict=True):
        _note(delivery, outcome, now or timezone.now())
    return len(ready)


def put_due(msp: Msp, *, now: datetime | None = None, put: files.Put = files.put) -> int:
    """Open the files that are due and put those that wait into their stores; return how many were tried."""
    at = now or timezone.now()
    files.open_due(msp, at)
    claimed = _claim(selectors.due_files(msp, at), at, MOST_TO_ONE)
    hidden = selectors.hidden_from_programs(msp)
    for file in claimed:
        try:
            file.size, file.rows = put(file.store, file.name, files.content(file, hidden))
        except files.NotStored as error:
            _fail(file, str(error), now or timezone.now(), None)
        else:
            _done(file, now or timezone.now())
        file.save()
    return len(claimed)


@transaction.atomic
def _claim(due: QuerySet[A], now: datetime, most: int) -> Sequence[A]:
    rows = list(due.select_for_update(skip_locked=True, of=("self",))[:most])
    for row in rows:
        row.attempts += 1
        row.next_at = now + LEASE
        row.save(update_fields=["attempts", "next_at"])
    return rows


def _letter(delivery: Delivery, hidden: payloads.Hidden) -> Letter:
    endpoint, message = delivery.endpoint, delivery.message
    return Letter(endpoint.url, endpoint.secret, message.webhook_id, payloads.body(message, hidden))


@transaction.atomic
def _note(delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    delivery.status, delivery.took_ms = outcome.status, outcome.took_ms
    endpoint = Endpoint.objects.select_for_update().get(pk=delivery.endpoint_id)
    if not outcome.error:
        _done(delivery, now)
        endpoint.failing_since, endpoint.last_error, endpoint.delivered_at = None, "", now
    else:
        _fail(delivery, outcome.error, now, outcome.wait)
        endpoint.failing_since, endpoint.last_error = endpoint.failing_since or now, outcome.error
        if outcome.is_gone:
            # 410 is the receiver's way to say that it wants no more.
            endpoint.state = Endpoint.State.PAUSED
            audit.record(BY, "webhook.gone", endpoint)
    delivery.save()
    endpoint.save(update_fields=["failing_since", "last_error", "delivered_at", "state"])


def _done(row: Attempted, now: datetime) -> None:
    row.state, row.done_at, row.error = Attempted.State.DONE, now, ""


def _fail(row: Attempted, error: str, now: datetime, wish: int | None) -> None:
    again = next_attempt(row.attempts, now, wish)
    row.error = error[:500]
    if again is None:
        row.state = Attempted.State.FAILED
    else:
        row.next_at = again
