"""Rating again, on the MSP's console."""

from django.urls import path

from voice.rerating import views, views_decide

app_name = "rerating"

urlpatterns = [
    path("", views.proposal_list, name="list"),
    path("decide/", views_decide.decide, name="decide"),
    path("decisions/", views_decide.decision_list, name="decisions"),
    path("new/", views.new, name="new"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/apply/", views.apply, name="apply"),
    path("<int:pk>/again/", views.again, name="again"),
    path("<int:pk>/discard/", views.discard, name="discard"),
    path("<int:pk>/lines/<int:number>/", views.calls, name="calls"),
    path("<int:pk>/lines/<int:number>/<uuid:key>/", views.call, name="call"),
]
