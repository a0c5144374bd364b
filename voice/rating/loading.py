"""Decks from the database as pure ones, held by the process until a deck's row_version moves on.

Works in every context that may read decks: as ingest all of them, as an MSP its own, as a customer those that it pays
by. What a process holds is looked up by a row that the context has just let it see, so that nothing is handed to
somebody who may not read it.
"""

import json
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from voice.rating.band_codec import read_band_prices, read_bands
from voice.rating.decks import FOREVER, Deck, Rate

# A rate takes about 300 bytes: this many rates of all decks together stay in a process, the latest used.
MOST_RATES = 2_000_000
_DECKS = "SELECT id, row_version, currency, zone, free, bands::text FROM public.rating_ratedeck WHERE id = ANY (%s)"
# What was replaced before it held ends as it begins, and prices nothing.
_RATES = """ -- in the order of Rate's fields
    SELECT id, prefix, destination, per_minute, fee, minimum, increment, grace, callers, direction,
           (extract(epoch FROM begins) * 1000)::bigint, (extract(epoch FROM ends) * 1000)::bigint,
           nullif(band_prices::text, '{}'), minimum_charge, maximum_charge, blocked
      FROM public.rating_deckrate WHERE deck_id = %s AND (ends IS NULL OR ends > begins)
"""
_ASSIGNED = """
    SELECT {what}, deck_id, (extract(epoch FROM begins) * 1000)::bigint, (extract(epoch FROM ends) * 1000)::bigint
      FROM public.{table} WHERE {what} = ANY (%s) AND (ends IS NULL OR ends > begins) ORDER BY {what}, begins
"""


@dataclass(frozen=True, slots=True)
class LoadedDeck:
    """A deck with its id in the database; the ids of its rates are those of `DeckRate`."""

    id: int
    deck: Deck


@dataclass(slots=True)
class Spans:
    """By which deck somebody was priced when, in the order of time; milliseconds since 1970."""

    begins: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    decks: list[int] = field(default_factory=list)

    def listed(self) -> list[tuple[int, int, int]]:
        """Return from and until of each, half-open, with its deck."""
        return list(zip(self.begins, self.ends, self.decks, strict=True))

    def at(self, moment: int) -> int | None:
        """Return the deck that priced at a moment, None for none."""
        index = bisect_right(self.begins, moment) - 1
        return self.decks[index] if index >= 0 and moment < self.ends[index] else None


class Tariffs:
    """By which deck customers and trunks were priced at any moment (milliseconds since 1970)."""

    __slots__ = ("_customers", "_decks", "_trunks")

    def __init__(
        self, customers: Mapping[int, Spans], trunks: Mapping[int, Spans], decks: Mapping[int, LoadedDeck]
    ) -> None:
        self._customers, self._trunks, self._decks = customers, trunks, decks

    def sell(self, tenant: int, at: int) -> LoadedDeck | None:
        """Return the deck by which a customer pays for a call answered then, None where it has none."""
        return self._of(self._customers.get(tenant), at)

    def buy(self, trunk: int, at: int) -> LoadedDeck | None:
        """Return the deck by which a trunk costs, None where it has none."""
        return self._of(self._trunks.get(trunk), at)

    def agrees(self, other: "Tariffs") -> bool:
        """Tell whether both were made of the same spans and of the same reading of each deck."""
        if (self._customers, self._trunks) != (other._customers, other._trunks):
            return False
        # A deck that was read again is another: nobody compares a hundred thousand rates.
        mine, theirs = self._decks, other._decks
        return mine.keys() == theirs.keys() and all(mine[pk] is deck for pk, deck in theirs.items())

    def _of(self, spans: Spans | None, at: int) -> LoadedDeck | None:
        deck = spans.at(at) if spans is not None else None
        return self._decks.get(deck) if deck is not None else None


class _Cache:
    """Decks by id, each with the row_version that it was read at; safe between threads."""

    def __init__(self) -> None:
        self._held: OrderedDict[int, tuple[int, LoadedDeck]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, deck: int, version: int) -> LoadedDeck | None:
        with self._lock:
            held = self._held.get(deck)
            if held is None or held[0] != version:
                return None
            self._held.move_to_end(deck)
            return held[1]

    def put(self, version: int, loaded: LoadedDeck) -> None:
        with self._lock:
            self._held[loaded.id] = (version, loaded)
            self._held.move_to_end(loaded.id)
            while len(self._held) > 1 and sum(each.deck.size for _, each in self._held.values()) > MOST_RATES:
                self._held.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._held.clear()


_cache = _Cache()
forget_decks = _cache.clear


def tariffs_for(tenants: Iterable[int] = (), trunks: Iterable[int] = ()) -> Tariffs:
    """Return the decks of these customers and trunks, of all times, ready to price their calls.

    One question for the customers, one for the trunks, one for the decks, and one for each deck that changed.
    """
    by_customer, by_trunk = spans_of_customers(tenants), spans_of_trunks(trunks)
    wanted = {deck for spans in (*by_customer.values(), *by_trunk.values()) for deck in spans.decks}
    return Tariffs(by_customer, by_trunk, decks_for(wanted))


def spans_of_customers(tenants: Iterable[int]) -> dict[int, Spans]:
    """Return by which decks customers paid when."""
    return _assigned("rating_customerdeck", "tenant_id", tenants)


def spans_of_trunks(trunks: Iterable[int]) -> dict[int, Spans]:
    """Return by which decks trunks cost when."""
    return _assigned("rating_trunkdeck", "trunk", trunks)


def decks_for(ids: Iterable[int]) -> dict[int, LoadedDeck]:
    """Return the decks with these ids; one that the context may not see is not there."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_DECKS, [wanted])
        rows = cursor.fetchall()
    found: dict[int, LoadedDeck] = {}
    for pk, version, currency, zone, free, bands in rows:
        loaded = _cache.get(pk, version)
        if loaded is None:
            # Rates newer than `version` do no harm: the next question sees the new row_version and reads again.
            loaded = LoadedDeck(pk, _read(pk, currency, zone, free, bands))
            _cache.put(version, loaded)
        found[pk] = loaded
    return found


def deck_around(deck: int, called: str) -> Deck | None:
    """Return a deck with only the rates that begin a called number: what a page needs to explain one call."""
    with connection.cursor() as cursor:
        cursor.execute(_DECKS, [[deck]])
        row = cursor.fetchone()
    prefixes = [called[:length] for length in range(16)]
    return _read(row[0], row[2], row[3], row[4], row[5], prefixes) if row else None


def _read(
    pk: int, currency: str, zone: str, free: list[str], bands: str | None, prefixes: list[str] | None = None
) -> Deck:
    with connection.cursor() as cursor:
        if prefixes is None:
            cursor.execute(_RATES, [pk])
        else:
            cursor.execute(f"{_RATES} AND prefix = ANY (%s)", [pk, prefixes])
        rates = [_rate(row) for row in cursor.fetchall()]
    return Deck(currency, rates, bands=read_bands(json.loads(bands) if bands else None, zone), free=free)


def _rate(row: tuple[Any, ...]) -> Rate:
    bands = read_band_prices(json.loads(row[12])) if row[12] else ()
    return Rate(
        row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9], row[10],
        FOREVER if row[11] is None else row[11], bands, row[13], row[14], row[15],
    )  # fmt: skip


def _assigned(table: str, what: str, ids: Iterable[int]) -> dict[int, Spans]:
    wanted = sorted(set(ids))
    found: dict[int, Spans] = {}
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute(_ASSIGNED.format(table=table, what=what), [wanted])
            for owner, deck, begins, ends in cursor.fetchall():
                spans = found.setdefault(owner, Spans())
                spans.begins.append(begins)
                spans.ends.append(FOREVER if ends is None else ends)
                spans.decks.append(deck)
    return found
