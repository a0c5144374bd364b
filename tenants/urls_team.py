"""Team and tokens, the same for an MSP and a customer; the operator has tokens only."""

from django.urls import include, path

from tenants.views import team
from tenants.views import tokens as pages

people = [
    path("team/", team.team_list, name="list"),
    path("team/invite/", team.invite, name="invite"),
    path("team/<int:pk>/role/", team.change_role, name="role"),
    path("team/<int:pk>/remove/", team.remove_member, name="remove"),
    path("team/invitations/<int:pk>/again/", team.invitation_again, name="again"),
    path("team/invitations/<int:pk>/revoke/", team.invitation_revoke, name="revoke"),
]
tokens = [
    path("tokens/", pages.token_list, name="list"),
    path("tokens/new/", pages.token_new, name="new"),
    path("tokens/<int:pk>/revoke/", pages.token_revoke, name="revoke"),
]

urlpatterns = [path("", include((people, "team"))), path("", include((tokens, "tokens")))]
