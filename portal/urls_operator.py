"""What answers on the operator's console."""

from django.urls import include, path

from portal.routes import api, pages
from portal.urls_shared import shared

APPS = [
    "tenants",
    "portal.core",
    "voice.carriers",
    "voice.inventory",
    "voice.calls",
    "voice.directory",
    "voice.numbers",
    "voice.emergency",
    "voice.routing",
    "voice.receivables",
    "sbc",
]

urlpatterns = [
    *shared(),
    *pages("", "tenants.urls_operator"),
    *pages("taxes/", "voice.receivables.urls_operator"),
    *pages("", "sbc.urls_operator"),
    path("api/v1/", include((api(APPS, "operator_routes").urls, "api"))),
    *pages("api/v1/", "portal.core.urls_api"),
]

handler400 = "portal.ui.errors.bad_request"
handler403 = "portal.ui.errors.forbidden"
handler404 = "portal.ui.errors.not_found"
handler500 = "portal.ui.errors.server_error"
