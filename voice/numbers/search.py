"""What the search palette finds among the customer's numbers."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.core.fields import format_number
from portal.ui.search import Hit, provider
from voice.numbers import selectors


@provider("numbers.view", places=["customer"])
def numbers(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Yield the customer's numbers that the text finds."""
    for number in selectors.numbers(text)[:5]:
        url = reverse("numbers:number", args=[number.pk])
        yield Hit(format_number(number.e164), url, _("Number"), "hash", number.label)
