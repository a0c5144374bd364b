"""What a bill's lines are called, in the language of the customer's documents. Names of plans are the MSP's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date

from babel.dates import format_date
from babel.numbers import format_decimal

from voice.languages import DEFAULT, Table, phrase

PHRASES: Table = {
    "internal": {"en": "Internal calls", "de": "Interne Gespräche", "fr": "Appels internes"},
    "emergency": {"en": "Emergency calls", "de": "Notrufe", "fr": "Appels d'urgence"},
    "incoming": {"en": "Incoming calls", "de": "Eingehende Gespräche", "fr": "Appels entrants"},
    "incoming_from": {
        "en": "Incoming calls: %(destination)s",
        "de": "Eingehende Gespräche: %(destination)s",
        "fr": "Appels entrants : %(destination)s",
    },
    # A colon, because what follows is as the MSP's deck writes it, and no language bends it.
    "outgoing": {
        "en": "Calls to %(destination)s",
        "de": "Gespräche: %(destination)s",
        "fr": "Appels : %(destination)s",
    },
    "elsewhere": {"en": "other destinations", "de": "übrige Ziele", "fr": "autres destinations"},
    "used": {
        "en": "%(name)s: %(used)s minutes used",
        "de": "%(name)s: %(used)s Minuten verbraucht",
        "fr": "%(name)s : %(used)s minutes utilisées",
    },
    "used_of": {
        "en": "%(name)s: %(used)s of %(given)s minutes used",
        "de": "%(name)s: %(used)s von %(given)s Minuten verbraucht",
        "fr": "%(name)s : %(used)s minutes utilisées sur %(given)s",
    },
    "tier": {
        "en": "%(name)s, %(month)s, minutes %(first)s to %(last)s",
        "de": "%(name)s, %(month)s, Minute %(first)s bis %(last)s",
        "fr": "%(name)s, %(month)s, minutes %(first)s à %(last)s",
    },
    "tier_open": {
        "en": "%(name)s, %(month)s, from minute %(first)s on",
        "de": "%(name)s, %(month)s, ab Minute %(first)s",
        "fr": "%(name)s, %(month)s, à partir de la minute %(first)s",
    },
    "per_call": {
        "en": "%(name)s, %(count)s calls",
        "de": "%(name)s, %(count)s Gespräche",
        "fr": "%(name)s, %(count)s appels",
    },
    "per_call_one": {"en": "%(name)s, 1 call", "de": "%(name)s, 1 Gespräch", "fr": "%(name)s, 1 appel"},
    "missing": {
        "en": "%(name)s: what is missing to it",
        "de": "%(name)s: was daran fehlt",
        "fr": "%(name)s : ce qui manque",
    },
    "days": {
        "en": "%(name)s, %(first)s to %(last)s",
        "de": "%(name)s, %(first)s bis %(last)s",
        "fr": "%(name)s, du %(first)s au %(last)s",
    },
    "day": {"en": "%(name)s, %(first)s", "de": "%(name)s, %(first)s", "fr": "%(name)s, %(first)s"},
    "again": {
        "en": "Priced again: %(what)s",
        "de": "Neu berechnet: %(what)s",
        "fr": "Recalculé : %(what)s",
    },
}
_DAYS = {"de": "d.M.y"}
_language: ContextVar[str] = ContextVar("language_of_lines", default=DEFAULT)


@contextmanager
def in_language(language: str) -> Iterator[None]:
    """Word the lines that are made in this block in a language; in English where it is none of ours."""
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


def say(key: str, **facts: object) -> str:
    """Return a phrase in the language of the block."""
    return phrase(PHRASES, _language.get(), key, **facts)


def day(on: date) -> str:
    """Return a day as the language writes it."""
    return str(format_date(on, _DAYS.get(_language.get(), "d MMM y"), locale=_language.get()))


def month(on: date) -> str:
    """Return a month with its year."""
    return str(format_date(on, "MMMM y", locale=_language.get()))


def number(value: float) -> str:
    """Return a number with at most one place after its mark."""
    return str(format_decimal(value, "#,##0.#", locale=_language.get()))
