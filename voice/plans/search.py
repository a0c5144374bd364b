"""What the search palette finds among plans and contracts."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from portal.ui.navigation import row_url
from portal.ui.search import Hit, provider
from voice.plans.models import Contract, Plan
from voice.plans.pages import chip_of


@provider("plans.view", places=["msp"])
def plans(request: Any, text: str) -> Iterator[Hit]:
    """Yield the plans whose name the text is part of, and the contracts of customers or references like it."""
    for plan in Plan.objects.filter(msp=request.msp, name__icontains=text).order_by("name")[:5]:
        yield Hit(plan.name, row_url("plans:detail", plan.pk), _("Plan"), "packages", plan.currency)
    found = Contract.objects.filter(msp=request.msp, tenant__name__icontains=text)
    found |= Contract.objects.filter(msp=request.msp, reference__icontains=text)
    for contract in found.select_related("tenant").order_by("-pk")[:5]:
        words = _("Contract of %(customer)s") % {"customer": contract.tenant.name}
        yield Hit(
            words, row_url("plans:contract", contract.pk), _("Contract"), "file-text", str(chip_of(contract).word)
        )
