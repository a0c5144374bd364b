"""The currencies of today by their ISO code, named in the reader's language."""

from datetime import date
from functools import lru_cache

from babel import Locale
from babel.core import get_global
from django.utils import translation

# The euro and those whose rates the European Central Bank publishes, the ones of most invoices first.
USUAL = (
    "EUR", "USD", "GBP", "CHF", "AUD", "BRL", "CAD", "CNY", "CZK", "DKK", "HKD", "HUF", "IDR", "ILS", "INR", "ISK",
    "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RON", "SEK", "SGD", "THB", "TRY", "ZAR",
)  # fmt: skip


@lru_cache(maxsize=1)
def currencies() -> frozenset[str]:
    """Return the code of each currency that is legal tender somewhere."""
    today = date.today()
    spans = (span for territory in get_global("territory_currencies").values() for span in territory)
    return frozenset(code for code, _from, end, is_tender in spans if is_tender and (not end or date(*end) > today))


def currency_name(code: str) -> str:
    """Return a currency's code with its name in the language of the page, such as EUR – Euro."""
    language = (translation.get_language() or "en").split("-")[0]
    return f"{code} – {Locale(language).currencies.get(code, code)}"


def currency_choices() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the currencies whose rates are published each day, and all others by their code."""
    others = sorted(currencies().difference(USUAL))
    return [(code, currency_name(code)) for code in USUAL], [(code, currency_name(code)) for code in others]
