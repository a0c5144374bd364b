"""What `base.html` needs to know on every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_urlconf
from django.utils.functional import SimpleLazyObject

from portal.ui import navigation

THEMES = ("light", "dark", "system")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the navigation, the theme, the brand and the banners of the page."""
    theme = request.COOKIES.get("theme", "system")
    return {
        "navigation": SimpleLazyObject(lambda: navigation.side(request)),
        "theme": theme if theme in THEMES else "system",
        "brand": getattr(request, "brand", None) or getattr(getattr(request, "msp", None), "brand", None),
        "place": getattr(request, "place", ""),
        # What is kept of the frame is kept by this: an error can be drawn before the place's addresses are set.
        "urlconf": get_urlconf(),
        "acting": getattr(request, "acting", None),
        "engine_in_memory": settings.SBC_ENGINE == "memory",
    }
