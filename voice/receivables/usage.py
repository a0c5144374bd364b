"""The calls that are on no invoice yet: summed, read one by one, and put on the lines that bill them.

What was answered before the end of a period and is on no line is billed with it; so a call that arrived late, or whose
price was decided late, is on the next invoice with its date, and no call is on two.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from voice.plans.bills import CallCover, CallToBill, UsageSum

ROWS = 5_000
# The second end of a call inside one customer has no deck: it is the same call, and free.
_OPEN = """
  FROM public.rating_charge c
 WHERE c.tenant_id = %(tenant)s AND c.msp_id = %(msp)s AND c.invited < %(before)s AND c.answered < %(before)s
   AND (c.outcome = 'rated' OR c.outcome = 'free' AND c.deck_id IS NOT NULL)
   AND NOT EXISTS (SELECT FROM public.receivables_billedcharge b
                    WHERE b.tenant_id = c.tenant_id AND b.invited = c.invited AND b.id = c.id)
"""
# Constant SQL.
_SUMS = f"""
SELECT c.direction, c.destination, c.currency, count(*), sum(c.seconds), sum(c.billed), sum(c.micros),
       count(*) FILTER (WHERE c.answered < %(since)s), min(c.answered)
{_OPEN} GROUP BY 1, 2, 3
ORDER BY array_position(ARRAY['out', 'in', 'internal', 'emergency'], c.direction), c.destination, c.currency
"""
_CALLS = f"""
SELECT c.invited, c.id, c.answered, c.direction, c.destination, c.currency, c.seconds, c.billed, c.micros
{_OPEN} ORDER BY c.answered, c.invited, c.id
"""
_PUT = f"""
WITH put AS (
    INSERT INTO public.receivables_billedcharge
        (tenant_id, msp_id, invited, id, line_id, micros, allowance, covered, "off")
    SELECT o.tenant_id, o.msp_id, o.invited, o.id, m.line, o.micros, '', 0, 0
      FROM (SELECT c.* {_OPEN}) o
      JOIN unnest(%(directions)s::text[], %(destinations)s::text[], %(currencies)s::text[], %(lines)s::bigint[])
           AS m(direction, destination, currency, line)
        ON (m.direction, m.destination, m.currency) = (o.direction, o.destination, o.currency)
    RETURNING micros
) SELECT count(*), coalesce(sum(micros), 0) FROM put
"""  # noqa: S608
_COVER = """
UPDATE public.receivables_billedcharge b SET allowance = v.allowance, covered = v.covered, "off" = v.off
  FROM unnest(%s::timestamptz[], %s::uuid[], %s::text[], %s::int[], %s::bigint[]) AS v(invited, id, allowance, covered, off)
 WHERE b.tenant_id = %s AND b.invited = v.invited AND b.id = v.id
"""  # noqa: E501


class Moved(Exception):
    """Calls came in or were priced between two looks at them: whoever bills looks again."""


@dataclass(frozen=True, slots=True)
class Unbilled:
    """What a customer's calls on no invoice came to: `late` of them were answered before `since`."""

    tenant: int
    msp: int
    since: datetime
    before: datetime
    sums: Sequence[UsageSum] = ()
    late: int = 0
    oldest: datetime | None = None

    @property
    def count(self) -> int:
        return sum(each.calls for each in self.sums)

    @property
    def micros(self) -> int:
        return sum(each.micros for each in self.sums)

    @property
    def parameters(self) -> dict[str, Any]:
        return {"tenant": self.tenant, "msp": self.msp, "since": self.since, "before": self.before}

    def calls(self) -> Iterator[CallToBill]:
        """Yield the same calls one by one, in the order of their answer."""
        with connection.cursor() as cursor:
            cursor.execute(_CALLS, self.parameters)
            while rows := cursor.fetchmany(ROWS):
                for row in rows:
                    yield CallToBill(*row)


def unbilled(tenant: int, msp: int, since: datetime, before: datetime) -> Unbilled:
    """Return the sums of a customer's calls that were answered before a moment and are on no invoice."""
    asked = Unbilled(tenant, msp, since, before)
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, asked.parameters)
        rows = cursor.fetchall()
    sums = [UsageSum(*row[:3], *map(int, row[3:7])) for row in rows]
    return Unbilled(
        tenant, msp, since, before, sums, sum(row[7] for row in rows), min((row[8] for row in rows), default=None)
    )


def put_on_lines(found: Unbilled, lines: Mapping[tuple[str, str, str], int], covers: Sequence[CallCover]) -> None:
    """Write which of the calls is on which line, by direction, destination and currency, and what was taken off.

    Raises Moved where these are not exactly the calls that were summed; the caller's transaction takes all back.
    """
    keys = list(lines)
    columns: dict[str, list[Any]] = {
        name: [key[place] for key in keys] for place, name in enumerate(("directions", "destinations", "currencies"))
    }
    with connection.cursor() as cursor:
        cursor.execute(_PUT, found.parameters | columns | {"lines": [lines[key] for key in keys]})
        if cursor.fetchone() != (found.count, found.micros):
            raise Moved
        if covers:
            rows = [(each.invited, each.id, each.allowance, each.seconds, each.micros_off) for each in covers]
            cursor.execute(_COVER, [*map(list, zip(*rows, strict=True)), found.tenant])
            if cursor.rowcount != len(covers):
                raise Moved
