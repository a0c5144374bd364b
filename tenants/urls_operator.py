from django.urls import include, path

from tenants.urls_team import tokens
from tenants.views import operator, retention

msps = [
    path("", operator.msp_list, name="list"),
    path("new/", operator.msp_new, name="new"),
    path("<int:pk>/", operator.msp_detail, name="detail"),
    path("<int:pk>/suspend/", operator.msp_suspend, name="suspend"),
    path("<int:pk>/resume/", operator.msp_resume, name="resume"),
    path("<int:pk>/invite/", operator.msp_invite, name="invite"),
    path("<int:pk>/base-domains/new/", operator.base_new, name="base-new"),
    path("<int:pk>/base-domains/<int:base>/names/", operator.base_names, name="base-names"),
]
regions = [
    path("", operator.region_list, name="list"),
    path("new/", operator.region_edit, name="new"),
    path("<int:pk>/", operator.region_edit, name="edit"),
]

rules = [
    path("", retention.retention_list, name="list"),
    path("new/", retention.rule_edit, name="new"),
    path("<int:pk>/", retention.rule_edit, name="rule"),
    path("<int:pk>/remove/", retention.rule_remove, name="remove"),
    path("runs/", retention.run_list, name="runs"),
    path("runs/<int:pk>/", retention.run_detail, name="run"),
    path("erase/", retention.erase_now, name="erase"),
]

urlpatterns = [
    path("msps/", include((msps, "msps"))),
    path("regions/", include((regions, "regions"))),
    path("retention/", include((rules, "retention"))),
    path("", include((tokens, "tokens"))),
]
