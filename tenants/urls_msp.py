from django.urls import include, path

from tenants.views import msp

customers = [
    path("", msp.customer_list, name="list"),
    path("new/", msp.customer_new, name="new"),
    path("<int:pk>/", msp.customer_detail, name="detail"),
    path("<int:pk>/steps/", msp.customer_steps, name="steps"),
    path("<int:pk>/history/", msp.customer_history, name="history"),
    path("<int:pk>/api/", msp.customer_api, name="api"),
    path("<int:pk>/edit/", msp.customer_edit, name="edit"),
    path("<int:pk>/suspend/", msp.customer_suspend, name="suspend"),
    path("<int:pk>/resume/", msp.customer_resume, name="resume"),
    path("<int:pk>/close/", msp.customer_close, name="close"),
    path("<int:pk>/act/", msp.customer_act, name="act"),
    path("<int:pk>/invite/", msp.customer_invite, name="invite"),
]

urlpatterns = [path("customers/", include((customers, "customers"))), path("", include("tenants.urls_team"))]
