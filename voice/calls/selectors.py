"""Reads of calls: one customer's, or those of an MSP's customers."""

import re
from uuid import UUID

from django.db.models import Q, QuerySet

from tenants.models import Customer, Msp
from voice.calls.models import Cdr, CdrQuerySet, LiveCall

DIGITS = re.compile(r"[0-9]")
NUMBER_LIKE = re.compile(r"[0-9+()/.\s-]+\Z")


def calls_of(tenant: Customer | None, msp: Msp | None) -> CdrQuerySet:
    """Return the call records of a customer, or of all customers of an MSP."""
    if tenant is not None:
        return Cdr.objects.filter(tenant=tenant)
    return Cdr.objects.filter(msp=msp).select_related("tenant")


def live_calls_of(tenant: Customer | None, msp: Msp | None) -> QuerySet[LiveCall]:
    """Return the calls in progress of a customer, or of all customers of an MSP."""
    return LiveCall.objects.filter(tenant=tenant) if tenant is not None else LiveCall.objects.filter(msp=msp)


def find_calls(calls: QuerySet[Cdr], text: str) -> QuerySet[Cdr]:
    """Return the calls that a text finds: a number however it is written, its last digits, a Call-ID or an id."""
    text = text.strip()
    if NUMBER_LIKE.match(text) and DIGITS.search(text):
        return calls.filter(_number_matches(text))
    try:
        wanted = UUID(text)
    except ValueError:
        return calls.filter(
            Q(call_id__icontains=text) | Q(egress_name__icontains=text) | Q(ingress_name__icontains=text)
        )
    return calls.filter(Q(id=wanted) | Q(call=wanted))


def _number_matches(text: str) -> Q:
    digits = "".join(DIGITS.findall(text))
    if text.lstrip().startswith("+"):
        return _numbers("startswith", "+" + digits)
    if digits.startswith("00"):
        return _numbers("startswith", "+" + digits[2:])
    # A national number loses its trunk zero abroad, and emergency numbers have no plus.
    return _numbers("contains", digits.lstrip("0") or digits)


def _numbers(how: str, value: str) -> Q:
    fields = ("caller", "called", "caller_sent", "called_sent")
    found = Q()
    for field in fields:
        found |= Q(**{f"{field}__{how}": value})
    return found
