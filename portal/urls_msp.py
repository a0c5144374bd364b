"""What answers on an MSP's console."""

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
    "voice.rerating",
    "voice.directory",
    "voice.numbers",
    "voice.emergency",
    "voice.routing",
    "voice.currencies",
    "voice.plans",
    "voice.receivables",
    "voice.delivery",
    "voice.advisor",
    "voice.margin",
    "voice.payments",
    "sbc",
]

urlpatterns = [
    *shared(),
    *pages("", "tenants.urls_msp"),
    *pages("numbers/", "voice.inventory.urls"),
    *pages("numbers/", "voice.numbers.urls_msp"),
    *pages("carriers/", "voice.carriers.urls_msp"),
    *pages("", "voice.calls.urls_msp"),
    *pages("decks/", "voice.rating.urls_decks"),
    *pages("decks/", "voice.routing.urls_msp"),
    *pages("unrated/", "voice.rating.urls_unrated"),
    *pages("invoices/rates/", "voice.currencies.urls"),
    *pages("customers/", "voice.rating.urls_accounts"),
    *pages("plans/", "voice.plans.urls_msp"),
    *pages("rerating/", "voice.rerating.urls_msp"),
    *pages("invoices/", "voice.receivables.urls_msp"),
    *pages("integrations/", "voice.delivery.urls"),
    *pages("advisor/", "voice.advisor.urls"),
    *pages("margin/", "voice.margin.urls"),
    *pages("invoices/payments/", "voice.payments.urls_msp"),
    *pages("hooks/", "voice.payments.urls_hooks"),
    *pages("", "sbc.urls_msp"),
    path("api/v1/", include((api(APPS, "msp_routes").urls, "api"))),
    *pages("api/v1/", "portal.core.urls_api"),
]

handler400 = "portal.ui.errors.bad_request"
handler403 = "portal.ui.errors.forbidden"
handler404 = "portal.ui.errors.not_found"
handler500 = "portal.ui.errors.server_error"
