"""What the month has to cost, reckoned apart from the product: plain arithmetic over the calls and what was agreed."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from tests.system.month_calls import Call
from tests.system.month_deals import BERLIN, DEALS, ONE, WORLD, Deal, midnight, next_month

CENT = 10_000
Bill = dict[str, int]


def half_up(amount: int, parts: int) -> int:
    """Return the amount by so many parts, what lies between two to the larger."""
    return (2 * amount + parts) // (2 * parts)


def billed(call: Call) -> int:
    """Return the seconds that are billed."""
    return -(-call.seconds // 60) * 60 if DEALS[call.customer].by_minute else call.seconds


def price(call: Call) -> int:
    """Return what a call costs by its customer's deck."""
    if call.direction == "in" or not call.seconds:
        return 0
    by_day = WORLD[call.destination][2]
    night = 0 if DEALS[call.customer].by_minute else _night_seconds(call)
    return half_up((billed(call) - night) * by_day + night * (by_day // 2), 60)


def _night_seconds(call: Call) -> int:
    assert call.answered is not None
    hours = (datetime.fromtimestamp(call.answered / 1000 + second, BERLIN).hour for second in range(call.seconds))
    return sum(hour >= 20 or hour < 7 for hour in hours)


def billed_calls(label: str, calls: Iterable[Call], month: date) -> list[Call]:
    """Return the calls that a customer's bill of the month has, in the order of their answer."""
    until = midnight(next_month(month)).timestamp() * 1000
    talks = (call for call in calls if call.customer == label and call.answered is not None and call.seconds)
    return sorted((call for call in talks if (call.answered or 0) < until), key=lambda call: call.answered or 0)


def unbilled(label: str, calls: Iterable[Call], month: date) -> int:
    """Return what a customer's calls after the month cost."""
    own = [call for call in calls if call.customer == label and call.answered is not None]
    return sum(map(price, own)) - sum(map(price, billed_calls(label, own, month)))


def bill(label: str, calls: Iterable[Call], month: date, seats: int, numbers: int) -> Bill:
    """Return the lines of a customer's bill that are not zero, by their words, in micros before rounding."""
    deal, own = DEALS[label], billed_calls(label, calls, month)
    out = [call for call in own if call.direction == "out"]
    usage: dict[str, int] = defaultdict(int)
    covered = _covered(deal, out, seats)
    for call in out:
        # What is left of a call whose first seconds are covered costs its own price a minute.
        by_day, left = WORLD[call.destination][2], billed(call) - covered[call.id]
        usage[call.destination] += half_up(left * by_day, 60) if covered[call.id] else price(call)
    found = {f"Calls to {name}": micros for name, micros in usage.items()}
    found |= _by_volume(deal, out, found, month) | _fees(deal, seats, numbers, len(out))
    return {words: micros for words, micros in (found | _closing(deal, found)).items() if micros}


def _covered(deal: Deal, out: list[Call], seats: int) -> Counter[str]:
    """Return the seconds of each call that included minutes bear, the first calls first."""
    covered: Counter[str] = Counter()
    for part in deal.parts:
        if part["kind"] == "minutes":
            months = 1 + part.get("roll_over", 0)
            left = part["minutes"] * 60 * (seats if part.get("pool") == "seat" else months)
            for call in out:
                if not part.get("destinations") or call.destination in part["destinations"]:
                    covered[call.id] += (taken := min(left, billed(call) - covered[call.id]))
                    left -= taken
    return covered


def _by_volume(deal: Deal, out: list[Call], lines: Bill, month: date) -> Bill:
    found: Bill = {}
    for part in deal.parts:
        if part["kind"] == "tiers":
            for name in part["destinations"]:
                lines[f"Calls to {name}"] = 0
            minutes = sum(billed(call) for call in out if call.destination in part["destinations"]) // 60
            reached = 0
            for up_to, per_minute in deal.tiers:
                here = max(0, min(minutes, up_to or minutes) - reached)
                span = f"minutes {reached + 1:,} to {up_to:,}" if up_to else f"from minute {reached + 1:,} on"
                found[f"{part['name']}, {month:%B %Y}, {span}"] = here * per_minute
                reached = up_to or 0
    return found


def _fees(deal: Deal, seats: int, numbers: int, calls: int) -> Bill:
    counts = {"seat": seats, "number": numbers, "channel": deal.channels, "contract": 1}
    found: Bill = {}
    for part in deal.parts:
        if part["kind"] in ("monthly", "once", "emergency"):
            found[part["name"]] = part["amount"] * counts[part.get("per", "contract")]
        elif part["kind"] == "call":
            found[f"{part['name']}, {calls} calls"] = part["amount"] * calls
    return found


def _closing(deal: Deal, lines: Bill) -> Bill:
    whole = sum(rounded(micros) for micros in lines.values())
    for part in deal.parts:
        if part["kind"] == "discount":
            return {part["name"]: -rounded(half_up(whole * part["per_million"], ONE))}
        if part["kind"] == "commitment":
            return {f"{part['name']}: what is missing to it": max(0, part["amount"] - whole)}
    return {}


def rounded(micros: int) -> int:
    """Return an amount in whole cents, what lies between two away from zero."""
    return half_up(micros, CENT) * CENT if micros >= 0 else -half_up(-micros, CENT) * CENT
