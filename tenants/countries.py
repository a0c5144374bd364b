"""The countries of the world by their ISO code, named in the reader's language."""

import re

from babel import Locale
from django.utils import translation

# CLDR's groupings and test regions, which are no countries.
_NO_COUNTRY = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
COUNTRIES = frozenset(
    code
    for code in Locale("en").territories
    if re.fullmatch(r"[A-Z]{2}", code) and code not in _NO_COUNTRY  # type: ignore[arg-type]
)

# In a sentence, English puts an article before these.
_WITH_ARTICLE = re.compile(
    r"^(United|Isle)\b|\b(Islands|Republic|Netherlands|Emirates|Philippines|Maldives|Comoros|Bahamas|Gambia|Territor\w+)$"
)


def country_name(code: str) -> str:
    """Return a country's name in the language of the page."""
    language = (translation.get_language() or "en").split("-")[0]
    return str(Locale(language).territories.get(code, code))


def country_in_words(code: str) -> str:
    """Return a country's name as it stands within a sentence: calls leave in Germany, but in the United Kingdom."""
    name = country_name(code)
    return f"the {name}" if _WITH_ARTICLE.search(name) else name


def country_choices() -> list[tuple[str, str]]:
    """Return every country, sorted by its name in the language of the page."""
    return sorted(((code, country_name(code)) for code in COUNTRIES), key=lambda choice: choice[1])  # type: ignore[arg-type, misc]
