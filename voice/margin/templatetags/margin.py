"""Amounts of reports: `{% load margin %}`."""

from django import template
from django.utils.safestring import SafeString

from portal.ui import markup
from voice.margin.words import coins

register = template.Library()


@register.simple_tag
def coin(micros: int, currency: str) -> SafeString:
    """Return an amount rounded to the currency's smallest coin: a report adds up thousands of calls."""
    return markup.money(coins(micros, currency), currency)
