"""A customer's bills."""

from django.urls import path

from voice.receivables.views import customer

app_name = "bills"

urlpatterns = [
    path("", customer.bill_list, name="list"),
    path("<int:pk>/", customer.bill, name="detail"),
    path("<int:pk>/files/<str:kind>/", customer.download, name="file"),
    path("account/", customer.account, name="account"),
]
