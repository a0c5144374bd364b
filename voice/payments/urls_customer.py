"""How a customer pays, beside its bills."""

from django.urls import path

from voice.payments.views import customer, papers

app_name = "pay"

urlpatterns = [
    path("payments/", papers.own_list, name="payments"),
    path("payments/<int:pk>/", papers.payment, name="payment"),
    path("payments/<int:pk>/receipt/", papers.receipt, name="receipt"),
    path("statement/", papers.own_statement, name="statement"),
    path("pay/", customer.pay, name="pay"),
    path("pay/<uuid:key>/", customer.attempt, name="attempt"),
    path("top-up/", customer.top_up, name="top_up"),
    path("cards/", customer.card_list, name="cards"),
    path("cards/<int:pk>/default/", customer.card_default, name="card_default"),
    path("cards/<int:pk>/remove/", customer.card_remove, name="card_remove"),
    path("lab-checkout/<uuid:key>/", customer.lab_checkout, name="lab"),
]
