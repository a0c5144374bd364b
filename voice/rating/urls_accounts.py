"""The accounts of an MSP's customers, each under its customer."""

from django.urls import path

from voice.rating import views_accounts

app_name = "accounts"

urlpatterns = [
    path("<int:pk>/account/", views_accounts.msp_account, name="detail"),
    path("<int:pk>/account/terms/", views_accounts.msp_terms, name="terms"),
    path("<int:pk>/account/correct/", views_accounts.msp_correct, name="correct"),
]
