"""The operator's console: the taxes that hold for everybody."""

from django.urls import path

from voice.receivables.views import tax_desk

app_name = "taxes"

urlpatterns = [
    path("", tax_desk.rule_list, name="list"),
    path("new/", tax_desk.rule_new, name="new"),
    path("<int:pk>/", tax_desk.rule, name="rule"),
    path("<int:pk>/check/", tax_desk.check, name="check"),
]
