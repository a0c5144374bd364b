"""The customers of an MSP."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from portal.core.api import MspViewSet, TenantViewSet
from tenants import selectors, services
from tenants.models import Customer, Msp
from tenants.serializers import (
    CompanySerializer,
    CustomerSerializer,
    EverybodySerializer,
    InvitationSerializer,
    LeavesOpenSerializer,
    ReasonSerializer,
)


class CustomerViewSet(MspViewSet):
    """The MSP's customers. Limits are on the SBCs seconds after a PATCH; use If-Match to overwrite nobody."""

    capability = "customers"
    capabilities: ClassVar[dict[str, str]] = {"leaves_open": "bills.view"}
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

    @extend_schema(request=None, responses=LeavesOpenSerializer)
    @action(detail=True, methods=["get"], url_path="leaves-open")
    def leaves_open(self, request: Request, pk: str) -> Response:
        """Return what it leaves open where it is closed: contracts that go on, open bills, money of its own."""
        return Response({"leaves_open": services.leaves_open(self.get_object())})

    @extend_schema(request=InvitationSerializer, responses={202: InvitationSerializer})
    @action(detail=True, methods=["post"])
    def invite(self, request: Request, pk: str) -> Response:
        """Invite somebody to its team by mail: `{"email": "ada@example.com", "role": "admin"}`."""
        form = InvitationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.invite(**form.validated_data, msp=None, tenant=self.get_object(), by=self.actor)
        return Response(form.data, status=202)

    @extend_schema(request=EverybodySerializer, responses=EverybodySerializer)
    @action(detail=False, methods=["get", "post"])
    def limits(self, request: Request) -> Response:
        """Read or set what holds for customers without a value of their own: `{"longest_call_minutes": 240}`."""
        msp = Msp.objects.get(pk=request._request.msp.pk)  # type: ignore[attr-defined]
        if request.method == "POST":
            given = EverybodySerializer(data=request.data)
            given.is_valid(raise_exception=True)
            msp = services.save_longest_call(msp, given.validated_data["longest_call_minutes"], by=self.actor)
        return Response(EverybodySerializer(msp).data)

    def _said(self) -> dict[str, str]:
        form = ReasonSerializer(data=self.request.data)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)

    def _after(self, customer: Customer) -> Response:
        return Response(self.get_serializer(customer).data)


class CompanyViewSet(TenantViewSet):
    """Your company; a PATCH of `hide_numbers` hides the last three digits in call lists, or shows them."""

    capability = "settings"
    queryset = Customer.objects.none()
    serializer_class = CompanySerializer
    http_method_names: ClassVar[list[str]] = ["get", "patch", "head", "options"]

    def get_queryset(self) -> QuerySet[Customer]:
        return Customer.objects.filter(pk=self.request.tenant.pk)

    def write(self, serializer: BaseSerializer[Any], instance: Customer | None) -> Customer:
        customer: Customer = self.request.tenant
        return services.hide_numbers(
            customer, hide=serializer.validated_data.get("hide_numbers", customer.hide_numbers), by=self.actor
        )
