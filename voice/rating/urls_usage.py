from django.urls import include, path

from voice.rating import usage_pages

usage = [path("", usage_pages.usage, name="list")]

urlpatterns = [path("", include((usage, "usage")))]
