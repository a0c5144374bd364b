from django.urls import include, path

from sbc.views import home, rollout

rollouts = [
    path("", rollout.rollout_list, name="list"),
    path("<int:pk>/", rollout.rollout_detail, name="detail"),
    path("<int:pk>/approve/", rollout.rollout_approve, name="approve"),
    path("<int:pk>/retry/", rollout.rollout_retry, name="retry"),
]

urlpatterns = [path("", home.customer_home, name="home"), path("rollout/", include((rollouts, "rollout")))]
