"""Every example of docs/pricing.md, run: a table under a mark holds cases, a column of it a value."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from voice.rating.bands import HOLIDAY, Bands, BandWindow
from voice.rating.classes import DIGITS, Dearest, Grouped, classes_of
from voice.rating.decks import FOREVER, BandPrice, Deck, Rate
from voice.rating.money import (
    ExchangeRate,
    UnknownCurrency,
    UnreadableAmount,
    call_micros,
    convert,
    decimals,
    parts_of_fee,
    read_micros,
    tax_on,
    to_minor,
)
from voice.rating.prepaid import longest_call
from voice.rating.pricing import Call, answered_seconds, billed_seconds, charge_micros, price
from voice.rating.standing import Standing

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "pricing.md"
# Described, not built: their examples wait. Whoever builds one takes it from here.
LATER: set[str] = set()
# Run by the tests of the apps above that they are about: plans in voice/plans/tests/test_pricing_examples.py, what
# documents and payments move in voice/receivables/tests/test_counting.py and test_credited.py.
OF_PLANS = {
    "fees", "users", "channels", "included", "shares", "rolled", "bundles", "tiers", "discounts", "commitment", "terms",
    "had", "own",
}  # fmt: skip
ABOVE = OF_PLANS | {
    "again",
    "asked_again",
    "numbers",
    "two_currencies",
    "expected",
    "credited",
    "events",
    "forecast",
    "unbilled",
}
_EXAMPLE = re.compile(r"^<!-- example: (.+?) -->\n((?:\|.*\n)+)", re.MULTILINE)
_DAYS = {**{name: index for index, name in enumerate(["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"])}, "holiday": HOLIDAY}
Row = dict[str, str]


@dataclass(frozen=True)
class Example:
    """A marked table of the page: its kind, the options of its mark, its rows by column."""

    line: int
    kind: str
    options: dict[str, str]
    rows: list[Row]

    def __str__(self) -> str:
        return f"{self.kind}, line {self.line}"


def examples() -> list[Example]:
    text = DOCUMENT.read_text()
    found = []
    for match in _EXAMPLE.finditer(text):
        kind, *options = shlex.split(match[1])
        header, _rule, *body = [[cell.strip() for cell in row.split("|")[1:-1]] for row in match[2].splitlines()]
        assert all(len(row) == len(header) for row in body), f"{match[1]}: a row has another number of cells"
        rows = [dict(zip(header, row, strict=True)) for row in body]
        line = text.count("\n", 0, match.start()) + 1
        found.append(Example(line, kind, dict(option.partition("=")[::2] for option in options), rows))
    return found


ALL = examples()


def named(kind: str, name: str) -> Example:
    return next(example for example in ALL if example.kind == kind and example.options["name"] == name)


def moment(written: str, zone: str = "UTC") -> int | None:
    """Read a time of the page as milliseconds; a date is midnight in `zone`."""
    if written in ("", "–"):
        return None
    at = datetime.fromisoformat(written)
    at = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def outcome(written: str) -> str:
    return written.replace(" ", "_")


def bands(name: str) -> Bands:
    example = named("bands", name)
    windows = [
        BandWindow(
            row["Band"],
            frozenset(_DAYS[day] for day in row["Days"].split()),
            time.fromisoformat(row["From"]),
            time.fromisoformat(row["Until"]),
        )
        for row in example.rows
    ]
    holidays = [date.fromisoformat(day) for day in example.options.get("holidays", "").split()]
    return Bands(example.options["zone"], windows, holidays)


def rate(row: Row, number: int = 1, zone: str = "UTC", names: tuple[str, ...] = ()) -> Rate:
    minimum, increment = row.get("Minimum/increment", "1/1").split("/")
    fee = read_micros(row.get("Fee") or "0")
    prices = tuple(
        BandPrice(name, read_micros(row[name]), read_micros(row[f"{name} fee"]) if row.get(f"{name} fee") else fee)
        for name in names
        if row.get(name)
    )
    return Rate(
        id=number,
        prefix=row.get("Prefix", ""),
        destination=row.get("Destination", ""),
        per_minute=read_micros(row["Per minute"]),
        fee=fee,
        minimum=int(minimum),
        increment=int(increment),
        grace=int(row.get("Grace") or 0),
        callers=row.get("Callers", ""),
        direction=row.get("Direction") or "out",
        begins=moment(row.get("From", ""), zone) or 0,
        ends=moment(row.get("Until", ""), zone) or FOREVER,
        bands=prices,
        minimum_charge=read_micros(row.get("At least") or "0"),
        maximum_charge=read_micros(row["At most"]) if row.get("At most") else None,
        blocked=bool(row.get("Blocked")),
    )


def deck(name: str) -> Deck:
    example = named("deck", name)
    plan = bands(example.options["bands"]) if "bands" in example.options else None
    names = tuple({window.band for window in plan.windows}) if plan else ()
    zone = example.options.get("zone", "UTC")
    rates = [rate(row, number, zone, names) for number, row in enumerate(example.rows, 1)]
    more = {"free": example.options["free"].split()} if "free" in example.options else {}
    return Deck(example.options["currency"], rates, bands=plan, **more)


def call(row: Row) -> Call:
    answered = moment(row.get("Answered", "2026-06-01 12:00:00Z"))
    assert answered is not None
    ended = answered + int(row["Seconds"]) * 1000
    return Call(row["Called"], row.get("Caller", ""), answered, ended, row.get("Direction", "out"))


def check_amounts(example: Example, row: Row) -> None:
    if row["Micros"] == "refused":
        with pytest.raises(UnreadableAmount):
            read_micros(row["Written"])
    else:
        assert read_micros(row["Written"]) == int(row["Micros"])


def check_charge(example: Example, row: Row) -> None:
    assert call_micros(int(row["Seconds"]) * read_micros(row["Per minute"])) == read_micros(row["Charge"])


def check_coins(example: Example, row: Row) -> None:
    if row["Decimals"] == "refused":
        with pytest.raises(UnknownCurrency):
            decimals(row["Currency"])
    else:
        assert decimals(row["Currency"]) == int(row["Decimals"])


def check_lengths(example: Example, row: Row) -> None:
    found = answered_seconds(moment(row["Answered"]), moment(row["Ended"]))
    assert found == (int(row["Seconds"]), outcome(row["Outcome"]))


def check_billed(example: Example, row: Row) -> None:
    minimum, increment = map(int, row["Minimum/increment"].split("/"))
    assert billed_seconds(int(row["Seconds"]), minimum, increment, int(row["Grace"])) == int(row["Billed"])


def check_deck(example: Example, row: Row) -> None:
    assert deck(example.options["name"]).size == len(example.rows)


def check_bands(example: Example, row: Row) -> None:
    assert row["Band"] in {window.band for window in bands(example.options["name"]).windows}


def check_calls(example: Example, row: Row) -> None:
    by, one = deck(example.options["deck"]), call(row)
    charge = price(one, by)
    assert charge.micros == read_micros(row["Charge"])
    assert charge.outcome == outcome(row.get("Outcome", "rated"))
    if "Prefix" in row:
        assert (charge.rate.prefix if charge.rate else "–") == row["Prefix"]
    if "Callers" in row:
        assert charge.rate is not None and charge.rate.callers == row["Callers"]
    if "Billed" in row:
        assert charge.billed == int(row["Billed"])
    if "Parts" in row:
        assert ", ".join(f"{part.band or 'ordinary'} {part.seconds}" for part in charge.parts) == row["Parts"]
    fast = charge_micros(by, one.direction, one.called, one.caller, one.answered, one.ended)
    assert fast == (charge.outcome, charge.micros, charge.billed, charge.rate)


def check_steps(example: Example, row: Row) -> None:
    one = call({"Called": example.options["called"], "Seconds": example.options["seconds"]})
    step = price(one, deck(example.options["deck"])).steps[example.rows.index(row)]
    assert step.rule == outcome(row["Step"])
    assert ", ".join(f"{name} {value}" for name, value in step.values.items()) == row["Values"]


def check_lines(example: Example, row: Row) -> None:
    assert to_minor(read_micros(row["Calls"]), example.options["currency"]) == read_micros(row["Line"])


def check_invoice(example: Example, row: Row) -> None:
    """Check one line, and each time that all of them make the totals of the mark."""
    currency = example.options["currency"]
    assert to_minor(read_micros(row["Calls and fees"]), currency) == read_micros(row["Line"])
    nets: dict[str, int] = {}
    for each in example.rows:
        nets[each["Tax"]] = nets.get(each["Tax"], 0) + read_micros(each["Line"])
    taxes = {name: tax_on(net, read_micros(name.split()[0]) // 100, currency) for name, net in nets.items()}
    written = dict(part.split(": ") for part in example.options["tax"].split("; "))
    assert taxes == {name: read_micros(tax) for name, tax in written.items()}
    assert sum(nets.values()) == read_micros(example.options["net"])
    assert sum(nets.values()) + sum(taxes.values()) == read_micros(example.options["total"])


def check_conversions(example: Example, row: Row) -> None:
    one, base, _is, many, quote = example.options["rate"].split()
    assert one == "1"
    by = ExchangeRate(base, quote, read_micros(many) * 1000, date.fromisoformat(example.options["date"]))
    (amount, _from), (line, currency) = row["From"].split(), row["To"].split()
    exactly = convert(read_micros(amount), by, currency)
    assert to_minor(exactly, currency) == read_micros(line)
    shown = read_micros(row["Exactly"].rstrip("…"))
    tolerance = Fraction(100 if row["Exactly"].endswith("…") else 1)
    assert abs(exactly - shown) < tolerance


def check_parts(example: Example, row: Row) -> None:
    days = tuple(map(int, row["Days"].split()))
    parts = parts_of_fee(read_micros(row["Fee"]), days, int(row["Of"]), example.options["currency"])
    assert parts == tuple(read_micros(part) for part in row["Parts"].split())


def check_longest(example: Example, row: Row) -> None:
    seconds = longest_call(rate(row), read_micros(row["Balance"]), int(row["Open calls"]))
    assert ("no limit" if seconds is None else str(seconds)) == row["Longest"]


def check_limits(example: Example, row: Row) -> None:
    def limit(written: str) -> int | None:
        return None if written in ("", "none") else read_micros(written)

    spent, spend_limit, own_limit = row["Spent, spend limit, own limit"].split(", ")
    is_prepaid = {"prepaid": True, "postpaid": False}[row["Account"]]
    standing = Standing(
        is_prepaid, read_micros(row["Balance"]), limit(row["Credit limit"]), read_micros(spent), limit(spend_limit),
        limit(own_limit),
    )  # fmt: skip
    assert standing.left == (None if row["Left"] == "no limit" else read_micros(row["Left"]))


def check_reckoned(example: Example, row: Row) -> None:
    """Hold a call's own rate, and that of its class, against what is left."""
    held = deck(example.options["deck"])
    rates = [each for each in held.every_rate() if each.direction == "out"]
    rows = [
        Grouped("out", each.prefix[:DIGITS], len(each.prefix) <= DIGITS, Dearest(each.per_minute, each.fee))
        for each in rates
    ]
    known, called, left = classes_of(rows, held.free), row["Called"], read_micros(row["Left"])
    own = held.find("out", called, "", 0)
    assert own is not None
    named = (known.prefixes.get(called[:length]) for length in range(DIGITS, 0, -1))
    place = next((each for each in named if each is not None), known.outgoing)
    assert longest_call(own, left, 1) == int(row["Its own price pays for"])
    assert longest_call(known.prices[place].as_rate(), left, 1) == int(row["The SBC lets it last"])


CHECKS: dict[str, Callable[[Example, Row], None]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}
CASES = [(example, row) for example in ALL if example.kind not in LATER | ABOVE for row in example.rows]


@pytest.mark.parametrize(("example", "row"), CASES, ids=lambda value: str(value) if isinstance(value, Example) else "")
def test_the_page_and_the_code_agree(example: Example, row: Row) -> None:
    CHECKS[example.kind](example, row)


def test_no_example_is_left_out() -> None:
    kinds = {example.kind for example in ALL}
    assert kinds == CHECKS.keys() | LATER | ABOVE
    assert all(("later" in example.options) == (example.kind in LATER) for example in ALL)
    assert len(ALL) == DOCUMENT.read_text().count("\n<!-- example: ")
    steps = next(example for example in ALL if example.kind == "steps")
    one = call({"Called": steps.options["called"], "Seconds": steps.options["seconds"]})
    assert len(price(one, deck(steps.options["deck"])).steps) == len(steps.rows)
