"""Search across everything that the reader may see: each app offers its own finds from its `search.py`.

@provider("numbers.view", places=["customer"])
def numbers(request, text):
    for number in selectors.find(text)[:5]:
        yield Hit(format_number(number.e164), number.get_absolute_url(), _("Number"), "hash")
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from portal.ui import navigation

Words = str | Promise
EACH = 5


@dataclass(frozen=True)
class Hit:
    title: Words
    url: str
    kind: Words
    icon: str
    detail: Words = ""


Finder = Callable[[HttpRequest, str], Iterable[Hit]]
_providers: list[tuple[str, frozenset[str], Finder]] = []
_late: list[tuple[str, frozenset[str], Finder]] = []


def provider(capability: str, places: Iterable[str], *, late: bool = False) -> Callable[[Finder], Finder]:
    """Register a function that finds things for readers with the capability, in the places named.

    What is `late` comes after all else: there is much of it, and people seldom mean it.
    """

    def register(finder: Finder) -> Finder:
        (_late if late else _providers).append((capability, frozenset(places), finder))
        return finder

    return register


def find(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Return the pages and things that the text finds."""
    text = text.replace("\0", "").strip()[:100]
    links = [link for group in navigation.groups(request) for link in group.links]
    for link in links + (navigation.tabs(request) if text else []):
        if text.lower() in f"{link.label} {link.also}".lower():
            yield Hit(link.label, link.url, _("Page"), link.icon)
    if len(text) < 2:
        return
    for capability, places, finder in _providers + _late:
        if getattr(request, "place", "") in places and request.can(capability):  # type: ignore[attr-defined]
            yield from islice(finder(request, text), EACH)
