"""Counting calls as they are stored: dashboards read these counts, never the call records."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

from portal.db import contexts
from voice.calls.dispositions import is_effective

GRAINS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
MINUTE = GRAINS["minute"]

_ADD = """
INSERT INTO calls_rollup AS r
    (tenant_id, msp_id, grain, at, trunk, attempts, answered, effective, talk_ms, pdd_ms, pdd_calls, peak)
SELECT t, m, g, to_timestamp(a / 1000), k, n, y, e, d, p, c, 0
FROM unnest(%s::int[], %s::int[], %s::text[], %s::bigint[], %s::text[],
            %s::int[], %s::int[], %s::int[], %s::bigint[], %s::bigint[], %s::int[])
    AS x(t, m, g, a, k, n, y, e, d, p, c)
ORDER BY t, g, a, k
ON CONFLICT (tenant_id, grain, at, trunk) DO UPDATE SET
    attempts = r.attempts + excluded.attempts, answered = r.answered + excluded.answered,
    effective = r.effective + excluded.effective, talk_ms = r.talk_ms + excluded.talk_ms,
    pdd_ms = r.pdd_ms + excluded.pdd_ms, pdd_calls = r.pdd_calls + excluded.pdd_calls
"""
_FAILED = """
INSERT INTO calls_failurerollup AS r (tenant_id, msp_id, grain, at, code, disposition, count)
SELECT t, m, g, to_timestamp(a / 1000), k, d, n
FROM unnest(%s::int[], %s::int[], %s::text[], %s::bigint[], %s::int[], %s::text[], %s::int[]) AS x(t, m, g, a, k, d, n)
ORDER BY t, g, a, k, d
ON CONFLICT (tenant_id, grain, at, code, disposition) DO UPDATE SET count = r.count + excluded.count
"""

# An end may turn out earlier than it was believed to be; what was erased meanwhile stays gone.
_LENGTHEN = """
WITH more AS (SELECT t AS tenant_id, g AS grain, to_timestamp(a / 1000) AS at, k AS trunk, s AS more_ms
                FROM unnest(%s::int[], %s::text[], %s::bigint[], %s::text[], %s::bigint[]) AS x(t, g, a, k, s)),
     held AS (SELECT r.id, more.more_ms FROM calls_rollup r JOIN more USING (tenant_id, grain, at, trunk)
               ORDER BY r.tenant_id, r.grain, r.at, r.trunk FOR UPDATE OF r)
UPDATE calls_rollup r SET talk_ms = greatest(0, r.talk_ms + held.more_ms) FROM held WHERE r.id = held.id
"""


class Tally:
    """Adds up call records by customer, trunk and time, then writes the sums in one statement each.

    Calls are added to their minute only: the longer times are sums of it.
    """

    def __init__(self) -> None:
        self.counts: dict[tuple[int, int, int, str], list[int]] = {}
        self.failures: dict[tuple[int, int, int, int, str], int] = {}
        self.longer: dict[tuple[int, int, str], int] = {}

    def add(self, tenant: int, msp: int, record: dict[str, Any], disposition: str, talk_ms: int) -> None:
        invited, answered = record["invited"], record["answered"] is not None
        effective = is_effective(record, disposition)
        rang = record["ringing"] if record["ringing"] is not None else record["answered"]
        pdd = max(0, rang - invited) if rang is not None else None
        at = invited - invited % MINUTE
        self._count((tenant, msp, at, ""), answered, effective, talk_ms, pdd)
        for trunk, last in _trunks(record):
            self._count(
                (tenant, msp, at, trunk),
                answered and last,
                effective and last,
                talk_ms if last else 0,
                pdd if last else None,
            )
        if not answered:
            key = (tenant, msp, at, record["code"], disposition)
            self.failures[key] = self.failures.get(key, 0) + 1

    def lengthen(self, tenant: int, record: dict[str, Any], more_ms: int) -> None:
        """Count more talk, or less, for a call that was added before."""
        at = record["invited"] - record["invited"] % MINUTE
        for name in ("", *(trunk for trunk, last in _trunks(record) if last)):
            key = (tenant, at, name)
            self.longer[key] = self.longer.get(key, 0) + more_ms

    def _count(
        self, key: tuple[int, int, int, str], answered: bool, effective: bool, talk_ms: int, pdd: int | None
    ) -> None:
        sums = self.counts.get(key)
        if sums is None:
            sums = self.counts[key] = [0, 0, 0, 0, 0, 0]
        sums[0] += 1
        sums[1] += answered
        sums[2] += effective
        sums[3] += talk_ms
        if pdd is not None:
            sums[4] += pdd
            sums[5] += 1

    def write(self) -> None:
        """Add the sums to the roll-ups; whoever calls holds the transaction."""
        counts: dict[tuple[Any, ...], list[int]] = {}
        for (tenant, msp, at, trunk), sums in self.counts.items():
            for grain, length in GRAINS.items():
                key = (tenant, msp, grain, at - at % length, trunk)
                counts[key] = [a + b for a, b in zip(counts[key], sums, strict=True)] if key in counts else sums
        failures: Counter[tuple[Any, ...]] = Counter()
        for (tenant, msp, at, code, disposition), count in self.failures.items():
            for grain in ("minute", "day"):
                failures[tenant, msp, grain, at - at % GRAINS[grain], code, disposition] += count
        longer: Counter[tuple[Any, ...]] = Counter()
        for (tenant, at, trunk), more_ms in self.longer.items():
            for grain, length in GRAINS.items():
                longer[tenant, grain, at - at % length, trunk] += more_ms
        with connection.cursor() as cursor:
            if counts:
                cursor.execute(_ADD, _columns((*key, *sums) for key, sums in counts.items()))
            if failures:
                cursor.execute(_FAILED, _columns((*key, count) for key, count in failures.items()))
            if longer:
                cursor.execute(_LENGTHEN, _columns((*key, more_ms) for key, more_ms in longer.items()))


def _trunks(record: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return the trunks of a call, and whether it passed over each or was only tried there.

    A trunk is judged by every call that was tried over it; the customer by the call.
    """
    tried = [attempt["trunk"] for attempt in record["attempts"]]
    for trunk in (record["ingress"], record["egress"]):
        if trunk and trunk != "teams" and trunk not in tried:
            tried.append(trunk)
    final = record["egress"] or record["ingress"]
    return [(trunk, trunk in (final, record["ingress"])) for trunk in tried]


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


_PEAK = """
INSERT INTO calls_rollup AS r
    (tenant_id, msp_id, grain, at, trunk, attempts, answered, effective, talk_ms, pdd_ms, pdd_calls, peak)
SELECT tenant_id, msp_id, grain, date_trunc(grain, now(), 'UTC'), CASE WHEN grouping(trunk) = 1 THEN '' ELSE trunk END,
       0, 0, 0, 0, 0, 0, count(*)
FROM calls_livecall, (VALUES ('minute'), ('hour'), ('day')) AS g(grain)
GROUP BY GROUPING SETS ((tenant_id, msp_id, grain), (tenant_id, msp_id, grain, trunk))
HAVING grouping(trunk) = 1 OR trunk NOT IN ('', 'teams')
ORDER BY 1, 3, 5
ON CONFLICT (tenant_id, grain, at, trunk) DO UPDATE SET peak = greatest(r.peak, excluded.peak)
"""


_RAISE = """
INSERT INTO calls_rollup AS r
    (tenant_id, msp_id, grain, at, trunk, attempts, answered, effective, talk_ms, pdd_ms, pdd_calls, peak)
SELECT t, m, 'minute', to_timestamp(a / 1000), '', 0, 0, 0, 0, 0, 0, n
FROM unnest(%s::int[], %s::int[], %s::bigint[], %s::int[]) AS x(t, m, a, n) ORDER BY t, a
ON CONFLICT (tenant_id, grain, at, trunk) DO UPDATE SET peak = greatest(r.peak, excluded.peak)
"""


def raise_peaks(peaks: dict[tuple[int, int, int], int]) -> None:
    """Raise the peaks of minutes, given by customer, MSP and minute; runs as the role ingest."""
    if peaks:
        with connection.cursor() as cursor:
            cursor.execute(_RAISE, _columns((*key, peak) for key, peak in peaks.items()))


_BUSY = """
UPDATE calls_rollup AS d SET cps95 = m.busy
  FROM (SELECT tenant_id, trunk, date_trunc('day', at, 'UTC') AS day,
               ceil(percentile_cont(0.95) WITHIN GROUP (ORDER BY attempts) * 1000 / 60)::int AS busy
          FROM calls_rollup WHERE grain = 'minute' AND attempts > 0 AND at >= date_trunc('day', %s::timestamptz, 'UTC')
         GROUP BY 1, 2, 3) AS m
 WHERE d.grain = 'day' AND d.tenant_id = m.tenant_id AND d.trunk = m.trunk AND d.at = m.day
   AND d.cps95 IS DISTINCT FROM m.busy
"""


def note_busy_minutes(since: datetime) -> None:
    """Note on each day since a moment's own day how many new calls a second its busier minutes had."""
    with contexts.ingest(), connection.cursor() as cursor:
        cursor.execute(_BUSY, [since])


def note_concurrency() -> None:
    """Raise each customer's and its trunks' peaks of this minute, hour and day to the calls that it has now."""
    with contexts.ingest(), connection.cursor() as cursor:
        cursor.execute(_PEAK)
