"""A deck's rates as columns straight from the database: a hundred thousand of them without an object each."""

from collections.abc import Callable

from django.db import connection

from voice.rating.decks import FOREVER, Deck
from voice.rating.loading import decks_for
from voice.rerating import copying
from voice.rerating.flat import COLUMNS, DIRECTIONS, WIDTH, FlatDeck, Rates

_CASES = " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(DIRECTIONS))
_HELD = """
    FROM rating_deckrate WHERE deck_id = %(deck)s AND (ends IS NULL OR ends > begins)
     AND (extract(epoch FROM begins) * 1000)::bigint < %(ends)s
     AND (ends IS NULL OR (extract(epoch FROM ends) * 1000)::bigint > %(begins)s) ORDER BY id
"""
_RATES = f"""
SELECT id, (CASE direction {_CASES} END)::bigint AS direction, rpad(prefix, {WIDTH}, '0')::bigint AS start,
       length(prefix)::bigint AS length, (extract(epoch FROM begins) * 1000)::bigint AS begins,
       coalesce((extract(epoch FROM ends) * 1000)::bigint, {FOREVER}) AS ends, per_minute, fee,
       minimum::bigint AS minimum, increment::bigint AS increment, grace::bigint AS grace,
       minimum_charge AS at_least, coalesce(maximum_charge, {FOREVER}) AS at_most,
       (callers = '')::int::bigint AS any_caller, blocked::int::bigint AS blocked,
       (band_prices <> '{{}}')::int::bigint AS banded {_HELD}
"""  # noqa: S608 constants
_DESTINATIONS = f"SELECT array_agg(destination) FROM (SELECT destination {_HELD}) held"  # noqa: S608 constants


def flat_deck(deck: int, begins: int, ends: int) -> tuple[FlatDeck, str] | None:
    """Return a deck for calls answered from `begins` up to `ends` (ms) with its currency; None where it is not there.

    Only a deck with prices by the hour is loaded whole at once; of others, if a call has to be asked of it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT currency, free FROM rating_ratedeck WHERE id = %s", [deck])
        found = cursor.fetchone()
        if found is None:
            return None
        params = {"deck": deck, "begins": begins, "ends": max(ends, begins + 1)}
        columns = copying.read(_RATES, params, dict.fromkeys(COLUMNS, "int8"))
        cursor.execute(_DESTINATIONS, params)
        (destinations,) = cursor.fetchone()
    rates = Rates(columns, destinations or [])
    if rates.banded.any():
        return FlatDeck.of(_loader(deck)(), begins, ends), found[0]
    return FlatDeck(rates, found[1], _loader(deck), begins, ends), found[0]


def _loader(deck: int) -> Callable[[], Deck]:
    return lambda: decks_for([deck])[deck].deck
