"""What the search palette finds in the MSP's stock."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.core.fields import format_number
from portal.ui.search import Hit, provider
from voice.inventory import selectors
from voice.inventory.models import StockNumber


@provider("stock.view", places=["msp"])
def stock(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Yield the numbers of the stock that the text finds."""
    found = selectors.search(StockNumber.objects.filter(msp=request.msp), text)  # type: ignore[attr-defined]
    for number in found.select_related("tenant")[:5]:
        url = reverse("inventory:number", args=[number.pk])
        yield Hit(
            format_number(number.e164), url, _("Number"), "hash", str(number.tenant or number.get_state_display())
        )
