"""How files of price lists were read before: those of the deck itself, those of its carrier, those that look alike."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Max, QuerySet

from voice.carriers.models import Trunk
from voice.rating.files.columns import remembered
from voice.rating.files.tables import Row
from voice.rating.models import DeckVersion, RateDeck, TrunkDeck

REMEMBERED = ("headings", "increments", "direction", "sheet")
Way = dict[str, Any]


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
        yield {"headings": mapping.get("headings")}


def read_before(rows: Sequence[Row], ways: Iterable[Way]) -> tuple[int, dict[str, int], Way] | None:
    """Return the row of the headings, the columns and the way of the first file that had the very same, or None."""
    for way in ways:
        known = way.get("headings")
        for place, (_number, cells) in enumerate(rows if known else ()):
            same = remembered(cells or [], known or {})
            if same:
                return place, same, way
    return None


def _others(deck: RateDeck) -> QuerySet[RateDeck]:
    return RateDeck.objects.filter(msp_id=deck.msp_id, kind=deck.kind).exclude(pk=deck.pk).exclude(mapping={})


def _last_used(decks: QuerySet[RateDeck]) -> Iterator[Way]:
    active = DeckVersion.State.ACTIVE
    used = decks.filter(versions__state=active).annotate(used=Max("versions__activated_at"))
    yield from used.order_by("-used", "-pk").values_list("mapping", flat=True)
