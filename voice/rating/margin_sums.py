"""Adding up what calls earned and cost together, as the role ingest, in the transaction that prices them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from django.db import connection

from voice.rating.models.charges import ASIDE
from voice.rating.talks import Talk

DAY = 86_400_000
_ASIDE = frozenset(ASIDE)  # of outcomes, which are their words
_COLUMNS = "tenant_id, msp_id, grain, at, direction, destination, trunk, currency"
_FIGURES = ("calls", "seconds", "earned", "cost", "unpriced", "uncosted")
# Rows in the order of their key: transactions that write the same ones wait for each other and never in a circle.
_ADD = f"""
INSERT INTO rating_marginsum AS r ({_COLUMNS}, {", ".join(_FIGURES)})
SELECT t, m, g, to_timestamp(a / 1000), d, n, k, c, s1, s2, s3, s4, s5, s6
FROM unnest(%s::int[], %s::int[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::text[],
            %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS x(t, m, g, a, d, n, k, c, s1, s2, s3, s4, s5, s6)
ORDER BY t, g, a, d, n, k, c
ON CONFLICT (tenant_id, grain, at, direction, destination, trunk, currency) DO UPDATE SET
    {", ".join(f"{name} = r.{name} + excluded.{name}" for name in _FIGURES)}
"""  # noqa: S608 constants


class Paid(Protocol):
    """A charge or a cost, as priced now or as stored."""

    @property
    def outcome(self) -> Any: ...
    @property
    def micros(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def seconds(self) -> int: ...
    @property
    def destination(self) -> str: ...


class Part(NamedTuple):
    """What one call adds to the sums in one currency over one trunk."""

    direction: str
    destination: str
    trunk: int
    currency: str
    figures: tuple[int, int, int, int, int, int]


def parts_of(talk: Talk, charge: Paid | None, costs: Mapping[int, Paid]) -> list[Part]:
    """Return what a call adds; `costs` are by trunk."""
    destination = charge.destination if charge is not None else ""
    if not destination:
        destination = next(filter(None, (costs[trunk].destination for trunk in sorted(costs))), "")
    parts = []
    if charge is not None and talk.counts:
        trunk = talk.egress if talk.egress is not None else talk.ingress or 0
        figures = (1, charge.seconds, charge.micros, 0, int(charge.outcome in _ASIDE), 0)
        parts.append(Part(talk.direction, destination, trunk, charge.currency, figures))
    for trunk, cost in costs.items():
        figures = (0, 0, 0, cost.micros, 0, int(cost.outcome in _ASIDE))
        parts.append(Part(talk.direction, destination, trunk, cost.currency, figures))
    return parts


class MarginSums:
    """Adds up what calls add, by customer, and writes it in one statement; times are milliseconds since 1970 (UTC).

    Calls are added where they lead on their day only: months and days are sums of these.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[Any, ...], list[int]] = {}

    def add(self, talk: Talk, parts: Iterable[Part], sign: int = 1) -> None:
        """Add what an answered call adds, or take it back."""
        assert talk.answered is not None
        for part in parts:
            self.add_part(talk.tenant, talk.msp, talk.answered, part, sign)

    def add_part(self, tenant: int, msp: int, answered: int, part: Part, sign: int = 1) -> None:
        """Add a part of calls that were answered on one day, or take it back."""
        direction, destination, trunk, currency, figures = part
        key = (tenant, msp, answered - answered % DAY, direction, destination, trunk, currency)
        known = self._sums.get(key)
        if known is None:
            known = self._sums[key] = [0] * len(_FIGURES)
        for place, figure in enumerate(figures):
            if figure:
                known[place] += sign * figure

    def write(self) -> None:
        """Add the sums to those that are stored; whoever calls holds the transaction."""
        sums: dict[tuple[Any, ...], list[int]] = {}
        for (tenant, msp, day, direction, destination, trunk, currency), figures in self._sums.items():
            for key in (
                (tenant, msp, "route", _month(day), direction, destination, trunk, currency),
                (tenant, msp, "month", _month(day), "", "", 0, currency),
                (tenant, msp, "day", day, "", "", 0, currency),
            ):
                known = sums.get(key)
                sums[key] = figures if known is None else [a + b for a, b in zip(known, figures, strict=True)]
        rows = [(*key, *figures) for key, figures in sums.items() if any(figures)]
        if rows:
            with connection.cursor() as cursor:
                cursor.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])


@lru_cache(maxsize=1024)
def _month(day: int) -> int:
    first = datetime.fromtimestamp(day / 1000, UTC).replace(day=1)
    return round(first.timestamp() * 1000)
