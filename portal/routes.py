"""URL patterns of optional parts: an app that has no `urls` or `api` for a place simply has none there."""

from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

Patterns = list[URLPattern | URLResolver]


def pages(prefix: str, module: str) -> Patterns:
    """Return the pages of `module` under `prefix`."""
    return [path(prefix, include(module))] if find_spec(module) else []


def api(apps: list[str], attribute: str) -> SimpleRouter:
    """Return a router over the view sets that the apps list under `attribute`."""
    router = SimpleRouter()
    # What any app begins as a job is looked at in one place.
    for module in ("portal.core.api_jobs", *(f"{app}.api" for app in apps)):
        if find_spec(module):
            for prefix, viewset, basename in getattr(import_module(module), attribute, []):
                router.register(prefix, viewset, basename)
    return router
