"""The MSP's number stock."""

from django.urls import path

from voice.inventory import views

app_name = "inventory"

urlpatterns = [
    path("", views.stock_list, name="list"),
    path("<int:pk>/", views.number, name="number"),
    path("import/", views.start_import, name="import"),
    path("import/<int:pk>/", views.import_detail, name="import_detail"),
    path("import/<int:pk>/confirm/", views.confirm_import, name="import_confirm"),
    path("import/<int:pk>/check/", views.check_again, name="import_check"),
    path("import/<int:pk>/cancel/", views.cancel_import, name="import_cancel"),
    path("reserve/", views.reserve, name="reserve"),
    path("unreserve/", views.unreserve, name="unreserve"),
    path("close/", views.close, name="close"),
]
