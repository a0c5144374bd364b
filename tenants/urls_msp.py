from django.urls import include, path

from tenants.views import domains, msp, retention

customers = [
    path("", msp.customer_list, name="list"),
    path("new/", msp.customer_new, name="new"),
    path("limits/", msp.everybody, name="everybody"),
    path("<int:pk>/", msp.customer_detail, name="detail"),
    path("<int:pk>/steps/", msp.customer_steps, name="steps"),
    path("<int:pk>/history/", msp.customer_history, name="history"),
    path("<int:pk>/edit/", msp.customer_edit, name="edit"),
    path("<int:pk>/suspend/", msp.customer_suspend, name="suspend"),
    path("<int:pk>/resume/", msp.customer_resume, name="resume"),
    path("<int:pk>/close/", msp.customer_close, name="close"),
    path("<int:pk>/act/", msp.customer_act, name="act"),
    path("<int:pk>/invite/", msp.customer_invite, name="invite"),
]

names = [
    path("", domains.domain_list, name="list"),
    path("base/<int:pk>/names/", domains.base_names, name="names"),
    path("hosts/new/", domains.host_new, name="new"),
    path("hosts/<int:pk>/", domains.host_detail, name="host"),
    path("hosts/<int:pk>/check/", domains.host_check, name="check"),
    path("hosts/<int:pk>/links/", domains.host_links, name="links"),
    path("hosts/<int:pk>/remove/", domains.host_remove, name="remove"),
]

kept = [
    path("", retention.retention_list, name="list"),
    path("runs/", retention.run_list, name="runs"),
    path("runs/<int:pk>/", retention.run_detail, name="run"),
    path("holds/", retention.hold_list, name="holds"),
    path("holds/new/", retention.hold_new, name="hold"),
    path("holds/<int:pk>/release/", retention.hold_release, name="release"),
]

urlpatterns = [
    path("customers/", include((customers, "customers"))),
    path("domains/", include((names, "domains"))),
    path("retention/", include((kept, "retention"))),
    path("", include("tenants.urls_team")),
]
