from django.urls import path

from voice.routing import views

app_name = "routing"
urlpatterns = [
    path("", views.policy, name="list"),
    path("try/", views.try_number, name="try"),
    path("order/", views.reorder, name="order"),
    path("new/", views.route_edit, name="new"),
    path("<int:pk>/", views.route_edit, name="edit"),
    path("<int:pk>/delete/", views.route_delete, name="delete"),
    path("<int:pk>/move/", views.route_move, name="move"),
    path("everything-else/", views.default_edit, name="default"),
    path("hours/", views.schedules, name="schedules"),
    path("hours/new/", views.schedule_edit, name="schedule_new"),
    path("hours/<int:pk>/", views.schedule_edit, name="schedule_edit"),
    path("hours/<int:pk>/delete/", views.schedule_delete, name="schedule_delete"),
]
