"""The MSP's margins."""

from django.urls import path

from voice.margin import views, views_carriers

app_name = "margin"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("target/", views.target, name="target"),
    path("customers/", views.customer_list, name="customers"),
    path("customers/<int:pk>/", views.customer, name="customer"),
    path("customers/<int:pk>/target/", views.target, name="customer_target"),
    path("routes/", views.route_list, name="routes"),
    path("carrier-invoices/", views_carriers.invoice_list, name="carrier_invoices"),
    path("carrier-invoices/new/", views_carriers.invoice_new, name="carrier_invoice_new"),
    path("carrier-invoices/totals/", views_carriers.totals_new, name="carrier_totals_new"),
    path("carrier-invoices/<int:pk>/", views_carriers.invoice, name="carrier_invoice"),
    path("carrier-invoices/<int:pk>/faults/", views_carriers.faults, name="carrier_invoice_faults"),
    path("carrier-invoices/<int:pk>/read/", views_carriers.read, name="carrier_invoice_read"),
    path("carrier-invoices/<int:pk>/decide/", views_carriers.decide, name="carrier_invoice_decide"),
    path("carrier-invoices/<int:pk>/remove/", views_carriers.remove, name="carrier_invoice_remove"),
]
