"""What answers on a customer's portal."""

from django.urls import include, path

from portal.routes import api, pages
from portal.urls_shared import shared

APPS = [
    "tenants",
    "portal.core",
    "voice.carriers",
    "voice.inventory",
    "voice.calls",
    "voice.rating",
    "voice.directory",
    "voice.numbers",
    "voice.emergency",
    "voice.routing",
    "voice.plans",
    "voice.receivables",
    "voice.payments",
    "sbc",
]

urlpatterns = [
    *shared(),
    *pages("", "tenants.urls_customer"),
    *pages("numbers/", "voice.numbers.urls"),
    *pages("people/", "voice.directory.urls"),
    *pages("routing/", "voice.routing.urls"),
    *pages("trunks/", "voice.carriers.urls_customer"),
    *pages("emergency/", "voice.emergency.urls"),
    *pages("", "voice.calls.urls_customer"),
    *pages("usage/", "voice.rating.urls_usage"),
    *pages("balance/", "voice.rating.urls_account"),
    *pages("plan/", "voice.plans.urls_customer"),
    *pages("bills/", "voice.receivables.urls_customer"),
    *pages("bills/", "voice.payments.urls_customer"),
    *pages("", "sbc.urls_customer"),
    path("api/v1/", include((api(APPS, "routes").urls, "api"))),
    *pages("api/v1/", "portal.core.urls_api"),
]

handler400 = "portal.ui.errors.bad_request"
handler403 = "portal.ui.errors.forbidden"
handler404 = "portal.ui.errors.not_found"
handler500 = "portal.ui.errors.server_error"
