"""What the calls of numbers cost by day: added up from charges and entries when somebody looks, and kept nowhere.

So storing calls has nothing more to do, and a price that is decided, or changed by rating again, is in it at once.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection

from voice.calls.hooks import DayMoney
from voice.calls.models import NumberDay
from voice.calls.number_days import NUMBER, with_own

_SPAN = "tenant_id = %(tenant)s AND invited >= %(begins)s AND invited < %(ends)s"
_MONEY = f"""
SELECT day, {NUMBER} AS number, direction, currency, sum(micros)::bigint
  FROM {with_own(f"calls_cdr WHERE {_SPAN} AND answered IS NOT NULL")}
  JOIN (SELECT invited, id, currency, micros FROM rating_charge
         WHERE {_SPAN} AND outcome IN ('rated', 'free') AND currency <> ''
        UNION ALL
        SELECT invited, call, currency, micros FROM rerating_adjustment WHERE {_SPAN} AND currency <> '')
       AS money USING (invited, id)
 WHERE {NUMBER} = ANY(%(numbers)s)
 GROUP BY 1, 2, 3, 4
"""  # noqa: S608 words of ours


def money_of_days(days: Sequence[NumberDay]) -> DayMoney:
    """Return what the calls of one customer's numbers cost it on these days, in each currency."""
    if not days:
        return {}
    # The numbers of these rows may have been cut as they were read.
    rows = NumberDay.objects.filter(pk__in=[each.pk for each in days])
    ids = {(at, number, way): pk for pk, at, number, way in rows.values_list("pk", "at", "number", "direction")}
    moments = [each.at for each in days]
    asked: dict[str, Any] = {
        "tenant": days[0].tenant_id,
        "numbers": list({number for _at, number, _way in ids}),
        "begins": min(moments),
        "ends": max(moments) + timedelta(days=1),
    }
    found: DayMoney = {}
    with connection.cursor() as cursor:
        cursor.execute(_MONEY, asked)
        for *key, currency, micros in cursor.fetchall():
            if tuple(key) in ids:
                found.setdefault(ids[tuple(key)], {})[currency] = micros
    return found
