"""The API of tenancy: me, tokens, audit everywhere, teams but for the operator's; customers; MSPs and regions."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from portal.core import audit
from portal.core.api import MspViewSet, OperatorViewSet, PlaceViewSet
from portal.core.models import AuditEntry
from tenants import selectors, services
from tenants.forms.token import grantable
from tenants.models import ApiToken, BaseDomain, Customer, Membership, Msp, OwnHost, Region
from tenants.permissions import CAPABILITIES
from tenants.serializers import (
    AuditSerializer,
    BaseDomainSerializer,
    CustomerSerializer,
    InvitationSerializer,
    MemberSerializer,
    MeSerializer,
    MspSerializer,
    NamedSerializer,
    OwnHostSerializer,
    ReasonSerializer,
    RegionSerializer,
    TokenSerializer,
)


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

    def get_queryset(self) -> QuerySet[AuditEntry]:
        query = self.request.query_params
        return audit.entries(text=query.get("q", ""), verb=query.get("verb", ""), who=query.get("who", ""))


class TeamViewSet(PlaceViewSet):
    """The people of this place; POST invites somebody by mail."""

    capability = "team"
    queryset = Membership.objects.none()
    serializer_class = MemberSerializer
    http_method_names: ClassVar[list[str]] = ["get", "post", "patch", "delete", "head", "options"]
    remove = staticmethod(services.remove_member)

    def get_queryset(self) -> QuerySet[Membership]:
        return selectors.team(*_place(self.request)).order_by("pk")

    @extend_schema(request=InvitationSerializer, responses={202: InvitationSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        form = InvitationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        msp, tenant = _place(request)
        services.invite(**form.validated_data, msp=msp, tenant=tenant, by=request._request.actor)  # type: ignore[attr-defined]
        return Response(form.data, status=202)

    def write(self, serializer: BaseSerializer[Any], instance: Membership | None) -> Membership:
        assert instance is not None
        return services.change_role(instance, serializer.validated_data.get("role", instance.role), by=self.actor)


class TokenViewSet(PlaceViewSet):
    """Your API tokens here; the secret is in the answer to the POST that makes one, and nowhere else.

    That answer is not kept either: a POST repeated with its `Idempotency-Key` says that the token was made, not its
    secret. Whoever lost it revokes the token and makes another.
    """

    capability = "tokens"
    shown_once = frozenset({"secret"})
    queryset = ApiToken.objects.none()
    serializer_class = TokenSerializer
    http_method_names: ClassVar[list[str]] = ["get", "post", "delete", "head", "options"]
    remove = staticmethod(services.revoke_token)

    def get_queryset(self) -> QuerySet[ApiToken]:
        return selectors.tokens(*_place(self.request)).filter(user=self.request.user)

    def write(self, serializer: BaseSerializer[Any], instance: ApiToken | None) -> ApiToken:
        msp, tenant = _place(self.request)
        token = ApiToken(user=self.request.user, msp=msp, tenant=tenant, **serializer.validated_data)
        allowed = grantable(self.request._request.can)  # type: ignore[attr-defined]
        token.secret = services.create_token(token, grantable=allowed, by=self.actor)  # type: ignore[attr-defined]
        return token


class CustomerViewSet(MspViewSet):
    """The MSP's customers. Limits are on the SBCs seconds after a PATCH; use If-Match to overwrite nobody."""

    capability = "customers"
    queryset = Customer.objects.none()
    serializer_class = CustomerSerializer
    http_method_names: ClassVar[list[str]] = ["get", "post", "patch", "head", "options"]

    def get_queryset(self) -> QuerySet[Customer]:
        return (
            selectors.customers_of(self.request._request.msp).select_related("msp").prefetch_related("customer_regions")
        )  # type: ignore[attr-defined]

    def write(self, serializer: BaseSerializer[Any], instance: Customer | None) -> Customer:
        facts = dict(serializer.validated_data)
        email = facts.pop("admin_email", "")
        if instance is None:
            fresh = Customer(msp=self.request._request.msp, **({"time_zone": ""} | facts))  # type: ignore[attr-defined]
            return services.create_customer(fresh, by=self.actor, admin_email=email)
        facts.pop("label", None)
        for name, value in facts.items():
            setattr(instance, name, value)
        return services.save_customer(instance, by=self.actor)

    @extend_schema(request=ReasonSerializer, responses=CustomerSerializer)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str) -> Response:
        """Stop its calls, all but emergency calls: `{"reason": "unpaid"}`."""
        return self._after(services.suspend_customer(self.get_object(), reason=self._said()["reason"], by=self.actor))

    @extend_schema(request=None, responses=CustomerSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Let its calls through again."""
        return self._after(services.resume_customer(self.get_object(), by=self.actor))

    @extend_schema(request=ReasonSerializer, responses=CustomerSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """End it for good: `{"typed": "its name", "reason": "moved away"}`."""
        said = self._said()
        return self._after(
            services.close_customer(self.get_object(), typed_name=said["typed"], reason=said["reason"], by=self.actor)
        )

    def _said(self) -> dict[str, str]:
        form = ReasonSerializer(data=self.request.data)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)

    def _after(self, customer: Customer) -> Response:
        return Response(self.get_serializer(customer).data)


class MspAdminViewSet(OperatorViewSet):
    """The MSPs of the installation."""

    capability = "msps"
    queryset = Msp.objects.none()
    serializer_class = MspSerializer
    http_method_names: ClassVar[list[str]] = ["get", "post", "head", "options"]

    def get_queryset(self) -> QuerySet[Msp]:
        return selectors.msps()

    def write(self, serializer: BaseSerializer[Any], instance: Msp | None) -> Msp:
        facts = dict(serializer.validated_data)
        email = facts.pop("owner_email", "")
        return services.create_msp(Msp(**facts), by=self.actor, owner_email=email)


class RegionViewSet(OperatorViewSet):
    """The regions of the installation."""

    capability = "regions"
    queryset = Region.objects.all()
    serializer_class = RegionSerializer
    save = staticmethod(services.save_region)


class BaseDomainViewSet(OperatorViewSet):
    """The base domains of every MSP; one is added and never changed, because certificates and tenants know it."""

    capability = "msps"
    queryset = BaseDomain.objects.select_related("msp", "region")
    serializer_class = BaseDomainSerializer
    http_method_names: ClassVar[list[str]] = ["get", "post", "head", "options"]
    save = staticmethod(services.add_base_domain)

    @extend_schema(request=None, responses=NamedSerializer)
    @action(detail=True, methods=["post"], url_path="give-names")
    def give_names(self, request: Request, pk: str) -> Response:
        """Give the MSP's existing customers a name on this base domain."""
        named = services.give_names(self.get_object(), by=self.actor)
        return Response({"named": [customer.pk for customer in named]})


class MspBaseDomainViewSet(MspViewSet):
    """Your base domains; the operator adds one."""

    capability = "domains"
    queryset = BaseDomain.objects.none()
    serializer_class = BaseDomainSerializer
    http_method_names: ClassVar[list[str]] = ["get", "post", "head", "options"]

    def get_queryset(self) -> QuerySet[BaseDomain]:
        return selectors.base_domains(self.request._request.msp)  # type: ignore[attr-defined]

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        raise MethodNotAllowed("POST")

    give_names = BaseDomainViewSet.give_names


class OwnHostViewSet(MspViewSet):
    """Host names of your own for your console and your customers' portals."""

    capability = "domains"
    queryset = OwnHost.objects.none()
    serializer_class = OwnHostSerializer
    http_method_names: ClassVar[list[str]] = ["get", "post", "delete", "head", "options"]
    remove = staticmethod(services.remove_host)

    def get_queryset(self) -> QuerySet[OwnHost]:
        return selectors.own_hosts(self.request._request.msp)  # type: ignore[attr-defined]

    def write(self, serializer: BaseSerializer[Any], instance: OwnHost | None) -> OwnHost:
        msp, facts = self.request._request.msp, serializer.validated_data  # type: ignore[attr-defined]
        tenant = None
        if facts.get("tenant_id") is not None:
            tenant = selectors.customers_of(msp).filter(pk=facts["tenant_id"]).first()
            if tenant is None:
                raise ValidationError({"customer": _("Choose one of your own customers.")})
        return services.add_host(OwnHost(msp=msp, tenant=tenant, host=facts["host"]), by=self.actor)

    @extend_schema(request=None, responses=OwnHostSerializer)
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str) -> Response:
        """Look for the TXT record now; 400 says what is missing."""
        return Response(self.get_serializer(services.check_host(self.get_object(), by=self.actor)).data)

    @extend_schema(request=None, responses=OwnHostSerializer)
    @action(detail=True, methods=["post"], url_path="use-in-links")
    def use_in_links(self, request: Request, pk: str) -> Response:
        """Let mails and links use this name from now on."""
        own = self.get_object()
        services.use_in_links(own, by=self.actor)
        return Response(self.get_serializer(own).data)


def _place(request: Any) -> tuple[Msp | None, Customer | None]:
    http = request._request
    return (None, http.tenant) if http.tenant is not None else (http.msp, None)


_everywhere = [("me", MeViewSet, "me"), ("audit", AuditViewSet, "audit"), ("tokens", TokenViewSet, "token")]
_places = [*_everywhere, ("team", TeamViewSet, "team")]
routes = _places
msp_routes = [
    *_places,
    ("customers", CustomerViewSet, "customer"),
    ("base-domains", MspBaseDomainViewSet, "base-domain"),
    ("hosts", OwnHostViewSet, "host"),
]
operator_routes = [
    *_everywhere,
    ("msps", MspAdminViewSet, "msp"),
    ("regions", RegionViewSet, "region"),
    ("base-domains", BaseDomainViewSet, "base-domain"),
]
