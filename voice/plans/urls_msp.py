"""What an MSP sells: plans, contracts, quotes."""

from django.urls import path

from voice.plans import views_contracts as contracts
from voice.plans import views_moving as moving
from voice.plans import views_plans as plans
from voice.plans import views_quotes as quotes

app_name = "plans"

urlpatterns = [
    path("", plans.plan_list, name="list"),
    path("new/", plans.edit, name="new"),
    path("<int:pk>/", plans.plan, name="detail"),
    path("<int:pk>/edit/", plans.edit, name="edit"),
    path("<int:pk>/close/", plans.close, name="close"),
    path("<int:pk>/version/", plans.version_new, name="version_new"),
    path("versions/<int:pk>/edit/", plans.version_edit, name="version_edit"),
    path("versions/<int:pk>/publish/", plans.publish, name="publish"),
    path("versions/<int:pk>/drop/", plans.version_drop, name="version_drop"),
    path("versions/<int:pk>/add/<str:kind>/", plans.component_new, name="component_new"),
    path("components/<int:pk>/", plans.component_edit, name="component"),
    path("components/<int:pk>/remove/", plans.component_remove, name="component_remove"),
    path("versions/<int:pk>/contracts/", moving.movable, name="movable"),
    path("versions/<int:pk>/move/", moving.move, name="move"),
    path("moves/<uuid:pk>/", moving.moved, name="moved"),
    path("of/<int:pk>/", contracts.of_customer, name="of_customer"),
    path("contracts/", contracts.contract_list, name="contracts"),
    path("contracts/new/", contracts.contract_new, name="contract_new"),
    path("contracts/<int:pk>/", contracts.contract, name="contract"),
    path("contracts/<int:pk>/edit/", contracts.contract_edit, name="contract_edit"),
    path("contracts/<int:pk>/change/", contracts.change, name="change"),
    path("contracts/<int:pk>/end/", contracts.end, name="end"),
    path("contracts/<int:pk>/add-on/", contracts.add_on, name="add_on"),
    path("contracts/<int:pk>/credit/", contracts.credit, name="credit"),
    path("contracts/add-ons/<int:pk>/end/", contracts.add_on_end, name="add_on_end"),
    path("contracts/credits/<int:pk>/remove/", contracts.credit_remove, name="credit_remove"),
    path("quotes/", quotes.quote_list, name="quotes"),
    path("quotes/new/", quotes.quote_new, name="quote_new"),
    path("quotes/<int:pk>/", quotes.quote, name="quote"),
    path("quotes/<int:pk>/print/", quotes.quote_print, name="quote_print"),
    path("quotes/<int:pk>/remove/", quotes.quote_remove, name="quote_remove"),
]
