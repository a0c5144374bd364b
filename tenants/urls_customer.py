from django.urls import include, path

from tenants.views import customer, retention

settings = [
    path("settings/", customer.company, name="company"),
    path("settings/privacy/", customer.privacy, name="privacy"),
]
kept = [path("", retention.retention_list, name="list")]

urlpatterns = [
    path("", include((settings, "settings"))),
    path("retention/", include((kept, "retention"))),
    path("", include("tenants.urls_team")),
]
