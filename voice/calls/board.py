"""What one dashboard shows, kept up to date from live steps: no clock, no database, no network."""

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from portal.ui import values
from voice.calls.feed import Step
from voice.calls.live import STATES
from voice.calls.masking import Hidden, is_hidden, masked
from voice.calls.words import words_for

MINUTE = 60_000
MINUTES_SHOWN = 60
ROWS_SHOWN = 50


@dataclass
class Hour:
    """Finished attempts and answers of the last sixty minutes, by minute."""

    minutes: dict[int, list[int]] = field(default_factory=dict)

    def add(self, at: int, attempts: int, answered: int) -> None:
        sums = self.minutes.setdefault(at - at % MINUTE, [0, 0])
        sums[0] += attempts
        sums[1] += answered

    def share(self, now: int) -> float | None:
        for minute in [minute for minute in self.minutes if minute <= now - MINUTES_SHOWN * MINUTE]:
            del self.minutes[minute]
        attempts = sum(sums[0] for sums in self.minutes.values())
        return round(sum(sums[1] for sums in self.minutes.values()) / attempts, 4) if attempts else None

    def series(self, now: int) -> list[int]:
        """Return the attempts of each of the last sixty minutes, oldest first."""
        last = now - now % MINUTE
        minutes = range(last - (MINUTES_SHOWN - 1) * MINUTE, last + 1, MINUTE)
        return [self.minutes.get(minute, (0,))[0] for minute in minutes]


class Failures:
    """Calls that failed in the last sixty minutes by code: each minute's, and their sum, which a frame only reads."""

    def __init__(self) -> None:
        self.minutes: defaultdict[int, Counter[int]] = defaultdict(Counter)
        self.sum: Counter[int] = Counter()

    def add(self, at: int, code: int, count: int = 1) -> None:
        self.minutes[at - at % MINUTE][code] += count
        self.sum[code] += count

    def most(self, now: int) -> list[tuple[int, int]]:
        """Return the five codes that most calls failed with, each with how many."""
        for minute in [minute for minute in self.minutes if minute <= now - MINUTES_SHOWN * MINUTE]:
            self.sum -= self.minutes.pop(minute)
        return self.sum.most_common(5)


@dataclass
class Trunk:
    """A trunk's line on the board."""

    name: str
    health: str = "unknown"
    hour: Hour = field(default_factory=Hour)


class Board:
    """The live picture of one customer, one MSP or the installation: seeded from the database, then fed steps."""

    def __init__(self, *, by_customer: bool, hidden: Hidden = None) -> None:
        self.by_customer, self.hidden = by_customer, hidden
        self.live: dict[tuple[int, str], dict[str, Any]] = {}
        self.calls: Counter[tuple[str, Any]] = Counter()
        self.hour = Hour()
        self.trunks: dict[str, Trunk] = {}
        self.customers: dict[int, str] = {}
        self.customer_hours: dict[int, Hour] = {}
        self.attempts: deque[int] = deque()
        self.failures = Failures()
        self.series: deque[list[int]] = deque(maxlen=MINUTES_SHOWN)
        self.changed: set[tuple[int, str]] = set()
        self.removed: set[tuple[int, str]] = set()
        self.dirty = False

    # Seeding

    def seed_call(self, tenant: int, call: str, row: dict[str, Any]) -> None:
        self._keep((tenant, call), row)

    # Feeding

    def take(self, step: Step) -> None:
        """Apply one step; a step that is heard twice changes nothing."""
        key, kind = (step["tenant"], step["call"]), step["type"]
        known = self.live.get(key)
        if kind in STATES:
            if known is None:
                self._keep(key, self._row(step))
                self._attempt(step["at"])
                self._mark(key)
            elif STATES[kind] != known["state"] and known["state"] != "answered":
                self._keep(key, known | self._news(step, known))
                self._mark(key)
        elif kind in ("ended", "refused"):
            if known is None and kind == "refused":
                self._attempt(step["at"])
            if known is not None or kind == "refused":
                self._finish(step, known)
                self._drop(key)
        elif kind == "gone" and known is not None:
            self._drop(key)

    def _row(self, step: Step) -> dict[str, Any]:
        return {
            "direction": step["direction"],
            "caller": step["caller"],
            "called": step["called"],
            "trunk": step["trunk"],
            "state": STATES[step["type"]],
            "since": step["at"],
        }

    def _news(self, step: Step, known: dict[str, Any]) -> dict[str, Any]:
        return {
            "state": STATES[step["type"]],
            "trunk": step["trunk"] or known["trunk"],
            "since": step["at"] if step["type"] == "answered" else known["since"],
        }

    def _keep(self, key: tuple[int, str], row: dict[str, Any]) -> None:
        before = self.live.get(key)
        if before is not None:
            self._count(key[0], before, -1)
        self.live[key] = row
        self._count(key[0], row, 1)

    def _drop(self, key: tuple[int, str]) -> None:
        row = self.live.pop(key, None)
        if row is not None:
            self._count(key[0], row, -1)
        self.changed.discard(key)
        self.removed.add(key)
        self.dirty = True

    def _count(self, tenant: int, row: dict[str, Any], by: int) -> None:
        self.calls["trunk", row["trunk"]] += by
        self.calls["customer", tenant] += by

    def _attempt(self, at: int) -> None:
        self.attempts.append(at)
        minute = at - at % MINUTE
        if self.series and self.series[-1][0] == minute:
            self.series[-1][2] += 1
        elif not self.series or self.series[-1][0] < minute:
            self.series.append([minute, len(self.live), 1])

    def _finish(self, step: Step, known: dict[str, Any] | None) -> None:
        answered = known is not None and known["state"] == "answered"
        self.hour.add(step["at"], 1, answered)
        trunk = step["trunk"] or (known or {}).get("trunk", "")
        if trunk in self.trunks:
            self.trunks[trunk].hour.add(step["at"], 1, answered)
        if self.by_customer:
            self.customer_hours.setdefault(step["tenant"], Hour()).add(step["at"], 1, answered)
        if not answered and step["code"] >= 300:
            self.failures.add(step["at"], step["code"])

    def _mark(self, key: tuple[int, str]) -> None:
        self.changed.add(key)
        self.removed.discard(key)
        self.dirty = True

    def hide(self, hidden: Hidden) -> None:
        """Cut these customers' numbers short from now on, also those that are on the screen."""
        if hidden != self.hidden:
            self.hidden = hidden
            self.changed |= self.live.keys()
            self.dirty = True

    # Showing

    def snapshot(self, now: int) -> dict[str, Any]:
        """Return the whole picture: what a dashboard gets first, and after it has missed something."""
        newest = sorted(self.live, key=lambda key: -self.live[key]["since"])[:ROWS_SHOWN]
        return {
            "type": "snapshot",
            **self._numbers(now),
            "series": [list(point) for point in self.series],
            "live": [self._shown(key) for key in newest],
        }

    def customer_series(self, now: int) -> dict[int, list[int]]:
        """Return the last hour of each customer that had calls in it, for the small lines beside their names."""
        return {pk: hour.series(now) for pk, hour in self.customer_hours.items()}

    def delta(self, now: int) -> dict[str, Any]:
        """Return what has changed since the last delta, and forget that it had."""
        changed = [key for key in self.changed if key in self.live]
        newest = sorted(changed, key=lambda key: -self.live[key]["since"])[:ROWS_SHOWN]
        frame = {
            "type": "delta",
            **self._numbers(now),
            "point": list(self.series[-1]) if self.series else None,
            "live": [self._shown(key) for key in newest],
            "removed": [self._id(key) for key in self.removed],
        }
        self.changed.clear()
        self.removed.clear()
        self.dirty = False
        return frame

    def tick(self, now: int) -> None:
        """Open the minute that has begun, so that a quiet line is drawn as one."""
        minute = now - now % MINUTE
        if not self.series or self.series[-1][0] < minute:
            self.series.append([minute, len(self.live), 0])
            self.dirty = True
        self.series[-1][1] = max(self.series[-1][1], len(self.live))

    def _numbers(self, now: int) -> dict[str, Any]:
        while self.attempts and self.attempts[0] <= now - MINUTE:
            self.attempts.popleft()
        if self.series:
            self.series[-1][1] = max(self.series[-1][1], len(self.live))
        return {
            "at": now,
            "now": {
                "calls": len(self.live),
                "per_minute": len(self.attempts),
                "answered_share": self.hour.share(now),
                "cost_today": None,
            },
            "trunks": [
                {
                    "name": trunk.name,
                    "calls": self.calls["trunk", gateway],
                    "answered_share": trunk.hour.share(now),
                    "health": trunk.health,
                }
                for gateway, trunk in self.trunks.items()
            ],
            **({"customers": self._customers(now)} if self.by_customer else {}),
            "failures": [
                {"code": code, "words": words_for(code), "count": count} for code, count in self.failures.most(now)
            ],
        }

    def _customers(self, now: int) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = [
            {
                "id": pk,
                "name": name,
                "calls": self.calls["customer", pk],
                "answered_share": self.customer_hours[pk].share(now) if pk in self.customer_hours else None,
            }
            for pk, name in self.customers.items()
        ]
        return sorted(rows, key=lambda row: (-row["calls"], row["name"]))[:ROWS_SHOWN]

    def _shown(self, key: tuple[int, str]) -> dict[str, Any]:
        row = self.live[key]
        trunk = self.trunks.get(row["trunk"])
        shown = {"id": self._id(key), **row, "trunk": trunk.name if trunk else _plain(row["trunk"])}
        for name in ("caller", "called"):
            shown[name] = _written(masked(row[name]) if is_hidden(key[0], self.hidden) else row[name])
        if self.by_customer:
            shown["customer"] = self.customers.get(key[0], "")
        return shown

    def _id(self, key: tuple[int, str]) -> str:
        # Both ends of a call between two customers of one MSP are rows of their own.
        return f"{key[1]}.{key[0]}" if self.by_customer else key[1]


@lru_cache(maxsize=4096)
def _written(number: str) -> str:
    return values.phone(number)


def _plain(trunk: str) -> str:
    return "Microsoft Teams" if trunk == "teams" else ""
