"""The demo's proposal: yesterday's calls of one customer of each MSP by a list of prices that was agreed too late."""

from datetime import datetime, time, timedelta
from typing import Any

from django.utils.timezone import now

from portal.core.audit import Actor
from voice.rating import demo as prices
from voice.rating import services as decks
from voice.rating.files.lines import Line, Terms
from voice.rating.models import Charge, CustomerDeck, RateDeck
from voice.rerating import services
from voice.rerating.models import Proposal

BY = Actor.system("demo")
PERCENT = 220


def seed(cast: Any) -> None:
    """Rate the calls of each MSP's first customer with charges again, once they are there; nothing is applied."""
    today = datetime.combine(now().date(), time(), tzinfo=now().tzinfo)
    begins = today - timedelta(days=2)
    for msp in cast.msps:
        with cast.as_msp(msp):
            paid = Charge.objects.filter(msp=msp, outcome="rated", invited__gte=begins).order_by("tenant_id").first()
            if paid is None or Proposal.objects.filter(msp=msp).exists():
                continue
            held = CustomerDeck.objects.select_related("deck").filter(tenant=paid.tenant_id).first()
            if held is None:
                continue
            proposal = Proposal(
                msp=msp, begins=begins, ends=today + timedelta(days=1), customers=[paid.tenant_id],
                sell_deck=_agreed(held.deck), note="The new prices were signed on the first, and entered late",
                made_by=BY.email, expires_at=now() + services.KEPT,
            )  # fmt: skip
            proposal.save()
            services.rate(proposal, _quiet)


def _agreed(old: RateDeck) -> RateDeck:
    """Return the deck as it was agreed: cheaper, and by the second."""
    deck = RateDeck(
        msp=old.msp, name=f"{old.name}, new contract", kind=RateDeck.Kind.SELL, currency=old.currency, zone=old.zone,
        free=old.free, note="Signed, not assigned yet",
    )  # fmt: skip
    deck = decks.save_deck(deck, by=BY)
    lines = [
        Line(0, ("out", code, ""), Terms(name, price * PERCENT // 100, 0, 1, 1), None, None)
        for code, name, price in prices.WORLD
    ]
    decks.put_rates(deck, lines, at=prices.BEGIN, by=BY, note="As signed", full=True)
    return deck


def _quiet(done: int, total: int | None = None, message: str = "") -> None:
    """Hear of progress, and say nothing."""
