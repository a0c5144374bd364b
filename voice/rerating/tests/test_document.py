"""The example of docs/pricing.md on rating again, run: posted, adjusted, should be, entry."""

from portal.core.audit import Actor
from portal.db import contexts
from voice.rating.models import Charge, CustomerDeck
from voice.rating.money import read_micros
from voice.rating.tests.make import give, stored_deck, stored_rate
from voice.rating.tests.test_pricing_document import ALL
from voice.rerating.models import Adjustment
from voice.rerating.tests.make import applied, calls, proposed

BY = Actor(email="nadia@northwind.example")


def test_each_line_of_the_example_is_what_is_posted(northwind, acme):
    (example,) = [each for each in ALL if each.kind == "again"]
    for number, row in enumerate(example.rows):
        posted, before, wanted = (read_micros(row[name]) for name in ("Posted", "Adjusted before", "Should be"))
        called = f"+4479{number:08}"
        with contexts.msp(northwind):
            sell = stored_deck(northwind, f"Sell {number}")
            stored_rate(sell, "44", posted)
            if number:
                give_instead(sell, acme)
            else:
                give(sell, acme)
            decks = [stored_deck(northwind, f"{name} {number}") for name in ("Before", "Should")]
            for deck, micros in zip(decks, (posted + before, wanted), strict=True):
                stored_rate(deck, "44", micros, destination="to 44")
        (call,) = calls(acme, called=called)
        with contexts.msp(northwind):
            assert Charge.objects.get(id=call.id).micros == posted
        for deck in decks:
            applied(proposed(northwind, BY, customers=[acme.pk], sell_deck=deck), BY)
        with contexts.msp(northwind):
            entries = list(Adjustment.objects.filter(call=call.id).order_by("pk").values_list("micros", flat=True))
        assert entries == [micros for micros in (before, read_micros(row["Entry"])) if micros], row


def give_instead(deck, customer):
    CustomerDeck.objects.filter(tenant=customer).update(deck=deck)
