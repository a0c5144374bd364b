"""The MSP's decks."""

from django.urls import path

from voice.rating import views_decks as views

app_name = "decks"

urlpatterns = [
    path("", views.deck_list, name="list"),
    path("new/", views.edit, name="new"),
    path("<int:pk>/", views.deck, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/close/", views.close, name="close"),
    path("<int:pk>/versions/", views.versions, name="versions"),
    path("<int:pk>/rate/", views.set_rate, name="rate"),
    path("<int:pk>/import/", views.start_import, name="import"),
    path("<int:pk>/assign/", views.assign, name="assign"),
    path("<int:pk>/assign/<int:key>/end/", views.unassign, name="unassign"),
    path("versions/<int:pk>/", views.version, name="version"),
    path("versions/<int:pk>/errors/", views.errors, name="errors"),
    path("versions/<int:pk>/read/", views.read, name="read"),
    path("versions/<int:pk>/again/", views.again, name="again"),
    path("versions/<int:pk>/confirm/", views.confirm, name="confirm"),
    path("versions/<int:pk>/discard/", views.discard, name="discard"),
]
