"""The examples of docs/pricing.md §20, by the decks and by the tables that a node holds."""

import re
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

from voice.currencies.conversion import conversion
from voice.rating.cheapest import loss_table, rank_table
from voice.rating.decks import FOREVER, Deck, Rate
from voice.rating.money import ExchangeRate, half_up, read_micros
from voice.rating.pricing import Outcome, charge_micros
from voice.rating.typical import TypicalCall
from voice.routing.choose import CallQuery, Line, Order, PolicyView, choose
from voice.routing.quotes import asked, quotes_for
from voice.routing.tests.nodes_view import tried_by_a_node

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "pricing.md"
NOW, UNTIL = 1_000, 9_000


def table(name: str) -> list[dict[str, str]]:
    found = re.search(rf"^<!-- by price: {name}.*-->\n((?:\|.*\n)+)", DOCUMENT.read_text(), re.MULTILINE)
    assert found is not None
    header, _rule, *body = [[cell.strip() for cell in row.split("|")[1:-1]] for row in found[1].splitlines()]
    return [dict(zip(header, row, strict=True)) for row in body]


def typical(seconds: str) -> TypicalCall:
    found = re.search(r'^<!-- by price: decks rate="1 (\w+) = ([\d.]+) (\w+)" -->', DOCUMENT.read_text(), re.MULTILINE)
    assert found is not None
    base, rate, quote = found.groups()
    day = date(2026, 6, 30)
    way = conversion(quote, base, day, [ExchangeRate(base, quote, int(Fraction(rate) * 10**9), day)])
    return TypicalCall(int(seconds), base, {quote: way.exact(1)})


def decks() -> dict[str, Deck]:
    made = {}
    for row in table("decks"):
        name, currency = row.pop("Deck"), row.pop("Currency")
        minimum, increment = map(int, row.pop("Minimum/increment").split("/"))
        fee = read_micros(row.pop("Fee"))
        rates = [
            Rate(0, code, "", 0, blocked=True)
            if price == "blocked"
            else Rate(0, code, "", read_micros(price), fee, minimum, increment)
            for code, price in row.items()
            if price
        ]
        made[name] = Deck(currency, rates)
    return made


def test_what_a_typical_call_costs_is_what_such_a_call_is_charged():
    known, rows = decks(), table("costs")
    assert len(rows) > 5

    for row in rows:
        deck, call = known[row["Deck"]], typical(row["Seconds"])
        outcome, micros, billed, _rate = charge_micros(deck, "out", row["Called"], "", NOW, NOW + call.seconds * 1000)
        said, currency = row["Costs"].split()

        assert (outcome, billed, micros) == (Outcome.RATED, int(row["Billed"]), read_micros(said)), row
        assert deck.currency == currency
        compared = read_micros(row["In EUR"])
        assert asked(deck, row["Called"], NOW, call).cost == compared
        assert half_up(*(micros * call.worth.get(currency, Fraction(1))).as_integer_ratio()) == compared


def test_every_example_holds_for_the_page_and_for_the_node():
    known = decks()
    sell = known.pop("sells")
    held = {**dict(enumerate(known.values(), 1)), 9: sell}
    spans = {name: [(0, FOREVER, place)] for place, name in enumerate(known, 1)}
    calls = table("calls")
    assert len(calls) > 5

    for row in calls:
        by = typical(row["Typical call"])
        ranks, losses = rank_table(spans, held, by, NOW, UNTIL), loss_table(spans, held, 9, by, NOW, UNTIL)
        order = Order.CHEAPEST if row["Without a price"] == "last" else Order.PRICED
        line = Line(1, "", tuple(row["Line"].split()), order=order)
        protects = row["Below cost"] == "refused"
        quotes = quotes_for(
            row["Called"], NOW, shared=known, spans=spans, decks=held, sell=sell, protects=protects, call=by
        )
        call = CallQuery(row["Called"], None, datetime.fromtimestamp(NOW / 1000, UTC))
        wanted = () if row["Tried"] == "none" else tuple(row["Tried"].split())

        assert choose(PolicyView((line,), {}), call, quotes).trunks == wanted, row
        found = tried_by_a_node(line, ("own",), row["Called"], NOW, ranks, losses if protects else None)
        assert found == wanted, row
