"""Reads of the stock."""

import re
from collections.abc import Iterable

from django.db import connection
from django.db.models import BooleanField, Count, Func

from tenants.models import Msp
from voice.inventory.models import StockNumber, StockNumberQuerySet


def search(numbers: StockNumberQuerySet, text: str) -> StockNumberQuerySet:
    """Return the numbers that the text may mean: written in any format, or only a part of the digits."""
    return numbers.filter(e164__regex=digits_pattern(text)) if digits_pattern(text) else numbers.none()


def digits_pattern(text: str) -> str:
    """Return a pattern over E.164 for what somebody typed, or nothing where there are no digits.

    A leading + or 00 starts at the country code; a leading 0 is the trunk prefix that E.164 leaves out.
    """
    digits = re.sub(r"\D", "", text)
    if not digits:
        return ""
    if text.strip().startswith("+"):
        return rf"^\+{digits}"
    if digits.startswith("00") and len(digits) > 2:
        return rf"^\+{digits[2:]}|{digits}"
    if digits.startswith("0") and len(digits) > 1:
        # 030 123 is +49 30 123: up to three digits of country code stand before it. Italy keeps its 0.
        return rf"^\+[1-9][0-9]{{0,2}}{digits[1:]}|^\+[1-9][0-9]{{0,2}}{digits}|{digits}$"
    return digits


def taken(e164s: list[str]) -> set[str]:
    """Return which of the numbers exist in the installation already, without saying whose they are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT e164 FROM public.inventory_taken(%s) AS e164", [e164s])
        return {row[0] for row in cursor.fetchall()}


def blocks_of_others(customers: Iterable[int]) -> list[str]:
    """Return, as digits, how the numbers begin that other customers than these hold: all but the last two digits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.inventory_blocks_of_others(%s)", [list(customers)])
        return [row[0].lstrip("+") for row in cursor.fetchall()]


class HeldByAnother(Func):
    """Whether another customer than the current one has the number: `HeldByAnother(F("e164"))` is a condition."""

    function = "public.inventory_held_by_another"
    output_field = BooleanField()


def counts(msp: Msp) -> dict[str, int]:
    """Return how many numbers are in each state."""
    found = StockNumber.objects.filter(msp=msp).values_list("state").annotate(count=Count("pk"))
    return dict.fromkeys(StockNumber.State.values, 0) | dict(found)
