"""Reading a customer's charges for plans: their sums, one by one, and what is left to pay of one."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from voice.calls.models import Cdr
from voice.plans.allowances import rest_charge
from voice.plans.items import CallToBill, UsageSum
from voice.plans.users import Users
from voice.rating.loading import deck_around
from voice.rating.models import Charge, DeckRate
from voice.rating.money import half_up
from voice.rating.pricing import Call, price
from voice.rating.talks import talk_of_cdr

# The key of a partition is the moment of the invitation: nobody lets it ring for a day.
_WHERE = """
FROM rating_charge WHERE tenant_id = %s AND outcome IN ('rated', 'free')
 AND invited >= %s - interval '1 day' AND invited < %s AND answered >= %s AND answered < %s
"""
_CALLS = f"""
SELECT invited, id, answered, direction, destination, currency, seconds, billed, micros {_WHERE} ORDER BY answered, id
"""
_SUMS = f"""
SELECT direction, destination, currency, count(*), sum(seconds)::bigint, sum(billed)::bigint, sum(micros)::bigint
{_WHERE} GROUP BY direction, destination, currency ORDER BY direction DESC, destination, currency
"""
_CALLERS = """
SELECT invited, id, caller_sent FROM calls_cdr
 WHERE tenant_id = %s AND invited >= %s - interval '1 day' AND invited < %s AND direction = 'out'
   AND screening IN ('own', 'forwarded')
"""
CHUNK = 5_000


def calls_between(customer: int, begins: datetime, ends: datetime) -> Iterator[CallToBill]:
    """Yield the charges of calls that were answered in a time, in the order of the answer."""
    with connection.cursor() as cursor:
        cursor.execute(_CALLS, [customer, begins, ends, begins, ends])
        while rows := cursor.fetchmany(CHUNK):
            for row in rows:
                yield CallToBill(*row)


def sums_between(customer: int, begins: datetime, ends: datetime) -> list[UsageSum]:
    """Return the sums of the charges of calls that were answered in a time."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, [customer, begins, ends, begins, ends])
        return [UsageSum(*row) for row in cursor.fetchall()]


class Callers:
    """Knows whose minutes each call draws from, where each user has minutes of its own.

    The number of a call is the one by which `voice.calls.number_days` counts it.
    """

    def __init__(self, customer: int, begins: datetime, ends: datetime, users: Users) -> None:
        self._users = users
        with connection.cursor() as cursor:
            cursor.execute(_CALLERS, [customer, begins, ends])
            self._known: dict[tuple[datetime, UUID], str] = {(row[0], row[1]): row[2] for row in cursor.fetchall()}

    def __call__(self, call: CallToBill) -> str:
        number = self._known.get((call.invited, call.id), "")
        return self._users.at(number, call.invited) if number else ""


class Remainders:
    """Says what is left to pay of a customer's call whose first seconds are covered, at its own rate."""

    def __init__(self, customer: int) -> None:
        self.customer = customer

    def __call__(self, call: CallToBill, covered: int) -> int:
        parts = self._parts(call)
        if parts is None:
            # Its deck is gone: each second of the charge bears the same.
            return half_up(call.micros * (call.billed - covered), call.billed)
        return min(call.micros, rest_charge(covered=covered, **parts))

    def _parts(self, call: CallToBill) -> dict[str, Any] | None:
        key = {"tenant_id": self.customer, "invited": call.invited, "id": call.id}
        ids = Charge.objects.filter(**key, rate_id__isnull=False).values_list("rate_id", flat=True).first()
        rate = DeckRate.objects.filter(pk=ids).first() if ids else None
        if rate is None:
            return None
        limits = {"at_least": rate.minimum_charge, "at_most": rate.maximum_charge}
        if not rate.band_prices:
            return {"parts": [(call.billed, rate.per_minute)], "fee": rate.fee, **limits}
        return self._banded(key, rate.deck_id, limits)

    def _banded(self, key: dict[str, Any], deck: int, limits: dict[str, Any]) -> dict[str, Any] | None:
        record = Cdr.objects.filter(**key).first()
        if record is None:
            return None
        talk = talk_of_cdr(record)
        around = deck_around(deck, talk.called)
        if around is None:
            return None
        found = price(Call(talk.called, talk.caller, talk.answered, talk.ended, talk.direction), around)
        if found.rate is None or not found.parts:
            return None
        fee = found.rate.price_in(found.parts[0].band).fee
        return {"parts": [(part.seconds, part.per_minute) for part in found.parts], "fee": fee, **limits}


def without(calls: Iterable[CallToBill], keys: set[tuple[datetime, UUID]]) -> Iterator[CallToBill]:
    """Yield the calls that are not among those with these keys."""
    return (call for call in calls if (call.invited, call.id) not in keys)
