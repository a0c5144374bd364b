"""Pages that every place has: logging in, the brand's colours, jobs, the API's description."""

from django.urls import include, path

from portal.routes import Patterns, pages


def shared() -> Patterns:
    """Return the patterns that the operator, MSP and customer places share."""
    return [
        path("account/", include("allauth.urls")),
        *pages("", "tenants.urls_shared"),
        *pages("jobs/", "portal.core.urls"),
        *pages("", "portal.ui.urls"),
    ]
