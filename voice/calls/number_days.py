"""Adding up what each of a customer's numbers did in a day, with the records of the calls: one statement a batch.

A call belongs to the number that rang or was to ring, or that was shown. That has to be the customer's own: a caller's
that was refused or replaced by the default is not, nor is one that somebody guessed. Such calls are added up under no
number, so that strangers make no rows.
"""

from collections.abc import Sequence

from django.db import connection

from voice.calls.models import Cdr

# Of a call as `with_own` reads it.
NUMBER = """CASE WHEN left(own, 1) = '+' AND length(own) BETWEEN 5 AND 16 THEN own ELSE '' END COLLATE "C\""""


def with_own(calls: str) -> str:
    """Return SQL that reads calls with the day (UTC) and the number that they count for."""
    return f"""
        (SELECT *, date_trunc('day', invited, 'UTC') AS day,
                CASE WHEN side = 'called' OR (direction = 'in' AND disposition <> 'not_ours') THEN called
                     WHEN direction <> 'in' AND screening IN ('own', 'forwarded') THEN caller_sent
                     ELSE '' END AS own
           FROM {calls} OFFSET 0) AS call -- so that whose number it is is worked out once
    """  # noqa: S608 words of ours


def _summed(figures: str, calls: str) -> str:
    return f"""
        SELECT tenant_id, max(msp_id) AS msp_id, day AS at, {NUMBER} AS number, direction, {figures}
          FROM {with_own(calls)}
         GROUP BY tenant_id, day, number, direction
    """  # noqa: S608 words of ours


# Rows in the order of their key: transactions that write the same ones wait for each other and never in a circle.
_ADD = f"""
INSERT INTO calls_numberday AS r (tenant_id, msp_id, at, number, direction, calls, answered, talk_ms)
{_summed("count(*), count(answered), sum(talk_ms)", "calls_incoming")}
ORDER BY tenant_id, at, number, direction
ON CONFLICT (tenant_id, at, number, direction) DO UPDATE SET
    calls = r.calls + excluded.calls, answered = r.answered + excluded.answered, talk_ms = r.talk_ms + excluded.talk_ms
"""
_LONGER = """
calls_cdr JOIN unnest(%s::int[], %s::timestamptz[], %s::uuid[], %s::bigint[])
               AS longer (tenant_id, invited, id, more_ms) USING (tenant_id, invited, id)
"""
# A day that was erased meanwhile stays gone.
_LENGTHEN = f"""
WITH more AS ({_summed("sum(more_ms) AS more_ms", _LONGER)}),
     held AS (SELECT r.id, more.more_ms FROM calls_numberday r JOIN more USING (tenant_id, at, number, direction)
               ORDER BY r.tenant_id, r.at, r.number, r.direction FOR UPDATE OF r)
UPDATE calls_numberday r SET talk_ms = greatest(0, r.talk_ms + held.more_ms) FROM held WHERE r.id = held.id
"""  # noqa: S608 words of ours


def add_incoming() -> None:
    """Count the calls of the table `calls_incoming`; whoever calls holds the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD)


def lengthen(calls: Sequence[tuple[Cdr, int]]) -> None:
    """Count more milliseconds of talk, or fewer, for calls that were counted before."""
    rows = [(cdr.tenant_id, cdr.invited, cdr.id, more_ms) for cdr, more_ms in calls]
    with connection.cursor() as cursor:
        cursor.execute(_LENGTHEN, [list(column) for column in zip(*rows, strict=True)])
