"""Reads of calls: one customer's, or those of an MSP's customers."""

import re
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from tenants.models import Customer, Msp
from voice.calls.masking import NOBODY, Hidden
from voice.calls.models import Cdr, CdrQuerySet, LiveCall, NumberDay, NumberDayQuerySet
from voice.calls.models.live import LiveCallQuerySet

DIGITS = re.compile(r"[0-9]")
SHOWN = ("caller", "called", "caller_sent", "called_sent")
NUMBER_LIKE = re.compile(r"[0-9+()/.\s-]+\Z")


def calls_of(tenant: Customer | None, msp: Msp | None, hidden: Hidden) -> CdrQuerySet:
    """Return the call records of a customer, or of all customers of an MSP, as the reader may see their numbers."""
    if tenant is not None:
        return Cdr.objects.filter(tenant=tenant).without_costs().shown_to(hidden)
    return Cdr.objects.filter(msp=msp).select_related("tenant").shown_to(hidden)


def live_calls_of(tenant: Customer | None, msp: Msp | None, hidden: Hidden) -> LiveCallQuerySet:
    """Return the calls in progress of a customer, or of all customers of an MSP, with numbers as the reader may see."""
    found = LiveCall.objects.filter(tenant=tenant) if tenant is not None else LiveCall.objects.filter(msp=msp)
    return found.shown_to(hidden)


def number_days_of(tenant: Customer, hidden: Hidden) -> NumberDayQuerySet:
    """Return what a customer's numbers did day by day, with the numbers as the reader may see them."""
    return NumberDay.objects.filter(tenant=tenant).shown_to(hidden)


def find_number_days(days: NumberDayQuerySet, text: str) -> NumberDayQuerySet | None:
    """Return the days of the numbers that a text may be, None where it is none; no digit is found that is not seen."""
    text = text.strip()
    if not NUMBER_LIKE.match(text) or not DIGITS.search(text):
        return None
    return days.alias(seen_number=days.visible("number")).filter(_number_matches(text, ("number",)))


def find_calls(calls: CdrQuerySet, text: str) -> CdrQuerySet:
    """Return the calls that a text finds: a number however it is written, its last digits, a Call-ID or an id.

    It finds no number by digits that the reader does not see.
    """
    text = text.strip()
    if NUMBER_LIKE.match(text) and DIGITS.search(text):
        return calls.alias(**{f"seen_{name}": calls.visible(name) for name in SHOWN}).filter(_number_matches(text))
    try:
        wanted = UUID(text)
    except ValueError:
        return calls.filter(
            _has_call_id(calls, text) | Q(egress_name__icontains=text) | Q(ingress_name__icontains=text)
        )
    return calls.filter(Q(id=wanted) | Q(call=wanted))


def _has_call_id(calls: CdrQuerySet, text: str) -> Q:
    # A part of it could be guessed, digit by digit, where devices make their Call-IDs of numbers.
    if calls.hidden is None:
        return Q(call_id=text)
    part = Q(call_id__icontains=text)
    return part if calls.hidden == NOBODY else Q(call_id=text) | (part & ~Q(tenant_id__in=calls.hidden))


def _number_matches(text: str, names: Iterable[str] = SHOWN) -> Q:
    digits = "".join(DIGITS.findall(text))
    if text.lstrip().startswith("+"):
        return _numbers(names, "startswith", "+" + digits)
    if digits.startswith("00"):
        return _numbers(names, "startswith", "+" + digits[2:])
    # A national number loses its trunk zero abroad, and emergency numbers have no plus.
    return _numbers(names, "contains", digits.lstrip("0") or digits)


def _numbers(names: Iterable[str], how: str, value: str) -> Q:
    found = Q()
    for name in names:
        found |= Q(**{f"seen_{name}__{how}": value})
    return found
