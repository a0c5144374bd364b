from django.urls import include, path

from tenants.views import customer

settings = [path("settings/", customer.company, name="company")]

urlpatterns = [path("", include((settings, "settings"))), path("", include("tenants.urls_team"))]
