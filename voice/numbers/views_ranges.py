"""The customer's numbers with their ranges folded."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from portal.core.access import requires
from voice.numbers import selectors
from voice.numbers.folding import fold
from voice.numbers.pages import RangeList

LINES = 50
# A line of many thousand numbers is cut here, and goes on behind the link to the next page.
READ_AT_MOST = 20_000
FACTS = ("state", "label", "person", "inbound", "inbound_trunk", "place")


@requires("numbers.view")
def ranges(request: HttpRequest) -> HttpResponse:
    """Show neighbours about which everything is the same as one line, which opens."""
    page = RangeList(request)
    rows = page.found.order_by("e164")
    if after := request.GET.get("after", "").replace("\0", ""):
        rows = rows.filter(e164__gt=after)
    read: list[Any] = list(rows.values_list("pk", "e164", *FACTS)[:READ_AT_MOST])
    lines, after = fold(read, LINES)
    if not after and len(read) == READ_AT_MOST:
        after = lines[-1].last
    shown = selectors.numbers().in_bulk([line.members[0][0] for line in lines])
    for line in lines:
        line.row = shown[line.members[0][0]]
    context = {
        "list": page,
        "can_change": request.can("numbers.change"),  # type: ignore[attr-defined]
        "lines": [(line, page.facts_of(line.row)) for line in lines],
        "next_url": page.address(after=after) if after else "",
        "first_url": page.address(after="") if request.GET.get("after") else "",
    }
    fragment = getattr(getattr(request, "htmx", None), "target", None) == "list"
    return TemplateResponse(
        request, "voice/numbers/ranges_lines.html" if fragment else "voice/numbers/ranges.html", context
    )
