"""Reads of decks for pages: who is priced by them, and which rate takes a number."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from voice.carriers.models import Trunk
from voice.rating.decks import Direction, Miss, Rate
from voice.rating.loading import deck_around
from voice.rating.models import CustomerDeck, DeckVersion, RateDeck, TrunkDeck


@dataclass(frozen=True)
class Tried:
    """A rate whose code begins the number, and what is against it; None for the one that takes the call."""

    rate: Rate
    miss: Miss | None


def decks_seen_by(msp: Any, can: Callable[[str], bool]) -> QuerySet[RateDeck]:
    """Return the MSP's decks that somebody with these capabilities may see; a buying one may not be there for them."""
    found = RateDeck.objects.filter(msp=msp)
    # What carriers ask is what calls will cost, so it is for those who may see what calls have cost.
    return found if can("costs.view") else found.filter(kind=RateDeck.Kind.SELL)


def buying_currency(msp: Any) -> str:
    """Return the currency of the decks by which most of an MSP's trunks cost, or nothing."""
    decks = TrunkDeck.objects.filter(msp=msp, ends=None).values_list("deck__currency").annotate(trunks=Count("pk"))
    found = decks.order_by("-trunks", "deck__currency").first()
    return found[0] if found else ""


def summary_seen_by(version: DeckVersion, can: Callable[[str], bool]) -> dict[str, Any]:
    """Return what a version comes to, for somebody with these capabilities: what is sold below cost tells the cost."""
    hidden = set() if can("costs.view") else {"losses", "not_compared"}
    return {name: said for name, said in version.summary.items() if name not in hidden}


def with_users(decks: QuerySet[RateDeck]) -> QuerySet[RateDeck]:
    """Return decks with `customers` and `trunks` that they price now, and the version that holds: `newest`, `since`."""
    now = timezone.now()
    holds = Q(begins__lte=now) & (Q(ends=None) | Q(ends__gt=now))
    customers = CustomerDeck.objects.filter(holds, deck=OuterRef("pk")).order_by("tenant__name").values("tenant__name")
    priced = TrunkDeck.objects.filter(holds, deck=OuterRef(OuterRef("pk"))).values("trunk")
    trunks = Trunk.objects.filter(pk__in=priced).order_by("name").values("name")
    version = DeckVersion.objects.filter(
        deck=OuterRef("pk"), state=DeckVersion.State.ACTIVE, effective_from__lte=now
    ).order_by("-effective_from", "-number")
    return decks.annotate(
        customers=ArraySubquery(customers),
        trunks=ArraySubquery(trunks),
        newest=Subquery(version.values("number")[:1]),
        since=Subquery(version.values("effective_from")[:1]),
    )


def assignments(deck: RateDeck) -> list[dict[str, Any]]:
    """Return who is or will be priced by the deck: key, name, from, until."""
    now = timezone.now()
    coming = Q(ends=None) | Q(ends__gt=now)
    if deck.kind == RateDeck.Kind.SELL:
        rows = CustomerDeck.objects.filter(coming, deck=deck).exclude(ends=F("begins")).select_related("tenant")
        found = [(row, row.tenant_id, row.tenant.name) for row in rows]
    else:
        spans = list(TrunkDeck.objects.filter(coming, deck=deck).exclude(ends=F("begins")))
        names = dict(Trunk.objects.filter(pk__in=[row.trunk for row in spans]).values_list("pk", "name"))
        found = [(row, row.trunk, names.get(row.trunk, f"g{row.trunk}")) for row in spans]  # type: ignore[misc]
    ordered = sorted(found, key=lambda each: (each[2], each[0].begins))
    return [{"key": key, "name": name, "begins": row.begins, "ends": row.ends} for row, key, name in ordered]


def tried(deck: RateDeck, called: str, caller: str, at: datetime) -> list[Tried]:
    """Return every rate whose code begins the number, the longest first, with what is against it."""
    around = deck_around(deck.pk, called)
    if around is None:
        return []
    moment = round(at.timestamp() * 1000)
    return [Tried(rate, miss) for rate, miss in around.trace(Direction.OUT, called, caller, moment)]
