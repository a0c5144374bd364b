from django.urls import include, path

from tenants.views import msp, objects, shared

brand = [
    path("brand.css", shared.brand_css, name="css"),
    path("brand/logo.png", shared.brand_logo, name="logo"),
    path("brand/", msp.brand_edit, name="edit"),
]
acting = [
    path("acting/enter/", shared.acting_enter, name="enter"),
    path("acting/stop/", shared.acting_stop, name="stop"),
]
audit = [
    path("audit/", shared.audit_list, name="list"),
    path("audit/<uuid:pk>/", shared.audit_entry, name="entry"),
]
object_tabs = [
    path("objects/<slug:resource>/<str:pk>/history/", objects.object_history, name="history"),
    path("objects/<slug:resource>/<str:pk>/api/", objects.object_api, name="api"),
]

urlpatterns = [
    path("", include((brand, "brand"))),
    path("", include((acting, "acting"))),
    path("", include((audit, "audit"))),
    path("", include((object_tabs, "objects"))),
    path("", include(([path("profile/", shared.profile, name="edit")], "profile"))),
    path("invitations/<str:secret>/", shared.accept_invitation, name="invitation"),
]
