"""The demo's margins: targets, a route that loses money, and a carrier's invoice that does not agree."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.timezone import now

from portal.core.audit import Actor
from tenants.models import Msp
from voice.carriers.models import Carrier, Trunk
from voice.currencies.models import ExchangeRate
from voice.margin import carrier_checks, expecting, services
from voice.margin import carrier_storing as storing
from voice.margin.models import CarrierInvoice, Target
from voice.rating import services as decks
from voice.rating.files.lines import Line, Terms
from voice.rating.models import RateDeck, TrunkDeck

BY = Actor.system("demo")
BEGIN = datetime(2026, 2, 1, tzinfo=ZoneInfo("Europe/Berlin"))
# Dearer than what any customer pays for it.
DEAR = Line(0, ("out", "4144", ""), Terms("Switzerland, Zurich", 45_000, 0, 1, 1), None, None)
# Free for customers, and the carrier asks for it all the same.
FREE = Line(0, ("out", "44808", ""), Terms("United Kingdom, free of charge", 6_000, 0, 1, 1), None, None)
RATES = {"USD": 1_084_300_000, "GBP": 842_500_000}
DAYS = 8
BERLIN = ZoneInfo("Europe/Berlin")


def seed(cast: Any) -> None:
    """Give each MSP a target, rates of exchange and one destination that its first carrier has made too dear."""
    for msp in cast.msps:
        with cast.as_msp(msp):
            if Target.objects.filter(msp=msp).exists():
                continue
            services.set_target(msp, None, 550, by=BY)
            _rates(msp)
            trunk = _trunk(msp)
            deck = TrunkDeck.objects.filter(trunk=trunk.pk).order_by("pk").first() if trunk else None
            if deck is not None:
                buying = RateDeck.objects.get(pk=deck.deck_id)
                decks.put_rates(buying, [DEAR, FREE], at=BEGIN, by=BY, note="Zurich is dearer now", full=False)


def carrier_invoice(cast: Any) -> None:
    """Check an invoice of each MSP's first carrier: its clock is an hour ahead, and three kinds of calls differ."""
    for msp in cast.msps:
        with cast.as_msp(msp):
            trunk = _trunk(msp)
            if trunk is None or CarrierInvoice.objects.filter(msp=msp).exists():
                continue
            ends = now().date() - timedelta(days=1) if getattr(cast, "weeks", 0) else now().date()
            carrier = Carrier.objects.filter(trunks=trunk).get()
            invoice = CarrierInvoice(
                msp=msp, carrier=carrier, number=f"{ends:%Y-%m}-0417", name="call-records.csv",
                begins=ends - timedelta(days=DAYS), ends=ends, zone="UTC", currency="EUR",
            )  # fmt: skip
            content = _file(invoice)
            if content:
                invoice.content = content
                invoice.save()
                carrier_checks.check(invoice, lambda *_: None)


def carrier_totals(cast: Any) -> None:
    """Dispute an invoice without calls of each MSP's last carrier: one destination is dearer, one nobody knows."""
    for msp in cast.msps:
        with cast.as_msp(msp):
            trunks = Trunk.objects.open().filter(msp=msp, tenant=None, carrier__isnull=False).order_by("-pk")
            trunk = trunks.select_related("carrier").first()
            if trunk is None or CarrierInvoice.objects.filter(msp=msp, options__totals=True).exists():
                continue
            ends = now().date().replace(day=1) - timedelta(days=1)
            invoice = CarrierInvoice(
                msp=msp, carrier=trunk.carrier, number=f"{ends:%Y%m}/88", name="Typed amounts",
                begins=ends.replace(day=1), ends=ends, zone="UTC", currency="EUR",
                options={"totals": True, "typed": True, "decimal": "."},
            )  # fmt: skip
            lines = [(name, micros) for name, _currency, micros in storing.costs_of(invoice) if name and micros]
            if not lines:
                continue
            dearest = max(lines, key=lambda line: line[1])[0]
            told = [(name, micros * 112 // 100 if name == dearest else micros) for name, micros in lines]
            told.append(("International transit", 4_900_000))
            invoice.content = "\n".join(f"{name}; {micros / 1_000_000:.2f}" for name, micros in told).encode()
            invoice.save()
            carrier_checks.check(invoice, lambda *_: None)
            note = f"{dearest} was agreed at less, and we have no line for transit."
            carrier_checks.decide(invoice, CarrierInvoice.State.DISPUTED, note, by=BY)


def expect(cast: Any) -> None:
    """Work out what the months without an invoice are expected to bring, as each night does."""
    for msp in cast.msps:
        with cast.as_msp(msp):
            expecting.work_out(msp, now().date())


def _file(invoice: CarrierInvoice) -> bytes:
    ours, _known = storing.ours_of(invoice)
    begins, ends = storing.period_of(invoice)
    rows = ["Start;Called number;Destination;Duration;Amount"]
    for place, call in enumerate(ours):
        at = datetime.fromtimestamp(call.at / 1000, UTC)
        # What they forgot, and what is another month's.
        if not call.micros or place % 17 == 16 or not begins <= at < ends:
            continue
        seconds, micros = call.seconds, call.micros
        if place % 9 == 4:
            micros = micros * 14 // 10
        if place % 11 == 7:
            seconds, micros = seconds + 60, micros * (seconds + 60) // max(seconds, 1)
        rows.append(_line(at, call.called, call.destination, seconds, micros))
    if len(rows) > 1:
        rows.append(_line(begins + timedelta(hours=10), "435550011", "Austria", 240, 28_000))
        rows.append(_line(begins + timedelta(hours=11), "447700900999", "United Kingdom, mobile", 95, 38_000))
    return "\n".join(rows).encode() if len(rows) > 1 else b""


def _line(at: datetime, called: str, destination: str, seconds: int, micros: int) -> str:
    amount = f"{micros / 1_000_000:.6f}".replace(".", ",")
    return f"{at.astimezone(BERLIN):%Y-%m-%d %H:%M:%S};+{called};{destination};{seconds};{amount}"


def _rates(msp: Msp) -> None:
    today = now().date()
    for day in (today, today.replace(day=1) - timedelta(days=1)):
        for currency, nanos in RATES.items():
            facts = {"base": "EUR", "quote": currency, "nanos": nanos, "day": day}
            ExchangeRate.objects.create(msp=msp, source="Made up for the demo", **facts)


def _trunk(msp: Msp) -> Trunk | None:
    return Trunk.objects.open().filter(msp=msp, tenant=None, carrier__isnull=False).order_by("pk").first()
