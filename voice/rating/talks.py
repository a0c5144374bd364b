"""A call as pricing sees it, one for each customer that had it, made from what a node sent or from what was stored.

Pure: numbers are digits, empty where there is none, times milliseconds since 1970 (UTC); docs/pricing.md has the rules.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from voice.calls.models import Cdr
from voice.calls.stored import Stored
from voice.rating.decks import Deck, Direction
from voice.rating.loading import LoadedDeck
from voice.rating.pricing import Outcome, answered_seconds, charge_micros

CALLED = "called"
# Enough of a number to see where it leads, too little to see whom it reaches.
FIRST_DIGITS, LAST_DIGITS = 5, 3
# What prices the calls of somebody who has no deck: inside and emergency are free, all else lacks a rate.
NO_DECK = Deck("EUR", ())


class Talk(NamedTuple):
    """One customer's side of a call; `counts` is false for the second end of a call inside one customer."""

    id: str
    tenant: int
    msp: int
    side: str
    direction: str
    caller: str
    called: str
    invited: int
    answered: int | None
    ended: int | None
    ingress: int | None
    egress: int | None
    counts: bool


class Priced(NamedTuple):
    """What a deck makes of a talk, as it is stored; `deck` and `rate` are ids."""

    outcome: Outcome
    micros: int
    currency: str
    seconds: int
    billed: int
    destination: str
    prefix: str
    deck: int | None
    rate: int | None


def talks_of_record(stored: Stored) -> Iterator[Talk]:
    """Yield the talk of each customer that a node's record is about."""
    record = stored.record
    for side, key, tenant, msp, peer in stored.sides:
        yield Talk(
            key, tenant, msp, side, record["direction"], digits(record["caller_sent"] or record["caller"]),
            digits(record["called"]), record["invited"], record["answered"],
            None if record["end_unknown"] else record["ended"], trunk_of(record["ingress"]),
            trunk_of(record["egress"]), side != CALLED or tenant != peer,
        )  # fmt: skip


def talk_of_cdr(cdr: Cdr) -> Talk:
    """Return the talk of a stored record."""
    return Talk(
        str(cdr.id), cdr.tenant_id, cdr.msp_id, cdr.side, cdr.direction, digits(cdr.caller_sent or cdr.caller),
        digits(cdr.called), milliseconds(cdr.invited), milliseconds(cdr.answered),
        None if cdr.end_unknown else milliseconds(cdr.ended), trunk_of(cdr.ingress), trunk_of(cdr.egress),
        cdr.side != CALLED or cdr.tenant_id != cdr.peer_id,
    )  # fmt: skip


def sold(talk: Talk, loaded: LoadedDeck | None) -> Priced:
    """Return what a talk costs its customer; whoever is called from inside pays nothing."""
    if talk.side == CALLED:
        outcome = Outcome.UNANSWERED if talk.answered is None else Outcome.FREE
        return Priced(outcome, 0, loaded.deck.currency if loaded else "", seconds_of(talk), 0, "", "", None, None)
    return _priced(talk, talk.direction, loaded)


def bought(talk: Talk, direction: str, loaded: LoadedDeck | None) -> Priced:
    """Return what a talk costs over a trunk: `direction` is out for the trunk it left by, in for the one it came by."""
    emergency = talk.direction == Direction.EMERGENCY
    return _priced(talk, Direction.EMERGENCY.value if emergency else direction, loaded)


def unrated(talk: Talk) -> Priced:
    """Return what is stored of a talk that could not be priced at all."""
    outcome = answered_seconds(talk.answered, talk.ended)[1]
    if outcome is Outcome.RATED:
        outcome = Outcome.UNRATED
    return Priced(outcome, 0, "", seconds_of(talk), 0, "", first_digits(talk.called), None, None)


def trunks_of(talk: Talk) -> Iterator[tuple[int, str]]:
    """Yield the trunks that a talk cost something on, each with its direction there."""
    if talk.answered is not None and talk.side != CALLED:
        if talk.ingress is not None:
            yield talk.ingress, Direction.IN.value
        if talk.egress is not None and talk.egress != talk.ingress:
            yield talk.egress, Direction.OUT.value


def seconds_of(talk: Talk) -> int:
    """Return how long it was, rounded up to a second."""
    return answered_seconds(talk.answered, talk.ended)[0]


def first_digits(called: str) -> str:
    """Return how a number begins, without the last digits."""
    return called[: min(FIRST_DIGITS, max(0, len(called) - LAST_DIGITS))]


def digits(e164: str) -> str:
    """Return a number without its plus; what has none is no number of the world and matches no prefix."""
    return e164[1:] if e164[:1] == "+" else ""


def trunk_of(gateway: str) -> int | None:
    """Return the id of a trunk by the name that nodes give it, None for Microsoft and for calls that stay inside."""
    return int(gateway[1:]) if gateway[:1] == "g" and gateway[1:].isdecimal() and len(gateway) < 19 else None


def milliseconds(moment: Any) -> Any:
    """Return a moment in milliseconds, as nodes count them."""
    return None if moment is None else round(moment.timestamp() * 1000)


def _priced(talk: Talk, direction: str, loaded: LoadedDeck | None) -> Priced:
    deck, currency, pk = (loaded.deck, loaded.deck.currency, loaded.id) if loaded else (NO_DECK, "", None)
    called, caller, answered = talk.called, talk.caller, talk.answered
    if answered is None:
        # Nothing is sold, but attempts are counted where they wanted to go.
        found = None if direction in deck.free else deck.find(direction, called, caller, talk.invited)
        destination = found.destination if found else ""
        return Priced(Outcome.UNANSWERED, 0, currency, 0, 0, destination, "", pk, None)
    outcome, micros, billed, rate = charge_micros(deck, direction, called, caller, answered, talk.ended)
    seconds = seconds_of(talk)
    if rate is None:
        missing = "" if outcome is Outcome.FREE else first_digits(called)
        return Priced(outcome, micros, currency, seconds, billed, "", missing, pk, None)
    return Priced(outcome, micros, currency, seconds, billed, rate.destination, rate.prefix, pk, rate.id)
