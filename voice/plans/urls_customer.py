"""A customer's plan."""

from django.urls import path

from voice.plans import views_customer

app_name = "plan"

urlpatterns = [path("", views_customer.your_plan, name="home")]
