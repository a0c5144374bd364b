"""Which column of a file is what: recognised by its heading, in the words that carriers use. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from voice.rating.files.tables import Row

HEADER_WITHIN = 40
NEEDED = ("prefix", "per_minute")
# What a file may lack and no call costs another price by it.
UNPRICED = ("destination", "begins", "ends", "currency")


@dataclass(frozen=True)
class Field:
    """Something that a rate has, and the headings under which files have it."""

    name: str
    label: str | Promise
    headings: tuple[str, ...]


FIELDS = (
    Field("prefix", _("Code"), (
        "prefix", "prefixes", "code", "codes", "dial code", "dial codes", "dialcode", "dialled digits", "dialed digits",
        "area code", "area codes", "destination code", "destination codes", "breakout", "breakouts", "vorwahl",
        "vorwahlen", "rufnummernpraefix", "number prefix", "called prefix",
    )),
    Field("country_code", _("Country code, if the code stands after it"), (
        "country code", "countrycode", "cc", "landesvorwahl", "laendervorwahl",
    )),
    Field("destination", _("Destination"), (
        "destination", "destination name", "description", "name", "country", "zone", "ziel", "land", "location",
        "destinations", "area", "route", "beschreibung", "bezeichnung",
    )),
    Field("per_minute", _("Price per minute"), (
        "per minute", "rate", "price", "rate per minute", "price per minute", "rate min", "price min", "tariff",
        "cost", "cost per minute", "new rate", "new price", "preis", "minutenpreis", "preis pro minute", "preis min",
        "tarif", "charge per minute", "peak", "peak rate", "standard rate", "rate 1 min", "n rate", "interval n rate",
    )),
    Field("fee", _("Connection fee"), (
        "fee", "connection fee", "connect fee", "setup fee", "set up fee", "connection charge", "connect charge",
        "call setup", "set up", "setup", "verbindungsgebuehr", "per call",
    )),
    Field("steps", _("Minimum and increment in one, such as 60/1"), (
        "minimum increment", "billing increment", "billing increments", "increments", "intervals", "billing",
        "billing unit", "rounding", "taktung", "takt", "min inc", "charging", "billing interval",
    )),
    Field("minimum", _("Minimum seconds"), (
        "minimum", "minimum duration", "min duration", "minimal time", "initial interval", "first interval",
        "initial increment", "interval 1", "minimum time", "initial period", "first period", "min time",
    )),
    Field("increment", _("Increment in seconds"), (
        "increment", "next interval", "subsequent interval", "interval n", "interval", "subsequent increment",
        "recurring interval", "next increment", "additional increment", "recurring period",
    )),
    Field("grace", _("Free seconds (grace)"), ("grace", "grace period", "grace time", "free seconds")),
    Field("minimum_charge", _("Charge of at least"), ("minimum charge", "min charge", "at least")),
    Field("maximum_charge", _("Charge of at most"), ("maximum charge", "max charge", "at most", "cap")),
    Field("callers", _("Callers"), (
        "callers", "caller", "caller prefix", "origin", "origin code", "origin codes", "origin prefix", "origination",
        "a number", "a number prefix", "orig", "source", "source prefix", "originating code",
    )),
    Field("direction", _("Direction"), ("direction", "richtung")),
    Field("begins", _("In force from"), (
        "effective", "effective date", "effective from", "valid from", "start date", "from", "from date", "begin",
        "begins", "date", "gueltig ab", "ab", "effective start", "start", "activation date", "effective on",
    )),
    Field("ends", _("In force until"), (
        "until", "valid to", "valid until", "end date", "to", "to date", "effective to", "effective until", "expiry",
        "expires", "expiry date", "ends", "gueltig bis", "bis", "effective end", "end", "discontinued",
    )),
    Field("blocked", _("Blocked"), ("blocked", "barred", "gesperrt", "forbidden")),
    Field("currency", _("Currency"), ("currency", "waehrung", "ccy", "cur")),
)  # fmt: skip
NAMES = {heading: field.name for field in FIELDS for heading in field.headings}
# A column of more than one meaning is taken for the first that the file has not got otherwise.
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def plain(heading: str) -> str:
    """Return a heading without what differs from file to file: case, signs, what stands in brackets."""
    text = re.sub(r"\([^)]*\)|\[[^]]*\]", " ", heading.lower().translate(UMLAUTS))
    text = re.sub(r"\b(in|eur|usd|gbp|chf|pln|czk|sek|nok|dkk|huf|euro|euros|sec|secs|seconds|s|ct)\b", " ", text)
    return re.sub(r"[^a-z0-9]+", " ", text).strip()


def find_header(
    rows: Sequence[Row],
    bands: Sequence[str] = (),
    names: Mapping[str, str] = NAMES,
    needed: Sequence[str] = NEEDED,
) -> tuple[int, dict[str, int]]:
    """Return which of the first rows is the heading (its place in `rows`) and what its columns are; -1 for none."""
    best, found = -1, dict[str, int]()
    for place, (_number, cells) in enumerate(rows[:HEADER_WITHIN]):
        columns = guess(cells or [], bands, names)
        if all(name in columns for name in needed) and len(columns) > len(found):
            best, found = place, columns
    return best, found


def guess(
    headings: Sequence[str],
    bands: Sequence[str] = (),
    names: Mapping[str, str] = NAMES,
    known: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Return the columns that headings name: `{field: place}`, bands as `band:evening` and `fee:evening`.

    What is `known` stays as it is, and the others come to it.
    """
    found = dict(known or {})
    taken = set(found.values())
    own = {plain(band): f"band:{band}" for band in bands} | {plain(f"{band} fee"): f"fee:{band}" for band in bands}
    for place, heading in enumerate(headings):
        said = plain(heading)
        name = own.get(said) or names.get(said)
        if name and place not in taken:
            found.setdefault(name, place)
    # "Country code" alone is the code itself.
    if "prefix" not in found and "country_code" in found:
        found["prefix"] = found.pop("country_code")
    return found


def remembered(headings: Sequence[str], known: Mapping[str, str]) -> dict[str, int]:
    """Return where the columns of an earlier file stand in this one: those of them that it has."""
    places = {plain(heading): place for place, heading in reversed(list(enumerate(headings)))}
    return {name: places[plain(heading)] for name, heading in known.items() if plain(heading) in places}
