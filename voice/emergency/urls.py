"""The customer's emergency pages."""

from django.urls import path

from voice.emergency import views

app_name = "emergency"

urlpatterns = [
    path("", views.home, name="home"),
    path("trunks/", views.trunks, name="trunks"),
]
