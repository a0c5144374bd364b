"""Adding up what calls cost and earned, then writing each kind of sum in one statement, as the role ingest."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from voice.rating.margin_sums import MarginSums

HOUR, DAY = 3_600_000, 86_400_000
# Rows in the order of their key: transactions that write the same ones wait for each other and never in a circle.
_ADD = """
INSERT INTO {table} AS r
    (tenant_id, msp_id, grain, at, direction, destination, currency{trunk}, calls, answered, seconds, billed, micros)
SELECT t, m, g, to_timestamp(a / 1000), d, n, c{k}, s1, s2, s3, s4, s5
FROM unnest(%s::int[], %s::int[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[]{trunks},
            %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS x(t, m, g, a, d, n, c{k}, s1, s2, s3, s4, s5)
ORDER BY t, g, a, d, n, c{k}
ON CONFLICT (tenant_id, grain, at, direction, destination, currency{trunk}) DO UPDATE SET
    calls = r.calls + excluded.calls, answered = r.answered + excluded.answered,
    seconds = r.seconds + excluded.seconds, billed = r.billed + excluded.billed, micros = r.micros + excluded.micros
"""
_ADD_USAGE = _ADD.format(table="rating_usage", trunk="", k="", trunks="")
_ADD_COST = _ADD.format(table="rating_costusage", trunk=", trunk", k=", k", trunks=", %s::bigint[]")
_MOVE = """
INSERT INTO rating_account AS r (tenant_id, msp_id, currency, kind, balance_micros, month, spent_micros, row_version)
SELECT t, m, c, 'postpaid', -a, d::date, a, 0 FROM unnest(%s::int[], %s::int[], %s::text[], %s::text[], %s::bigint[])
    AS x(t, m, c, d, a) ORDER BY t
ON CONFLICT (tenant_id) DO UPDATE SET
    balance_micros = r.balance_micros + excluded.balance_micros,
    spent_micros = CASE WHEN excluded.month > r.month THEN excluded.spent_micros
                        WHEN excluded.month = r.month THEN r.spent_micros + excluded.spent_micros
                        ELSE r.spent_micros END,
    month = greatest(r.month, excluded.month)
WHERE r.currency = excluded.currency
"""

Key = tuple[Any, ...]
Figures = tuple[int, int, int, int, int]


class Sums:
    """Adds up calls by customer, hour, direction and destination; times are milliseconds since 1970 (UTC)."""

    def __init__(self) -> None:
        self._sold: dict[Key, list[int]] = {}
        self._bought: dict[Key, list[int]] = {}
        self._spent: dict[Key, int] = {}
        self.margins = MarginSums()

    def sold(
        self, tenant: int, msp: int, at: int, direction: str, destination: str, currency: str, figures: Figures
    ) -> None:
        """Add calls, answered calls, seconds, billed seconds and micros of a customer's usage."""
        _add(self._sold, (tenant, msp, at - at % HOUR, direction, destination, currency), figures)
        if figures[4]:
            key = (tenant, msp, currency, at - at % DAY)
            self._spent[key] = self._spent.get(key, 0) + figures[4]

    def bought(
        self, tenant: int, msp: int, at: int, direction: str, destination: str, currency: str, trunk: int,
        figures: Figures,
    ) -> None:  # fmt: skip
        """Add the same figures of what the calls of a customer over a trunk cost its MSP."""
        _add(self._bought, (tenant, msp, at - at % HOUR, direction, destination, currency, trunk), figures)

    def write(self) -> None:
        """Add the sums to usage, costs, margins and accounts; whoever calls holds the transaction."""
        with connection.cursor() as cursor:
            for statement, sums in ((_ADD_USAGE, self._sold), (_ADD_COST, self._bought)):
                if sums:
                    cursor.execute(statement, _columns(_hours_and_days(sums)))
            self.margins.write()
            for rows in self._moves():
                cursor.execute(_MOVE, _columns(rows))

    def _moves(self) -> list[list[Key]]:
        """Return the moves of accounts in rounds: one statement moves a row only once."""
        spent: dict[Key, int] = {}
        for (tenant, msp, currency, day), micros in self._spent.items():
            key = (tenant, msp, currency, datetime.fromtimestamp(day / 1000, UTC).strftime("%Y-%m-01"))
            spent[key] = spent.get(key, 0) + micros
        rounds: list[list[Key]] = []
        place: dict[int, int] = {}
        for key, micros in sorted(spent.items()):
            turn = place[key[0]] = place.get(key[0], -1) + 1
            if turn == len(rounds):
                rounds.append([])
            rounds[turn].append((*key, micros))
        return rounds


def _add(sums: dict[Key, list[int]], key: Key, figures: Figures) -> None:
    known = sums.get(key)
    if known is None:
        sums[key] = list(figures)
    else:
        for place, figure in enumerate(figures):
            known[place] += figure


def _hours_and_days(sums: dict[Key, list[int]]) -> list[Key]:
    days: dict[Key, list[int]] = {}
    rows = []
    for (tenant, msp, hour, *what), figures in sums.items():
        rows.append((tenant, msp, "hour", hour, *what, *figures))
        _add(days, (tenant, msp, hour - hour % DAY, *what), tuple(figures))  # type: ignore[arg-type]
    for (tenant, msp, day, *what), figures in days.items():
        rows.append((tenant, msp, "day", day, *what, *figures))
    return rows


def _columns(rows: Iterable[Key]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
