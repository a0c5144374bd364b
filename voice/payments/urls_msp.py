"""The MSP's desk of payments, beside its invoices."""

from django.urls import path

from voice.payments.views import balances, bank, by_hand, cards, dunning, papers

app_name = "payments"

urlpatterns = [
    path("<int:pk>/", papers.payment, name="payment"),
    path("<int:pk>/receipt/", papers.receipt, name="receipt"),
    path("<int:pk>/take-back/", by_hand.take_back, name="take_back"),
    path("<int:pk>/mail/", papers.mail_receipt, name="mail_receipt"),
    path("statements/<int:pk>/", papers.statement, name="statement"),
    path("bank/", bank.entry_list, name="bank"),
    path("bank/import/", bank.import_statement, name="import"),
    path("bank/sure/", bank.book_sure, name="book_sure"),
    path("bank/statements/<int:pk>/gap/", bank.explain_gap, name="explain_gap"),
    path("bank/<int:pk>/", bank.entry, name="entry"),
    path("bank/<int:pk>/book/", bank.book, name="book"),
    path("bank/<int:pk>/book/<int:number>/", bank.book_suggestion, name="book_suggestion"),
    path("bank/<int:pk>/aside/", bank.set_aside, name="aside"),
    path("bank/<int:pk>/reopen/", bank.reopen, name="reopen"),
    path("cards/", cards.attempt_list, name="cards"),
    path("cards/<int:pk>/", cards.attempt, name="card"),
    path("cards/<int:pk>/refund/", cards.refund, name="refund"),
    path("cards/companies/", cards.account_list, name="accounts"),
    path("cards/companies/<int:pk>/", cards.account, name="account"),
    path("cards/companies/<int:pk>/hook/", cards.renew_hook, name="renew_hook"),
    path("balances/", balances.balance_list, name="balances"),
    path("reminders/", dunning.reminder_list, name="reminders"),
    path("reminders/propose/", dunning.propose, name="propose"),
    path("reminders/send/", dunning.release_all, name="release_all"),
    path("reminders/<int:pk>/", dunning.reminder, name="reminder"),
    path("reminders/<int:pk>/letter/", dunning.letter, name="letter"),
    path("reminders/<int:pk>/send/", dunning.release, name="release"),
    path("reminders/<int:pk>/drop/", dunning.drop, name="drop"),
    path("reminders/ladder/", dunning.step_list, name="ladder"),
    path("reminders/ladder/new/", dunning.step, name="step_new"),
    path("reminders/ladder/automatic/", dunning.setting, name="automatic"),
    path("reminders/ladder/<int:pk>/", dunning.step, name="step"),
    path("reminders/pauses/", dunning.pause_list, name="pauses"),
    path("reminders/pauses/new/", dunning.pause_new, name="pause_new"),
    path("reminders/pauses/<int:pk>/end/", dunning.pause_end, name="pause_end"),
]
