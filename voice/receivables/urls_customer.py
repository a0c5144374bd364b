"""A customer's bills."""

from django.urls import path

from voice.receivables.views import customer, explain

app_name = "bills"

urlpatterns = [
    path("", customer.bill_list, name="list"),
    path("<int:pk>/", customer.bill, name="detail"),
    path("<int:pk>/files/<str:kind>/", customer.download, name="file"),
    path("<int:pk>/lines/<int:position>/", explain.bill_line, name="line"),
    path("<int:pk>/lines/<int:position>/ask/", explain.ask, name="ask"),
    path("<int:pk>/calls/", explain.bill_calls, name="calls"),
    path("questions/", explain.asked_list, name="questions"),
    path("questions/<int:pk>/", explain.asked, name="question"),
]
