"""Where calls stand in the sums, by their charges and costs with all adjustments: read before and after a change.

What lies between the two moves usage, costs, margins and accounts; so they stay the sums of what is stored.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db import connection

from voice.rating.margin_sums import Part
from voice.rating.models.charges import ASIDE
from voice.rating.usage import Sums

_ASIDE = ", ".join(f"'{outcome}'" for outcome in ASIDE)
# `moving` holds the keys of the calls that a proposal is about to move.
_STANDING = f"""
SELECT tenant_id, msp_id, invited, id, {{trunk}} AS trunk, answered, direction, destination, currency,
       bool_or(aside) AS aside, sum(calls) AS calls, sum(seconds) AS seconds, sum(billed) AS billed,
       sum(micros) AS micros
  FROM (
    SELECT p.tenant_id, p.msp_id, p.invited, p.id, {{trunk}}, p.answered, p.direction, p.destination, p.currency,
           p.outcome IN ({_ASIDE}) AS aside, 1 AS calls, p.seconds, p.billed, p.micros
      FROM {{posted}} p JOIN moving m ON m.tenant_id = p.tenant_id AND m.invited = p.invited AND m.id = p.id
    UNION ALL
    SELECT a.tenant_id, a.msp_id, a.invited, a.call, {{trunk}}, a.answered, a.direction, a.destination, a.currency,
           false, a.calls, a.seconds, a.billed, a.micros
      FROM {{adjusted}} a JOIN moving m ON m.tenant_id = a.tenant_id AND m.invited = a.invited AND m.id = a.call
  ) each
 GROUP BY tenant_id, msp_id, invited, id, 5, answered, direction, destination, currency
HAVING sum(calls) <> 0 OR sum(micros) <> 0 OR sum(billed) <> 0
"""  # noqa: S608 constants
CHARGES = _STANDING.format(trunk="0::bigint", posted="rating_charge", adjusted="rerating_adjustment")
COSTS = _STANDING.format(trunk="trunk", posted="rating_cost", adjusted="rerating_costadjustment")
_KEEP = [
    "CREATE TEMP TABLE charges_stand ON COMMIT DROP AS " + CHARGES,
    "CREATE TEMP TABLE costs_stand ON COMMIT DROP AS " + COSTS,
]
_HOURS = """
SELECT tenant_id, msp_id, (extract(epoch FROM date_trunc('hour', answered, 'UTC')) * 1000)::bigint, direction,
       destination, currency, trunk, sum(calls)::bigint, sum(calls)::bigint, sum(seconds)::bigint,
       sum(billed)::bigint, sum(micros)::bigint
  FROM {table} GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
# As `margin_sums.parts_of`: the customer's destination, and the first carrier's where it has none; the trunk that the
# call left by, or came by.
_MARGINS = """
WITH named AS (
    SELECT tenant_id, invited, id, (array_agg(destination ORDER BY trunk) FILTER (WHERE destination <> ''))[1] AS name
      FROM costs_stand GROUP BY 1, 2, 3
), told AS (
    SELECT s.*, coalesce(nullif(s.destination, ''), n.name, '') AS named
      FROM charges_stand s LEFT JOIN named n USING (tenant_id, invited, id)
)
SELECT t.tenant_id, t.msp_id, (extract(epoch FROM date_trunc('day', t.answered, 'UTC')) * 1000)::bigint, t.direction,
       t.named, m.by_trunk, t.currency, sum(t.calls)::bigint, sum(t.seconds)::bigint, sum(t.micros)::bigint, 0::bigint,
       count(*) FILTER (WHERE t.aside), 0::bigint
  FROM told t JOIN moving m USING (tenant_id, invited, id) GROUP BY 1, 2, 3, 4, 5, 6, 7
UNION ALL
SELECT c.tenant_id, c.msp_id, (extract(epoch FROM date_trunc('day', c.answered, 'UTC')) * 1000)::bigint, c.direction,
       coalesce(t.named, n.name, ''), c.trunk, c.currency, 0, 0, 0, sum(c.micros)::bigint, 0,
       count(*) FILTER (WHERE c.aside)
  FROM costs_stand c LEFT JOIN told t USING (tenant_id, invited, id) LEFT JOIN named n USING (tenant_id, invited, id)
 GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
Totals = dict[tuple[str, str], int]


class Standing:
    """What the moving calls come to at one moment."""

    def __init__(self) -> None:
        """Read charges, costs and margins of the calls in `moving`, as the role ingest."""
        with connection.cursor() as cursor:
            for statement in _KEEP:
                cursor.execute(statement)
            self.sold = _rows(cursor, _HOURS.format(table="charges_stand"))
            self.bought = _rows(cursor, _HOURS.format(table="costs_stand"))
            self.margins = _rows(cursor, _MARGINS)
            cursor.execute("DROP TABLE charges_stand, costs_stand")


def move(before: Standing, after: Standing) -> Totals:
    """Move all sums by what lies between two standings; return how much money that is, by side and currency."""
    sums, totals = Sums(), defaultdict[tuple[str, str], int](int)
    for sign, standing in ((-1, before), (1, after)):
        for tenant, msp, hour, direction, destination, currency, _trunk, *figures in standing.sold:
            signed = _signed(sign, figures)
            sums.sold(tenant, msp, hour, direction, destination, currency, signed)
            totals["sell", currency] += signed[4]
        for tenant, msp, hour, direction, destination, currency, trunk, *figures in standing.bought:
            signed = _signed(sign, figures)
            sums.bought(tenant, msp, hour, direction, destination, currency, trunk, signed)
            totals["buy", currency] += signed[4]
        for tenant, msp, day, direction, destination, trunk, currency, *figures in standing.margins:
            part = Part(direction, destination, trunk, currency, tuple(figures))
            sums.margins.add_part(tenant, msp, day, part, sign)
    sums.write()
    return {key: micros for key, micros in totals.items() if micros}


def _signed(sign: int, figures: list[int]) -> Any:
    return tuple(sign * int(figure) for figure in figures)


def _rows(cursor: Any, query: str) -> list[tuple[Any, ...]]:
    cursor.execute(query)
    return list(_whole(cursor.fetchall()))


def _whole(rows: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    # Sums of whole numbers come as decimals.
    for row in rows:
        yield tuple(value if isinstance(value, str) else int(value) for value in row)
