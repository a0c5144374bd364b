from django.urls import include, path

from voice.calls import views

calls = [
    path("calls/", views.call_list, name="list"),
    path("calls/live.json", views.live_frame, name="live"),
    path("calls/quality/", views.quality, name="quality"),
    path("calls/<uuid:pk>/", views.call_detail, name="detail"),
]

urlpatterns = [path("", include((calls, "calls")))]
