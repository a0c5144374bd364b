"""What the search palette finds among calls: the newest ones with a number."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from portal.core.fields import format_number
from portal.ui import values
from portal.ui.search import Hit, provider
from voice.calls import selectors, story
from voice.calls.masking import hidden_in


@provider("calls.view", places=["customer", "msp"], late=True)
def calls(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Yield the newest calls that the text finds."""
    if sum(letter.isdigit() for letter in text) < 4:
        return
    mine = selectors.calls_of(request.tenant, request.msp, hidden_in(request))  # type: ignore[attr-defined]
    found = selectors.find_calls(mine, text)
    for call in found.newest_first()[:5]:
        title = f"{format_number(call.caller)} → {format_number(call.called)}"
        address = reverse("calls:detail", args=[call.id])
        when = values.short_moment(localtime(call.invited))
        yield Hit(title, address, _("Call"), "phone", f"{when}, {story.status_of(call).word}")
