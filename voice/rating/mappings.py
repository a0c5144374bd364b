"""How files of price lists were read before: those of the deck itself, those of its carrier, those that look alike."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, QuerySet

from voice.carriers.models import Trunk
from voice.rating.files.columns import NEEDED, UNPRICED, guess, remembered
from voice.rating.files.tables import Row
from voice.rating.models import DeckVersion, RateDeck, TrunkDeck

REMEMBERED = ("headings", "unused", "increments", "direction", "sheet")
Way = dict[str, Any]


@dataclass(frozen=True)
class Before:
    """How an earlier file was read, and what that says of this one."""

    header: int
    columns: dict[str, int]
    way: Way
    # Headings of columns that calls are priced by, which the earlier file had and this one has not.
    lacking: list[str]


def ways_of(deck: RateDeck) -> Iterator[Way]:
    """Yield how files of the deck, and of others of its carrier, were read: its own first, then the last used one."""
    yield deck.mapping
    trunks = TrunkDeck.objects.filter(deck=deck).values("trunk")
    carriers = Trunk.objects.filter(pk__in=trunks, carrier__isnull=False).values("carrier")
    theirs = Trunk.objects.filter(carrier__in=carriers).values("pk")
    yield from _last_used(_others(deck).filter(pk__in=TrunkDeck.objects.filter(trunk__in=theirs).values("deck")))


def ways_alike(deck: RateDeck) -> Iterator[Way]:
    """Yield the columns of other decks of its kind: a deck whose first file comes in is often on no trunk yet.

    Only the columns: on what terms an unknown carrier sells is another matter.
    """
    for mapping in _last_used(_others(deck)):
        yield {name: mapping.get(name) for name in ("headings", "unused")}


def read_before(rows: Sequence[Row], ways: Iterable[Way], bands: Sequence[str]) -> Before | None:
    """Return how the first earlier file was read whose columns are all here, else one that had codes and prices alike.

    Columns that it had not are taken by their headings.
    """
    best: Before | None = None
    for way in ways:
        known = {name: heading for name, heading in (way.get("headings") or {}).items() if _is_asked(name, bands)}
        for place, (_number, cells) in enumerate(rows if known else ()):
            headings = cells or []
            same = remembered(headings, known)
            if not all(name in same for name in NEEDED):
                continue
            # What somebody left out when the earlier file was read stays out.
            left = ["" if heading in (way.get("unused") or ()) else heading for heading in headings]
            columns = guess(left, bands, known=same)
            lacking = [known[name] for name in known if name not in columns and name not in UNPRICED]
            if len(same) == len(known):
                return Before(place, columns, way, lacking)
            best = best or Before(place, columns, way, lacking)
    return best


def unused(headings: Sequence[str], columns: Mapping[str, int], bands: Sequence[str]) -> list[str]:
    """Return the headings whose meaning is known and that are nevertheless not read."""
    taken = columns.values()
    return [heading for place, heading in enumerate(headings) if place not in taken and guess([heading], bands)]


def _is_asked(name: str, bands: Sequence[str]) -> bool:
    """Tell whether the deck has such a column: prices of times of day are of the deck's own times."""
    _kind, colon, band = name.partition(":")
    return not colon or band in bands


def _others(deck: RateDeck) -> QuerySet[RateDeck]:
    return RateDeck.objects.filter(msp_id=deck.msp_id, kind=deck.kind).exclude(pk=deck.pk).exclude(mapping={})


def _last_used(decks: QuerySet[RateDeck]) -> Iterator[Way]:
    active = DeckVersion.State.ACTIVE
    used = decks.filter(versions__state=active).annotate(used=Max("versions__activated_at"))
    yield from used.order_by("-used", "-pk").values_list("mapping", flat=True)
