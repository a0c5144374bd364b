"""An MSP's pages about calls and their prices: what becomes of losses, and what a call would cost."""

from django.urls import path

from voice.routing import views_msp as views

app_name = "by_price"
urlpatterns = [
    path("losses/", views.losses, name="losses"),
    path("losses/everybody/", views.policy, name="default"),
    path("losses/<int:pk>/", views.policy, name="customer"),
    path("try/", views.try_call, name="try"),
]
