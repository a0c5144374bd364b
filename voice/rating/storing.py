"""Rates between the database and memory, a hundred thousand at a time."""

import json
from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from voice.rating.comparing import Change, ChangeKind, Held
from voice.rating.files.lines import Fault, Key, Terms
from voice.rating.models import DeckImport, DeckVersion, RateDeck

_RUNNING = """
    SELECT id, direction, prefix, callers, destination, per_minute, fee, minimum, increment, grace, minimum_charge,
           maximum_charge, blocked, nullif(band_prices::text, '{}'), begins, ends
      FROM public.rating_deckrate
     WHERE deck_id = %s AND (ends IS NULL OR (ends > begins AND ends > %s)) ORDER BY begins, id
"""
_ASKED = """
    SELECT prefix, destination, per_minute, fee, minimum, increment, grace, minimum_charge, maximum_charge
      FROM public.rating_deckrate
     WHERE deck_id = %s AND direction = 'out' AND callers = '' AND NOT blocked
       AND begins <= %s AND (ends IS NULL OR ends > %s)
"""
_TERMS = "destination, per_minute, fee, minimum, increment, grace, minimum_charge, maximum_charge, blocked, band_prices"
_LINE = (
    'msp_id, version_id, "row", change, rise, alarm, replaces, before, falls_to, direction, prefix, callers,'
    f" {_TERMS}, begins, ends"
)
_END = """
    UPDATE public.rating_deckrate AS rate SET ends = line.begins, ended_by_id = line.version_id
      FROM public.rating_deckline AS line
     WHERE line.version_id = %s AND line.replaces = rate.id AND rate.deck_id = %s
"""
_ADD = f"""
    INSERT INTO public.rating_deckrate (msp_id, deck_id, version_id, direction, prefix, callers, {_TERMS}, begins, ends)
    SELECT msp_id, %s, version_id, direction, prefix, callers, {_TERMS}, begins, ends
      FROM public.rating_deckline WHERE version_id = %s AND change <> 'gone' ORDER BY prefix
"""  # noqa: S608 constants


def running(deck: RateDeck, at: datetime) -> dict[Key, list[Held]]:
    """Return the deck's rates that hold at a moment or later, the oldest of each code first."""
    found: dict[Key, list[Held]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, [deck.pk, at])
        for row in cursor.fetchall():
            terms = Terms._make((*row[4:13], _bands(row[13]) if row[13] else ()))
            found.setdefault((row[1], row[2], row[3]), []).append(Held(row[0], terms, row[14], row[15]))
    return found


def asked(deck: RateDeck, at: datetime) -> dict[str, Terms]:
    """Return what a deck asks for ordinary calls at a moment, by called code."""
    with connection.cursor() as cursor:
        cursor.execute(_ASKED, [deck.pk, at, at])
        return {row[0]: Terms._make((*row[1:], False, ())) for row in cursor.fetchall()}


def write_changes(version: DeckVersion, changes: Iterable[Change]) -> None:
    """Store what a draft would change, in place of what it had; in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM public.rating_deckline WHERE version_id = %s", [version.pk])
        # COPY into a table under row-level security is refused; into a temporary one it is not.
        cursor.execute("CREATE TEMP TABLE rating_lines_in (LIKE public.rating_deckline) ON COMMIT DROP")
        cursor.execute("ALTER TABLE rating_lines_in DROP COLUMN id")
        with cursor.copy(f"COPY rating_lines_in ({_LINE}) FROM STDIN") as copy:
            for each in changes:
                terms = each.terms
                gone = each.kind is ChangeKind.GONE
                copy.write_row((
                    version.msp_id, version.pk, each.row, each.kind.value, each.rise, each.alarm, each.replaces,
                    each.before, each.falls_to, *each.key, terms.destination, None if gone else terms.per_minute,
                    terms.fee, terms.minimum, terms.increment, terms.grace, terms.minimum_charge, terms.maximum_charge,
                    terms.blocked, _written(terms), each.begins, each.ends,
                ))  # fmt: skip
        cursor.execute(
            f"INSERT INTO public.rating_deckline ({_LINE}) SELECT {_LINE} FROM rating_lines_in"  # noqa: S608
        )
        cursor.execute("DROP TABLE rating_lines_in")


def write_faults(file: DeckImport, faults: Iterable[Fault]) -> None:
    """Store what is wrong with the rows of a file, in place of what was; in a transaction."""
    names = 'msp_id, batch_id, "row", "column", value, words'
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM public.rating_deckimporterror WHERE batch_id = %s", [file.pk])
        cursor.execute("CREATE TEMP TABLE rating_faults_in (LIKE public.rating_deckimporterror) ON COMMIT DROP")
        cursor.execute("ALTER TABLE rating_faults_in DROP COLUMN id")
        with cursor.copy(f"COPY rating_faults_in ({names}) FROM STDIN") as copy:
            for each in faults:
                copy.write_row((file.msp_id, file.pk, each.row, each.column, each.value, each.words))
        cursor.execute(
            f"INSERT INTO public.rating_deckimporterror ({names}) SELECT {names} FROM rating_faults_in"  # noqa: S608
        )
        cursor.execute("DROP TABLE rating_faults_in")


def apply_lines(version: DeckVersion) -> None:
    """End the rates that the draft's lines replace, and add those that come; in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_END, [version.pk, version.deck_id])
        cursor.execute(_ADD, [version.deck_id, version.pk])


def _bands(stored: str) -> tuple[tuple[str, int, int], ...]:
    return tuple((band, per_minute, fee) for band, (per_minute, fee) in sorted(json.loads(stored).items()))


def _written(terms: Terms) -> str:
    return json.dumps({band: [per_minute, fee] for band, per_minute, fee in terms.bands}) if terms.bands else "{}"
