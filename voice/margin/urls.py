"""The MSP's margins."""

from django.urls import path

from voice.margin import views

app_name = "margin"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("target/", views.target, name="target"),
    path("customers/", views.customer_list, name="customers"),
    path("customers/<int:pk>/", views.customer, name="customer"),
    path("customers/<int:pk>/target/", views.target, name="customer_target"),
    path("routes/", views.route_list, name="routes"),
]
