"""The customer's numbers."""

from django.urls import path

from voice.numbers import views, views_caller_id, views_ranges, views_usage
from voice.numbers.models import Number

app_name = "numbers"

urlpatterns = [
    path("", views.number_list, name="list"),
    path("ranges/", views_ranges.ranges, name="ranges"),
    path("usage/", views_usage.usage, name="usage"),
    path("<int:pk>/", views.number, name="number"),
    path("<int:pk>/activate/", views.set_state, {"action": "activate"}, name="activate"),
    path("<int:pk>/suspend/", views.set_state, {"action": "suspend"}, name="suspend"),
    path("<int:pk>/deactivate/", views.set_state, {"action": "deactivate"}, name="deactivate"),
    path("activate/", views.bulk_state, {"state": Number.State.ACTIVE}, name="bulk_activate"),
    path("suspend/", views.bulk_state, {"state": Number.State.SUSPENDED}, name="bulk_suspend"),
    path("deactivate/", views.bulk_state, {"state": Number.State.INACTIVE}, name="bulk_deactivate"),
    path("location/", views.bulk_place, name="bulk_place"),
    path("caller-ids/", views_caller_id.caller_ids, name="caller_ids"),
    path("caller-ids/new/", views_caller_id.caller_id_edit, name="caller_id_new"),
    path("caller-ids/<int:pk>/", views_caller_id.caller_id_edit, name="caller_id"),
    path("caller-ids/<int:pk>/delete/", views_caller_id.caller_id_delete, name="caller_id_delete"),
    path("caller-ids/policy/", views_caller_id.caller_id_policy, name="caller_id_policy"),
]
