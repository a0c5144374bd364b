"""The MSP's desk of payments, beside its invoices."""

from django.urls import path

from voice.payments.views import bank

app_name = "payments"

urlpatterns = [
    path("bank/", bank.entry_list, name="bank"),
    path("bank/import/", bank.import_statement, name="import"),
    path("bank/sure/", bank.book_sure, name="book_sure"),
    path("bank/<int:pk>/", bank.entry, name="entry"),
    path("bank/<int:pk>/book/", bank.book, name="book"),
    path("bank/<int:pk>/book/<int:number>/", bank.book_suggestion, name="book_suggestion"),
    path("bank/<int:pk>/aside/", bank.set_aside, name="aside"),
    path("bank/<int:pk>/reopen/", bank.reopen, name="reopen"),
]
