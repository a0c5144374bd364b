from django.urls import include, path

from sbc.urls_customer import rollouts
from sbc.views import home

urlpatterns = [path("", home.msp_home, name="home"), path("rollout/", include((rollouts, "rollout")))]
