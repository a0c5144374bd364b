from django.urls import include, path

from sbc.urls_customer import rollouts
from sbc.views import certificates, counts, health, home, nodes, quarantine

node_pages = [
    path("", nodes.node_list, name="list"),
    path("new/", nodes.node_new, name="new"),
    path("<int:pk>/", nodes.node_detail, name="detail"),
    path("<int:pk>/token/", nodes.node_token, name="token"),
    path("<int:pk>/disable/", nodes.node_disable, name="disable"),
    path("<int:pk>/enable/", nodes.node_enable, name="enable"),
    path("<int:pk>/restart/", nodes.node_restart, name="restart"),
]
certificate_pages = [
    path("", certificates.certificate_list, name="list"),
    path("new/", certificates.certificate_new, name="new"),
    path("<int:pk>/", certificates.certificate_detail, name="detail"),
    path("<int:pk>/remove/", certificates.certificate_remove, name="remove"),
]
health_pages = [
    path("", health.health, name="list"),
    path("alarms/<int:pk>/settle/", health.alarm_settle, name="settle"),
]
quarantine_pages = [
    path("", quarantine.quarantine_list, name="list"),
    path("<int:pk>/", quarantine.quarantine_detail, name="detail"),
    path("<int:pk>/try/", quarantine.quarantine_try, name="try"),
    path("<int:pk>/aside/", quarantine.quarantine_aside, name="aside"),
]
counts_pages = [
    path("", counts.count_list, name="list"),
    path("<int:pk>/", counts.count_detail, name="detail"),
]

urlpatterns = [
    path("", home.operator_home, name="home"),
    path("nodes/", include((node_pages, "nodes"))),
    path("certificates/", include((certificate_pages, "certificates"))),
    path("health/", include((health_pages, "health"))),
    path("health/records/", include((quarantine_pages, "quarantine"))),
    path("reconciliation/", include((counts_pages, "counts"))),
    path("rollout/", include((rollouts, "rollout"))),
]
