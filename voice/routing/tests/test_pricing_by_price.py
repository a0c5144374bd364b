"""The examples of docs/pricing.md §20, by the decks and by the tables that a node holds."""

import re
from datetime import UTC, datetime
from pathlib import Path

from voice.rating.cheapest import loss_table, rank_table
from voice.rating.decks import FOREVER, Deck, Rate
from voice.rating.money import read_micros
from voice.routing.choose import CallQuery, Line, Order, PolicyView, choose
from voice.routing.quotes import quotes_for
from voice.routing.tests.nodes_view import tried_by_a_node

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "pricing.md"
NOW, UNTIL = 1_000, 9_000


def table(name: str) -> list[dict[str, str]]:
    found = re.search(rf"^<!-- by price: {name} -->\n((?:\|.*\n)+)", DOCUMENT.read_text(), re.MULTILINE)
    assert found is not None
    header, _rule, *body = [[cell.strip() for cell in row.split("|")[1:-1]] for row in found[1].splitlines()]
    return [dict(zip(header, row, strict=True)) for row in body]


def decks() -> dict[str, Deck]:
    made = {}
    for row in table("decks"):
        name = row.pop("Deck")
        rates = [
            Rate(0, code, "", 0 if price == "blocked" else read_micros(price), blocked=price == "blocked")
            for code, price in row.items()
            if price
        ]
        made[name] = Deck("EUR", rates)
    return made


def test_every_example_holds_for_the_page_and_for_the_node():
    known = decks()
    sell = known.pop("sells")
    held = {**dict(enumerate(known.values(), 1)), 9: sell}
    spans = {name: [(0, FOREVER, place)] for place, name in enumerate(known, 1)}
    ranks, losses = rank_table(spans, held, NOW, UNTIL), loss_table(spans, held, 9, NOW, UNTIL)
    calls = table("calls")
    assert len(calls) > 5

    for row in calls:
        order = Order.CHEAPEST if row["Without a price"] == "last" else Order.PRICED
        line = Line(1, "", tuple(row["Line"].split()), order=order)
        protects = row["Below cost"] == "refused"
        quotes = quotes_for(
            row["Called"], NOW, shared=known, spans=spans, decks=held, sell=sell, protects=protects, since=NOW
        )
        call = CallQuery(row["Called"], "", datetime.fromtimestamp(NOW / 1000, UTC))
        wanted = () if row["Tried"] == "none" else tuple(row["Tried"].split())

        assert choose(PolicyView((line,), {}), call, quotes).trunks == wanted, row
        found = tried_by_a_node(line, ("own",), row["Called"], NOW, ranks, losses if protects else None)
        assert found == wanted, row
