"""The MSP's pages of integration."""

from django.urls import path

from voice.delivery import views

app_name = "delivery"

urlpatterns = [
    path("", views.endpoint_list, name="list"),
    path("new/", views.endpoint_edit, name="endpoint_new"),
    path("<int:pk>/", views.endpoint, name="endpoint"),
    path("<int:pk>/edit/", views.endpoint_edit, name="endpoint_edit"),
    path("<int:pk>/secret/", views.endpoint_secret, name="endpoint_secret"),
    path("<int:pk>/pause/", views.endpoint_pause, name="endpoint_pause"),
    path("<int:pk>/resume/", views.endpoint_resume, name="endpoint_resume"),
    path("<int:pk>/test/", views.endpoint_test, name="endpoint_test"),
    path("<int:pk>/remove/", views.endpoint_remove, name="endpoint_remove"),
    path("deliveries/", views.delivery_list, name="deliveries"),
    path("deliveries/again/", views.send_again, name="again"),
    path("messages/<int:pk>/", views.message, name="message"),
    path("places/", views.store_list, name="stores"),
    path("places/new/", views.store_edit, name="store_new"),
    path("places/<int:pk>/", views.store, name="store"),
    path("places/<int:pk>/edit/", views.store_edit, name="store_edit"),
    path("places/<int:pk>/put/", views.store_put, name="store_put"),
    path("places/<int:pk>/remove/", views.store_remove, name="store_remove"),
    path("files/", views.file_list, name="files"),
    path("files/again/", views.put_again, name="put_again"),
    path("feed/", views.feed, name="feed"),
]
