"""The MSP's invoices and what belongs to them."""

from django.urls import path

from voice.receivables.views import corrections, explain, msp, runs, settings, taxes

app_name = "invoices"

urlpatterns = [
    path("", msp.invoice_list, name="list"),
    path("new/", msp.invoice_new, name="new"),
    path("<int:pk>/", msp.invoice, name="detail"),
    path("<int:pk>/approve/", msp.approve, name="approve"),
    path("<int:pk>/reopen/", msp.reopen, name="reopen"),
    path("<int:pk>/issue/", msp.issue, name="issue"),
    path("<int:pk>/drop/", msp.drop, name="drop"),
    path("<int:pk>/credit/", msp.credit, name="credit"),
    path("<int:pk>/write-off/", corrections.write_off, name="write_off"),
    path("entries/<int:pk>/correct/", corrections.correct, name="correct"),
    path("<int:pk>/mail/", msp.mail, name="mail"),
    path("<int:pk>/files/<str:kind>/", msp.download, name="file"),
    path("<int:pk>/lines/<int:position>/", explain.invoice_line, name="line"),
    path("<int:pk>/calls/", explain.invoice_calls, name="calls"),
    path("questions/", explain.question_list, name="questions"),
    path("questions/<int:pk>/", explain.question, name="question"),
    path("questions/<int:pk>/answer/", explain.answer, name="answer"),
    path("runs/", runs.run_list, name="runs"),
    path("runs/new/", runs.run_new, name="run_new"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:pk>/progress/", runs.progress, name="run_progress"),
    path("runs/<int:pk>/collect/", runs.collect, name="run_collect"),
    path("runs/<int:pk>/tick/", runs.tick_chosen, name="run_tick_chosen"),
    path("runs/<int:pk>/approve/", runs.approve, name="run_approve"),
    path("runs/<int:pk>/issue/", runs.issue, name="run_issue"),
    path("runs/<int:pk>/customers/<int:customer>/", runs.customer, name="run_customer"),
    path("runs/<int:pk>/customers/<int:customer>/open/", runs.open_days, name="run_open_days"),
    path("runs/<int:pk>/customers/<int:customer>/credit/", runs.credit_again, name="run_credit"),
    path("runs/findings/<int:pk>/tick/", runs.tick, name="run_tick"),
    path("payments/", settings.payment_list, name="payments"),
    path("payments/new/", settings.payment_new, name="payment_new"),
    path("companies/", settings.entity_list, name="entities"),
    path("companies/new/", settings.entity_edit, name="entity_new"),
    path("companies/<int:pk>/", settings.entity_edit, name="entity"),
    path("companies/<int:entity>/registrations/new/", taxes.registration_edit, name="registration_new"),
    path("companies/<int:entity>/registrations/<int:pk>/", taxes.registration_edit, name="registration"),
    path("customers/", settings.profile_list, name="profiles"),
    path("customers/<int:pk>/", settings.profile, name="profile"),
    path("customers/<int:customer>/vat-id/", taxes.check_vat_id, name="vat_id"),
    path("customers/<int:customer>/exemptions/new/", taxes.exemption_edit, name="exemption_new"),
    path("customers/<int:customer>/exemptions/<int:pk>/", taxes.exemption_edit, name="exemption"),
    path("taxes/", taxes.rule_list, name="taxes"),
    path("taxes/new/", taxes.rule_new, name="tax_new"),
]
