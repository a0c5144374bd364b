"""How values read: money, durations, moments and numbers, the same on pages, in exports and in mails."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import phonenumbers
from babel.core import UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

MICROS = 1_000_000
MINUTE, HOUR, DAY = 60, 3600, 86400


def money(micros: int | None, currency: str) -> str:
    """Return an amount in millionths of the currency as people write it, with more places where a rate needs them."""
    if micros is None:
        return "–"
    amount = Decimal(micros) / MICROS
    locale = translation.to_locale(translation.get_language() or "en")
    try:
        text: str = format_currency(amount, currency, locale=locale, decimal_quantization=micros % 10_000 == 0)
    except UnknownLocaleError:
        text = f"{amount:,.2f} {currency}"
    return text


def total(micros: int | None, currency: str) -> str:
    """Return a sum as people pay it, to the currency's smallest coin; what is less than half a coin stays exact."""
    if micros is None:
        return "–"
    coin = MICROS // 10 ** get_currency_precision(currency)
    rounded = (2 * abs(micros) + coin) // (2 * coin) * coin
    return money((rounded if micros > 0 else -rounded) if rounded else micros, currency)


def person(email: str) -> str:
    """Return who did something: a person by address, one of our own machines as such."""
    return _("The system") if email.startswith("system:") else email


def percent(share: float | None) -> str:
    """Return a share of one as people read it."""
    return "–" if share is None else f"{share * 100:.0f} %"


def duration(value: timedelta | float | int | None) -> str:
    """Return a length of time in its two largest units, such as 3 min 12 s."""
    if value is None:
        return "–"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if 0 < seconds < 1:
        return _("%(n)d ms") % {"n": round(seconds * 1000)}
    whole = round(seconds)
    if whole < MINUTE:
        return _("%(n)d s") % {"n": whole}
    if whole < HOUR:
        return _("%(m)d min %(s)d s") % {"m": whole // MINUTE, "s": whole % MINUTE}
    if whole < DAY:
        return _("%(h)d h %(m)d min") % {"h": whole // HOUR, "m": whole % HOUR // MINUTE}
    return _("%(d)d d %(h)d h") % {"d": whole // DAY, "h": whole % DAY // HOUR}


def minutes(seconds: float) -> str:
    """Return a length of time in minutes, as plans count it: 1,500 or 12.5."""
    return f"{seconds / MINUTE:,.1f}".removesuffix(".0")


# Stands where the last digits of a number are hidden.
CUT = "***"


def phone(e164: str | None) -> str:
    """Return a number in the international format; what is no number stays as it is."""
    return _phone(e164) if e164 else "–"


# Depends on nothing but the number, and the same pages are looked at again and again.
@lru_cache(maxsize=16_384)
def _phone(e164: str) -> str:
    if e164.endswith(CUT):
        # Written as the whole number would be, so that it looks the same in a list.
        letters = list(_phone(e164[: -len(CUT)] + "0" * len(CUT)))
        digits = [place for place, letter in enumerate(letters) if letter.isdigit()]
        for place, star in zip(digits[-len(CUT) :], CUT, strict=True):
            letters[place] = star
        return "".join(letters)
    try:
        number = phonenumbers.parse(e164 if e164.startswith("+") else f"+{e164}")
    except phonenumbers.NumberParseException:
        return e164
    if not phonenumbers.is_possible_number(number):
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def moment(value: datetime | int | None) -> datetime | None:
    """Return a point in time, given as a datetime or in milliseconds, in the reader's zone."""
    if value is None or value == "":
        return None
    if isinstance(value, int):
        value = datetime.fromtimestamp(value / 1000, UTC)
    return timezone.localtime(value)


def short_moment(value: datetime) -> str:
    """Return the time of day for today, the day as well for other days, the year for other years."""
    today = timezone.localdate()
    if value.date() == today:
        return date_format(value, "H:i:s")
    return date_format(value, "j M, H:i" if value.year == today.year else "j M Y, H:i")


def full_moment(value: datetime) -> str:
    """Return the moment in full with its zone, for tooltips and exports."""
    return f"{date_format(value, 'D j M Y, H:i:s')} {value.tzname()} (UTC{value:%z})"


def ago(value: datetime) -> str:
    """Return how long ago the moment was, in its largest unit."""
    if timezone.now() - value < timedelta(minutes=1):
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(value, depth=1)}


def day_edge(text: str, *, end: bool) -> datetime | None:
    """Return the start of the day written as 2026-11-20 in the reader's zone, or of the day after it.

    None where it is no day, or the last one that there is, which nothing comes after.
    """
    try:
        day = datetime.strptime(text, "%Y-%m-%d")
        return timezone.make_aware(day + timedelta(days=1) if end else day)
    except (ValueError, OverflowError):
        return None
