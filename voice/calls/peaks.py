"""The most calls at the same time, from the records: exact where looking at running calls now and then is not."""

from datetime import datetime, timedelta

from django.db import connection

from portal.db import contexts

HOUR = timedelta(hours=1)
# No call lasts longer than half a day: what began before that is over.
LONGEST = timedelta(hours=12)
# The hour that is over; the one before it and that of a day ago once more, for records that came late.
BACK = (1, 2, 25)

# A call counts from its INVITE to its end, on a trunk while it was tried or passed there. One that ends as another
# begins is not counted beside it, and each minute begins with the calls that it found.
_FIND = """
WITH held AS (
    SELECT tenant_id, msp_id, call, ingress, attempts, invited AS begins, coalesce(ended, last_seen) AS ends
      FROM calls_cdr
     WHERE invited >= %(first)s AND invited < %(until)s AND coalesce(ended, last_seen) > %(since)s
), used AS (
    SELECT tenant_id, msp_id, '' AS trunk, min(begins) AS begins, max(ends) AS ends
      FROM held GROUP BY tenant_id, msp_id, call
    UNION ALL
    SELECT tenant_id, msp_id, ingress, begins, ends FROM held WHERE ingress NOT IN ('', 'teams')
    UNION ALL
    SELECT tenant_id, msp_id, tried.trunk, to_timestamp(sent / 1000.0), coalesce(to_timestamp(ended / 1000.0), ends)
      FROM held, jsonb_to_recordset(attempts) AS tried(trunk text, sent bigint, ended bigint)
     WHERE tried.trunk NOT IN ('', 'teams')
), spans AS (
    SELECT * FROM used WHERE ends > begins AND ends > %(since)s AND begins < %(until)s
), steps AS (
    SELECT tenant_id, msp_id, trunk, greatest(begins, %(since)s) AS at, 1 AS step FROM spans
    UNION ALL
    SELECT tenant_id, msp_id, trunk, ends, -1 FROM spans WHERE ends < %(until)s
    UNION ALL
    SELECT tenant_id, msp_id, trunk, minute, 0
      FROM (SELECT DISTINCT tenant_id, msp_id, trunk FROM spans) AS busy,
           generate_series(%(since)s, %(until)s - interval '1 minute', interval '1 minute') AS minute
), running AS (
    SELECT tenant_id, msp_id, trunk, at, sum(step) OVER (
               PARTITION BY tenant_id, trunk ORDER BY at, step ROWS UNBOUNDED PRECEDING)::int AS calls
      FROM steps
), found AS (
    SELECT tenant_id, msp_id, grain, date_trunc(grain, at, 'UTC') AS at, trunk, max(calls) AS peak
      FROM running, (VALUES ('minute'), ('hour'), ('day')) AS g(grain)
     GROUP BY 1, 2, 3, 4, 5
)
SELECT tenant_id, found.msp_id, grain, at, trunk, found.peak
  FROM found LEFT JOIN calls_rollup known USING (tenant_id, grain, at, trunk)
 WHERE found.peak > coalesce(known.peak, 0)
 ORDER BY tenant_id, grain, at, trunk
"""
_RAISE = """
INSERT INTO calls_rollup AS r
    (tenant_id, msp_id, grain, at, trunk, attempts, answered, effective, talk_ms, pdd_ms, pdd_calls, peak)
SELECT t, m, g, a, k, 0, 0, 0, 0, 0, 0, n
  FROM unnest(%s::int[], %s::int[], %s::text[], %s::timestamptz[], %s::text[], %s::int[]) AS x(t, m, g, a, k, n)
 ORDER BY t, g, a, k
ON CONFLICT (tenant_id, grain, at, trunk) DO UPDATE SET peak = greatest(r.peak, excluded.peak)
"""


def note_peaks(hour: datetime) -> None:
    """Raise the peaks of an hour, its minutes and its day to what the records of its calls come to; safe at any time.

    No peak falls: a call that was seen running may be one whose record is still with its node.
    """
    # Who writes the counts may read no records, and who may read all of those writes no counts.
    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute(_FIND, {"first": hour - LONGEST, "since": hour, "until": hour + HOUR})
        found = cursor.fetchall()
    if found:
        with contexts.ingest(), connection.cursor() as cursor:
            cursor.execute(_RAISE, [list(column) for column in zip(*found, strict=True)])


def note_recent_peaks(now: datetime) -> None:
    """Raise the peaks of the hours that are over by now, and of those whose records may have come late."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    for back in BACK:
        note_peaks(this_hour - back * HOUR)
