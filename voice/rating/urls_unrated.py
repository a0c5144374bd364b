from django.urls import include, path

from voice.rating import usage_pages

unrated = [
    path("", usage_pages.unpriced, name="list"),
    path("again/", usage_pages.price_again, name="again"),
]

urlpatterns = [path("", include((unrated, "unrated")))]
