"""`{% load rollout %}`: the chip that says whether what you see is what every SBC runs."""

from typing import Any

from django import template

from portal.ui.status import Status
from sbc import selectors
from tenants.scopes import Scope

register = template.Library()


@register.inclusion_tag("components/status.html")
def scope_status(scope: Scope) -> dict[str, Any]:
    """Show Live or Going live for a region, MSP or customer."""
    chip: Status = selectors.scope_status(scope)
    return {"status": chip}
