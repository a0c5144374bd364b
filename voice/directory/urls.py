"""The customer's people, sites, addresses and places."""

from django.urls import path

from voice.directory import views

app_name = "directory"

urlpatterns = [
    path("", views.people, name="list"),
    path("new/", views.person, name="person_new"),
    path("<int:pk>/", views.person, name="person"),
    path("sites/", views.sites, name="sites"),
    path("sites/new/", views.site, name="site_new"),
    path("sites/<int:pk>/", views.site, name="site"),
    path("addresses/", views.addresses, name="addresses"),
    path("addresses/new/", views.address_edit, name="address_new"),
    path("addresses/<int:pk>/", views.address, name="address"),
    path("addresses/<int:pk>/edit/", views.address_edit, name="address_edit"),
    path("addresses/<int:pk>/validate/", views.address_validate, name="address_validate"),
    path("places/", views.places, name="places"),
    path("places/new/", views.place, name="place_new"),
    path("places/<int:pk>/", views.place, name="place"),
    path("<int:pk>/remove/", views.remove, {"kind": "person"}, name="person_remove"),
    path("sites/<int:pk>/remove/", views.remove, {"kind": "site"}, name="site_remove"),
    path("addresses/<int:pk>/remove/", views.remove, {"kind": "address"}, name="address_remove"),
    path("places/<int:pk>/remove/", views.remove, {"kind": "place"}, name="place_remove"),
]
