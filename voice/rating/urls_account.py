"""A customer's own account."""

from django.urls import path

from voice.rating import views_accounts

app_name = "account"

urlpatterns = [
    path("", views_accounts.own_account, name="home"),
    path("limit/", views_accounts.own_limit, name="limit"),
]
