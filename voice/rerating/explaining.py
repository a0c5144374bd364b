"""One call of a proposal: what was posted for it and what it should come to, each with the steps that lead there."""

from dataclasses import dataclass
from typing import Any

from voice.calls.models import Cdr
from voice.rating import pricing
from voice.rating.decks import Deck, Direction
from voice.rating.explain import Sight, price_words, told
from voice.rating.loading import deck_around
from voice.rating.models import Charge, Cost, RateDeck
from voice.rating.talks import talk_of_cdr
from voice.rerating.flat import as_of
from voice.rerating.models import Adjustment, CostAdjustment, Line, Proposal, ProposalSum, Side


@dataclass(frozen=True)
class Way:
    """A price with the way to it; `deck` is the name of the list of prices."""

    micros: int
    currency: str
    deck: str
    price: str
    steps: list[str]


@dataclass(frozen=True)
class Compared:
    """What was posted, what was adjusted since, and what it should come to."""

    posted: Way
    adjustments: list[Any]
    should: Way


def compared(line: ProposalSum, row: Line, call: Cdr, sight: Sight) -> Compared | None:
    """Return both prices of a call, None where its charge is no longer there."""
    kept: Charge | Cost | None
    if line.side == Side.SELL:
        kept = Charge.objects.filter(tenant_id=row.tenant_id, invited=row.invited, id=row.id).first()
        moved: Any = Adjustment.objects.filter(tenant_id=row.tenant_id, invited=row.invited, call=row.id)
    else:
        where = {"tenant_id": row.tenant_id, "invited": row.invited, "trunk": line.trunk}
        kept = Cost.objects.filter(**where, id=row.id).first()
        moved = CostAdjustment.objects.filter(**where, call=row.id)
    if kept is None:
        return None
    direction = _direction(line, call)
    posted = _way(call, direction, kept.deck_id, None, kept.micros, kept.currency, sight)
    version = _version(line.proposal, line.side)
    should = _way(call, direction, line.deck_id, version, row.micros, line.currency, sight)
    return Compared(posted, list(moved.order_by("made_at", "pk")), should)


def _way(call: Cdr, direction: str, deck: int | None, version: Any, micros: int, currency: str, sight: Sight) -> Way:
    talk = talk_of_cdr(call)
    around: Deck | None = deck_around(deck, talk.called) if deck else None
    steps, words = [], ""
    if around is not None:
        if version is not None:
            around = as_of(around, round(version.effective_from.timestamp() * 1000))
        found = pricing.price(pricing.Call(talk.called, talk.caller, talk.answered, talk.ended, direction), around)
        # The steps of today's deck are those of the amount only where they lead to it.
        if found.micros == micros:
            steps, words = told(found, sight), price_words(found, sight)
    name = RateDeck.objects.filter(pk=deck).values_list("name", flat=True).first() if deck else ""
    return Way(micros, currency, name or "", words, steps)


def _direction(line: ProposalSum, call: Cdr) -> str:
    if line.side == Side.SELL or call.direction == Direction.EMERGENCY:
        return call.direction
    return Direction.IN.value if talk_of_cdr(call).ingress == line.trunk else Direction.OUT.value


def _version(proposal: Proposal, side: str) -> Any:
    return proposal.sell_version if side == Side.SELL else proposal.buy_version
