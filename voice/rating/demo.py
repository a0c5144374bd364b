"""The demo's prices and accounts: what trunks cost, what customers pay for each call, and how far their money goes."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from portal.core.audit import Actor
from tenants.models import Customer, Msp
from voice.carriers.models import Trunk
from voice.rating import limits, services
from voice.rating.decks import Direction
from voice.rating.files.lines import Line, Terms
from voice.rating.models import RateDeck

ZONE = "Europe/Berlin"
BEGIN = datetime(2026, 1, 1, tzinfo=ZoneInfo(ZONE))
FREE = [Direction.INTERNAL.value, Direction.EMERGENCY.value, Direction.IN.value]
# Code, destination, what a carrier asks per minute in micros.
WORLD = (
    ("1", "North America", 4_000),
    ("1787", "Puerto Rico", 21_000),
    ("31", "Netherlands", 6_500),
    ("32", "Belgium", 7_500),
    ("33", "France", 6_000),
    ("336", "France, mobile", 19_000),
    ("337", "France, mobile", 19_000),
    ("34", "Spain", 6_500),
    ("39", "Italy", 7_000),
    ("41", "Switzerland", 9_500),
    ("417", "Switzerland, mobile", 42_000),
    ("43", "Austria", 7_000),
    ("436", "Austria, mobile", 29_000),
    ("44", "United Kingdom", 5_500),
    ("447", "United Kingdom, mobile", 24_000),
    ("44800", "United Kingdom, free of charge", 0),
    ("44808", "United Kingdom, free of charge", 0),
    ("45", "Denmark", 6_000),
    ("46", "Sweden", 5_500),
    ("48", "Poland", 7_000),
    ("49", "Germany", 5_000),
    ("4915", "Germany, mobile", 17_500),
    ("4916", "Germany, mobile", 17_500),
    ("4917", "Germany, mobile", 17_500),
    ("353", "Ireland", 8_000),
    ("420", "Czechia", 8_500),
    ("61", "Australia", 12_000),
    ("81", "Japan", 18_000),
    ("91", "India", 11_000),
)
BLOCKED = (("881", "Satellite"), ("882", "Global networks"), ("883", "Global networks"), ("979", "Premium rate"))
# The second carrier asks less a minute for these, a fee for each call, and bills whole minutes: dear for short calls.
BY_THE_CALL = {"44": Terms("United Kingdom", 4_000, 12_000, 60, 60)}
# The name, the currency and how many times the carrier's price a customer pays, with minimum and increment.
SELLS = {
    "acme": ("Office Europe", "EUR", 260, 60, 60),
    "globex": ("Global per second", "USD", 230, 1, 1),
    "initech": ("British business", "GBP", 240, 30, 6),
}


# How each customer pays; what Globex paid in advance stands in the books.
ACCOUNTS: dict[str, dict[str, Any]] = {
    "acme": {"credit_limit_micros": 500_000_000, "spend_limit_micros": 250_000_000},
    "globex": {"kind": "prepaid", "warn_below_micros": 20_000_000},
    "initech": {},
}


def seed(cast: Any) -> None:
    """Give each demo MSP its decks, once: a buying one for each carrier's trunk, a selling one for each customer."""
    by = Actor.system("demo")
    for msp in cast.msps:
        with cast.as_msp(msp):
            if RateDeck.objects.filter(msp=msp).exists():
                continue
            trunks = Trunk.objects.open().filter(msp=msp, tenant=None, carrier__isnull=False).order_by("pk")
            for place, trunk in enumerate(trunks):
                _buy(msp, trunk, place, by)
            for customer in Customer.objects.filter(msp=msp, label__in=SELLS).order_by("pk"):
                _sell(msp, customer, by)
                _open(customer, by)


def _open(customer: Customer, by: Actor) -> None:
    """Give a customer its account: Globex pays in advance and can be watched as its calls take from that."""
    account = limits.account_of(customer)
    for name, value in ACCOUNTS[customer.label].items():
        setattr(account, name, value)
    limits.save_terms(account, by=by)


def _buy(msp: Msp, trunk: Trunk, place: int, by: Actor) -> None:
    deck = _deck(msp, f"{trunk.name} A–Z", RateDeck.Kind.BUY, "EUR", "As agreed with the carrier", by)
    # The carriers differ: who is cheaper to a country is not cheaper to its mobiles, nor who asks less a minute.
    lines = _lines(100 + 12 * place, 1, 1, 88 if place else 100)
    if place == 1:
        lines = [line._replace(terms=BY_THE_CALL.get(line.key[1], line.terms)) for line in lines]
    services.put_rates(deck, lines, at=BEGIN, by=by, note="Price list 2026-01", full=True)
    services.assign_trunk(trunk, deck, begins=BEGIN, by=by)


def _sell(msp: Msp, customer: Customer, by: Actor) -> None:
    name, currency, percent, minimum, increment = SELLS[customer.label]
    deck = _deck(msp, name, RateDeck.Kind.SELL, currency, "", by)
    services.put_rates(deck, _lines(percent, minimum, increment), at=BEGIN, by=by, note="First prices", full=True)
    services.assign_customer(customer, deck, begins=BEGIN, by=by)


def _deck(msp: Msp, name: str, kind: str, currency: str, note: str, by: Actor) -> RateDeck:
    deck = RateDeck(msp=msp, name=name, kind=kind, currency=currency, zone=ZONE, free=FREE, note=note)
    return services.save_deck(deck, by=by)


def _lines(percent: int, minimum: int, increment: int, mobiles: int = 0) -> list[Line]:
    asked = [(code, name, price, mobiles if mobiles and "mobile" in name else percent) for code, name, price in WORLD]
    rates = [
        Line(0, ("out", code, ""), Terms(name, price * share // 100, 0, minimum, increment), None, None)
        for code, name, price, share in asked
    ]
    return rates + [
        Line(0, ("out", code, ""), Terms(name, 0, 0, minimum, increment, blocked=True), None, None)
        for code, name in BLOCKED
    ]
