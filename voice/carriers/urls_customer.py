"""The customer's trunks."""

from django.urls import path

from voice.carriers import views_customer as views

app_name = "carriers"

urlpatterns = [
    path("", views.trunk_list, name="list"),
    path("new/", views.trunk_edit, name="trunk_new"),
    path("<int:pk>/", views.trunk, name="trunk"),
    path("<int:pk>/edit/", views.trunk_edit, name="trunk_edit"),
    path("<int:pk>/close/", views.trunk_delete, name="trunk_delete"),
]
