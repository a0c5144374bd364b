"""What `base.html` needs to know on every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
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
        "acting": getattr(request, "acting", None),
        "engine_in_memory": settings.SBC_ENGINE == "memory",
    }
