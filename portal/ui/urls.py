"""Pages of the interface itself, in every place."""

from django.urls import path

from portal.ui import views

app_name = "ui"
urlpatterns = [
    path("theme/", views.theme, name="theme"),
    path("search/", views.find, name="search"),
    path("_components/", views.gallery, name="gallery"),
]
