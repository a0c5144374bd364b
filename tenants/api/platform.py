"""The operator's MSPs, regions and base domains; MSPs read their own base domains."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from portal.core.api import MspViewSet, OperatorViewSet
from tenants import selectors, services
from tenants.models import BaseDomain, Msp, Region
from tenants.serializers import (
    BaseDomainSerializer,
    MspSerializer,
    NamedSerializer,
    OwnerSerializer,
    RegionSerializer,
    WhySerializer,
)


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

    @extend_schema(request=WhySerializer, responses=MspSerializer)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str) -> Response:
        """Close its console; its customers' portals and calls go on: `{"reason": "unpaid"}`."""
        form = WhySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return self._after(services.suspend_msp(self.get_object(), **form.validated_data, by=self.actor))

    @extend_schema(request=None, responses=MspSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Open its console again."""
        return self._after(services.resume_msp(self.get_object(), by=self.actor))

    @extend_schema(request=OwnerSerializer, responses={202: OwnerSerializer})
    @action(detail=True, methods=["post"], url_path="invite-owner")
    def invite_owner(self, request: Request, pk: str) -> Response:
        """Invite an owner to its team by mail: `{"email": "ada@provider.example"}`."""
        form = OwnerSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.invite_owner(self.get_object(), form.validated_data["email"], by=self.actor)
        return Response(form.data, status=202)

    def _after(self, msp: Msp) -> Response:
        return Response(self.get_serializer(msp).data)


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
