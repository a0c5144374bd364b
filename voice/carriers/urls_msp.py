"""The MSP's carriers, trunks, block list and emergency list."""

from django.urls import path

from voice.carriers import views_lists, views_msp

app_name = "carriers"

urlpatterns = [
    path("", views_msp.carrier_list, name="list"),
    path("new/", views_msp.carrier_edit, name="new"),
    path("<int:pk>/", views_msp.carrier_edit, name="carrier"),
    path("<int:pk>/delete/", views_msp.carrier_delete, name="carrier_delete"),
    path("trunks/", views_msp.trunk_list, name="trunks"),
    path("trunks/new/", views_msp.trunk_edit, name="trunk_new"),
    path("trunks/<int:pk>/", views_msp.trunk, name="trunk"),
    path("trunks/<int:pk>/edit/", views_msp.trunk_edit, name="trunk_edit"),
    path("trunks/<int:pk>/close/", views_msp.trunk_delete, name="trunk_delete"),
    path("trunks/<int:pk>/customers/", views_msp.trunk_grant, name="trunk_grant"),
    path("trunks/<int:pk>/customers/<int:customer>/revoke/", views_msp.trunk_revoke, name="trunk_revoke"),
    path("trunks/<int:pk>/approve/", views_msp.trunk_approve, name="trunk_approve"),
    path("block-list/", views_lists.blocked, name="blocked"),
    path("block-list/new/", views_lists.blocked_new, name="blocked_new"),
    path("block-list/<int:pk>/delete/", views_lists.blocked_delete, name="blocked_delete"),
    path("emergency/", views_lists.emergency, name="emergency"),
    path("emergency/<str:country>/", views_lists.emergency_edit, name="emergency_edit"),
]
