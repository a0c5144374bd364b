"""The API's description: for programs as OpenAPI, for people as a page."""

from django.urls import include, path

from portal.core import api_pages

pages = [
    path("schema/", api_pages.SchemaView.as_view(), name="schema"),
    path("", api_pages.reference, name="docs"),
]

urlpatterns = [path("", include((pages, "api-reference")))]
