"""Giving numbers of the stock to customers and taking them back: the MSP's side."""

from django.urls import path

from voice.numbers import views_msp

app_name = "allocation"

urlpatterns = [
    path("allocate/", views_msp.allocate, name="allocate"),
    path("release/", views_msp.release, name="release"),
    path("move/", views_msp.move, name="move"),
]
