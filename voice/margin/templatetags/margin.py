"""Amounts of reports: `{% load margin %}`."""

from django import template
from django.utils.safestring import SafeString

from portal.ui import markup
from voice.margin.words import coins, percent

register = template.Library()


@register.simple_tag
def coin(micros: int, currency: str) -> SafeString:
    """Return an amount rounded to the currency's smallest coin: a report adds up thousands of calls."""
    return markup.money(coins(micros, currency), currency)


@register.filter
def thousandths(share: int | None) -> str:
    """Return a share in thousandths as a percentage."""
    return percent(share)
