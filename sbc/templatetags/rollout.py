"""`{% load rollout %}`: the chip that says whether what you see is what every SBC runs."""

from django import template
from django.utils.safestring import SafeString

from portal.ui import markup
from sbc import selectors
from tenants.scopes import Scope

register = template.Library()


@register.simple_tag
def scope_status(scope: Scope) -> SafeString:
    """Show Live or Going live for a region, MSP or customer."""
    return markup.chip(selectors.scope_status(scope))
