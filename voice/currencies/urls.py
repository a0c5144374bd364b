"""The MSP's exchange rates."""

from django.urls import path

from voice.currencies import views

app_name = "currencies"

urlpatterns = [
    path("", views.rate_list, name="list"),
    path("new/", views.rate_new, name="new"),
    path("import/", views.rate_import, name="import"),
]
