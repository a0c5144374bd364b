"""What the search palette finds among trunks."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.ui.search import Hit, provider
from voice.carriers import selectors
from voice.carriers.models import Trunk
from voice.carriers.pages import state_of, trunk_url


@provider("carriers.view", places=["customer", "msp"])
def trunks(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Yield the trunks whose name the text is part of."""
    customer, msp = request.tenant, request.msp  # type: ignore[attr-defined]
    found = selectors.trunks_for(customer) if customer else Trunk.objects.open().filter(msp=msp)
    for trunk in found.filter(name__icontains=text).in_name_order()[:5]:
        yield Hit(trunk.name, trunk_url(trunk), _("Trunk"), "plug-connected", str(state_of(trunk).word))
