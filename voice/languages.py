"""The languages that customers' documents are printed in, and how each writes what it says. Pure."""

from collections.abc import Mapping

# A phrase in each language, by its name; a test finds every gap of every table.
Table = Mapping[str, Mapping[str, str]]
DEFAULT = "en"
LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français"}
# The language of a document where nobody chose one.
BY_COUNTRY = {
    "DE": "de", "AT": "de", "CH": "de", "LI": "de", "LU": "fr", "FR": "fr", "BE": "fr", "MC": "fr",
}  # fmt: skip
# How a country writes days and amounts, where it differs from the language's first country.
LOCALES = {"en": "en_GB", "de": "de_DE", "fr": "fr_FR"}


def phrase(table: Table, language: str, key: str, **values: object) -> str:
    """Return a phrase of a table in a language, in English where the language is none of ours."""
    words = table[key]
    return words.get(language, words[DEFAULT]) % values


def language_of(chosen: str, country: str) -> str:
    """Return the language of a customer's documents: the one chosen, else the country's."""
    return chosen if chosen in LANGUAGES else BY_COUNTRY.get(country, DEFAULT)


def locale_of(language: str, country: str) -> str:
    """Return how days and amounts are written: by the language, in the manner of the customer's country."""
    return f"{language}_{country}" if f"{language}_{country}" in _KNOWN else LOCALES.get(language, LOCALES[DEFAULT])


_KNOWN = frozenset({
    "en_GB", "en_US", "en_IE", "en_AU", "en_CA", "en_NZ", "de_DE", "de_AT", "de_CH", "de_LI", "de_LU", "fr_FR", "fr_BE",
    "fr_CH", "fr_LU", "fr_CA",
})  # fmt: skip
