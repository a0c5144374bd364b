"""Where gateways tell us what happened: open to the world, and worth nothing without a signature."""

from django.urls import path

from voice.payments.views import cards

app_name = "hooks"

urlpatterns = [path("cards/<str:hook>/", cards.hook, name="cards")]
