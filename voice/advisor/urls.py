"""The MSP's connectivity advisor."""

from django.urls import path

from voice.advisor import views

app_name = "advisor"

urlpatterns = [
    path("", views.assessment_list, name="list"),
    path("new/", views.assessment_edit, name="new"),
    path("first-values/", views.first_values, name="first_values"),
    path("<int:pk>/", views.assessment, name="detail"),
    path("<int:pk>/edit/", views.assessment_edit, name="edit"),
    path("<int:pk>/assumptions/", views.assumptions, name="assumptions"),
    path("<int:pk>/delete/", views.assessment_delete, name="delete"),
]
