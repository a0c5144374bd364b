"""A month of calls of five customers, and the lines that Kamailio writes about them."""

import random
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlencode

from tests.system.month_deals import DEALS, WORLD, midnight, next_month

EACH = 560
SHARE_IN, SHARE_REFUSED, SHARE_LATE = 0.1, 0.12, 0.05
REFUSALS = ((486, 17, "called"), (404, 1, "called"), (487, 16, "caller"), (503, 41, "called"))


@dataclass(frozen=True)
class Call:
    """What happened; times are milliseconds since 1970."""

    id: str
    customer: str
    direction: str
    destination: str
    caller: str
    called: str
    invited: int
    answered: int | None
    ended: int
    refusal: tuple[int, int, str] = field(default=(0, 0, ""))

    @property
    def seconds(self) -> int:
        """Return how long was talked, each begun second counted."""
        return 0 if self.answered is None else -((self.answered - self.ended) // 1000)


def traffic(month: date, numbers: Mapping[str, Sequence[str]], chance: random.Random) -> list[Call]:
    """Return the month's calls in the order in which a node that was away for some of them hands them over."""
    calls = [_ordinary(label, numbers[label], month, chance) for label in DEALS for _ in range(EACH)]
    calls += _edges(month, numbers, chance)
    calls.sort(key=lambda call: call.ended)
    late = {call.id for call in chance.sample(calls, int(SHARE_LATE * len(calls)))}
    return sorted(calls, key=lambda call: call.id in late)


def _ordinary(label: str, numbers: Sequence[str], month: date, chance: random.Random) -> Call:
    """Return a call by day of some office: most talk for minutes, some are refused, some come in."""
    days = (next_month(month) - month).days
    day = month + timedelta(days=chance.randrange(days))
    invited = _ms(day, 8 * 3600) + chance.randrange(10 * 3_600_000)
    if chance.random() < SHARE_REFUSED:
        return _call(label, numbers, chance, invited, None, chance.randrange(1, 20_000))
    return _call(label, numbers, chance, invited, chance.randrange(500, 9_000), _talk(chance))


def _edges(month: date, numbers: Mapping[str, Sequence[str]], chance: random.Random) -> Iterator[Call]:
    """Yield what goes wrong elsewhere: the night of 25 hours, no second at all, the month's first and last moments."""
    first, last = _ms(month), _ms(next_month(month))
    sunday = next_month(month) - timedelta(days=1)
    sunday -= timedelta(days=(sunday.weekday() + 1) % 7)
    # From half past one in summer time until eight in winter time: seven and a half hours.
    yield _out("perminute", numbers, chance, _ms(sunday, 5_400), 27_000_000, "Germany")
    yield _out("perminute", numbers, chance, _ms(sunday, 36_000), 0, "Germany")
    for answered in (first - 1, first, last - 1, last):
        yield _out("seats", numbers, chance, answered, 61_000, "France")


def _out(
    label: str, numbers: Mapping[str, Sequence[str]], chance: random.Random, answered: int, talk: int, to: str
) -> Call:
    return _call(label, numbers[label], chance, answered - 3_000, 3_000, talk, to)


def _call(
    label: str,
    numbers: Sequence[str],
    chance: random.Random,
    invited: int,
    rings: int | None,
    lasts: int,
    to: str = "",
) -> Call:
    own, outside = chance.choice(numbers), to or chance.choice(DEALS[label].destinations)
    code, follows, *_prices = WORLD[outside]
    other = f"+{code}{follows}{chance.randrange(10**7):07}"
    comes_in = not to and chance.random() < SHARE_IN
    answered = None if rings is None else invited + rings
    return Call(
        str(uuid.UUID(int=chance.getrandbits(128), version=4)), label, "in" if comes_in else "out",
        "" if comes_in else outside, other if comes_in else own, own if comes_in else other, invited, answered,
        (invited if answered is None else answered) + lasts,
        chance.choice(REFUSALS) if answered is None else (0, 0, ""),
    )  # fmt: skip


def _talk(chance: random.Random) -> int:
    return min(1 + round(chance.expovariate(1 / 150_000)), 3_600_000)


def _ms(day: date, seconds: int = 0) -> int:
    return round(midnight(day).timestamp() * 1000) + seconds * 1000


def lines(calls: Iterable[Call], tenants: Mapping[str, int], msp: int, gateway: str) -> bytes:
    """Return what Kamailio writes about calls.

    Workers write into files of their own, so an end may be read before its answer, as here: no reader that comes in
    between finds a call of months ago that never ended.
    """
    return b"".join(_lines(call, tenants[call.customer], msp, gateway) for call in calls)


def _lines(call: Call, tenant: int, msp: int, gateway: str) -> bytes:
    sides = ("teams", gateway) if call.direction == "out" else (gateway, "teams")
    facts = {
        "t": tenant, "m": msp, "d": call.direction, "ci": f"{call.id}@month", "cr": call.caller, "cs": call.caller,
        "cd": call.called, "ce": call.called, "iv": _time(call.invited), "rg": _time(call.invited + 400),
        "in": sides[0], "eg": sides[1], "r": 7, "g": 3, "sc": "own", "at": "A", "ua": "Month",
    }  # fmt: skip
    if call.answered is None:
        code, cause, by = call.refusal
        return _line("f", call, call.ended, co=code, ca=cause, by=by, ls=_time(call.invited + 5), **facts)
    ended = _line("e", call, call.ended, ca=16, by="caller")
    return ended + _line("a", call, call.answered, co=200, ls=_time(call.invited + 5), **facts)


def _line(kind: str, call: Call, moment: int, /, **said: object) -> bytes:
    return (
        b"0|INVITE|a|b|c|200|OK|"
        + urlencode({"k": kind, "id": call.id, "ts": _time(moment)} | said | {"z": 1}).encode()
        + b"\n"
    )


def _time(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03}000"
