"""Who calls, the people of a place with their invitations and tokens, and what they did."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from portal.core import audit
from portal.core.api import PlaceViewSet
from portal.core.api_filters import Filters, found
from portal.core.models import AuditEntry
from tenants import selectors, services
from tenants.audit_sight import seen_by
from tenants.forms.token import grantable
from tenants.models import ApiToken, Customer, Invitation, Membership, Msp
from tenants.permissions import CAPABILITIES, may_end_all_tokens
from tenants.serializers import (
    AuditSerializer,
    InvitationSerializer,
    MemberSerializer,
    MeSerializer,
    OpenInvitationSerializer,
    TokenSerializer,
)


def place_of(request: Any) -> tuple[Msp | None, Customer | None]:
    """Return whose place was asked, as selectors want to know it; neither at the operator's console."""
    http = request._request
    return (None, http.tenant) if http.tenant is not None else (http.msp, None)


class MeViewSet(GenericViewSet[Any]):
    """Who calls, where, and what they may do."""

    capability = "api.use"
    queryset = Membership.objects.none()
    serializer_class = MeSerializer
    pagination_class = None

    @extend_schema(responses=MeSerializer, operation_id="me")
    def list(self, request: Request) -> Response:
        http: Any = request._request
        facts = {
            "email": http.user.email,
            "name": http.user.name,
            "place": http.place,
            "of": str(http.tenant or http.msp or ""),
            "roles": sorted(http.roles),
            "capabilities": sorted(name for name in CAPABILITIES if http.can(name)),
            "acting_for": http.actor.acting_for,
        }
        return Response(MeSerializer(facts).data)


class AuditViewSet(ListModelMixin, GenericViewSet[AuditEntry]):
    """Every change, newest first; filter with `who`, `verb`, `q`."""

    capability = "audit.view"
    queryset = AuditEntry.objects.none()
    serializer_class = AuditSerializer
    ordering = ("-at", "pk")
    filters: ClassVar[Filters] = {
        "who": found(lambda rows, text: audit.narrowed(rows, who=text), "A part of an address, or of whom it was for."),
        "verb": found(lambda rows, text: audit.narrowed(rows, verb=text), "How it begins, such as `trunk.`."),
        "q": found(lambda rows, text: audit.narrowed(rows, text=text), "A part of the object, the reason or the verb."),
    }

    def get_queryset(self) -> QuerySet[AuditEntry]:
        return seen_by(audit.entries(), self.request._request.can)  # type: ignore[attr-defined]


class TeamViewSet(PlaceViewSet):
    """The people of this place; POST invites somebody by mail."""

    capability = "team"
    queryset = Membership.objects.none()
    serializer_class = MemberSerializer
    http_method_names: ClassVar[list[str]] = ["get", "post", "patch", "delete", "head", "options"]
    remove = staticmethod(services.remove_member)

    def get_queryset(self) -> QuerySet[Membership]:
        return selectors.team(*place_of(self.request)).order_by("pk")

    @extend_schema(request=InvitationSerializer, responses={202: InvitationSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        form = InvitationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        msp, tenant = place_of(request)
        services.invite(**form.validated_data, msp=msp, tenant=tenant, by=request._request.actor)  # type: ignore[attr-defined]
        return Response(form.data, status=202)

    def write(self, serializer: BaseSerializer[Any], instance: Membership | None) -> Membership:
        assert instance is not None
        facts = serializer.validated_data
        instance.row_version = facts.get("row_version", instance.row_version)
        return services.change_role(instance, facts.get("role", instance.role), by=self.actor)


class InvitationViewSet(PlaceViewSet):
    """Invitations to the team that are still open; a POST to `/team/` makes one, a DELETE takes one back."""

    capability = "team"
    queryset = Invitation.objects.none()
    serializer_class = OpenInvitationSerializer
    http_method_names: ClassVar[list[str]] = ["get", "post", "delete", "head", "options"]
    remove = staticmethod(services.revoke_invitation)

    def get_queryset(self) -> QuerySet[Invitation]:
        return selectors.open_invitations(*place_of(self.request)).order_by("pk")

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        raise MethodNotAllowed("POST", detail="A POST to /team/ invites somebody.")

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="send-again")
    def send_again(self, request: Request, pk: str) -> Response:
        """Mail a fresh link; the old link and this invitation end, and the answer is the new one."""
        return Response(self.get_serializer(services.invite_again(self.get_object(), by=self.actor)).data)


class TokenViewSet(PlaceViewSet):
    """Your API tokens here, and everybody's if you may revoke those; a secret is in the answer to its POST only.

    That answer is not kept either: a POST repeated with its `Idempotency-Key` says that the token was made, not its
    secret. Whoever lost it revokes the token and makes another. What programs made with a token ends with it.
    """

    capability = "tokens"
    shown_once = frozenset({"secret"})
    queryset = ApiToken.objects.none()
    serializer_class = TokenSerializer
    http_method_names: ClassVar[list[str]] = ["get", "post", "delete", "head", "options"]
    remove = staticmethod(services.revoke_token)

    def get_queryset(self) -> QuerySet[ApiToken]:
        found = selectors.tokens(*place_of(self.request))
        return found if may_end_all_tokens(self.request._request) else found.filter(user=self.request.user)

    def write(self, serializer: BaseSerializer[Any], instance: ApiToken | None) -> ApiToken:
        msp, tenant = place_of(self.request)
        token = ApiToken(user=self.request.user, msp=msp, tenant=tenant, **serializer.validated_data)
        allowed = grantable(self.request._request.can)  # type: ignore[attr-defined]
        token.secret = services.create_token(token, grantable=allowed, by=self.actor)  # type: ignore[attr-defined]
        return token
