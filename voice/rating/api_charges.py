"""Charges and usage for programs; costs and calls without a price for the MSP's."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core import jobs
from portal.core.api import MspViewSet, TenantViewSet
from portal.core.api_filters import CUSTOMER, Filters, between, one_of
from voice.calls.models.cdr import Direction
from voice.rating import asides
from voice.rating.models import Charge, Cost, PricedOutcome, Usage
from voice.rating.models.charges import UsageGrain

# A rate's prefix is left out: it may say more of a number than the caller may see.
CHARGED = [
    "id", "invited", "answered", "direction", "destination", "outcome", "micros", "currency", "seconds", "billed",
]  # fmt: skip
USED = ["grain", "at", "direction", "destination", "currency", "calls", "answered", "seconds", "billed", "micros"]


class ChargeSerializer(serializers.ModelSerializer[Charge]):  # type: ignore[misc]
    class Meta:
        model = Charge
        fields = CHARGED


class MspChargeSerializer(ChargeSerializer):
    customer = serializers.IntegerField(source="tenant_id")

    class Meta:
        model = Charge
        fields = [*CHARGED, "customer"]


class CostSerializer(serializers.ModelSerializer[Cost]):  # type: ignore[misc]
    customer = serializers.IntegerField(source="tenant_id")

    class Meta:
        model = Cost
        fields = [*CHARGED, "customer", "trunk"]


class UsageSerializer(serializers.ModelSerializer[Usage]):  # type: ignore[misc]
    class Meta:
        model = Usage
        fields = USED


class MspUsageSerializer(UsageSerializer):
    customer = serializers.IntegerField(source="tenant_id")

    class Meta:
        model = Usage
        fields = [*USED, "customer"]


class StartedSerializer(serializers.Serializer[Any]):  # type: ignore[misc]
    job = serializers.UUIDField()


CALLS: Filters = {
    **between("invited"),
    "direction": one_of("direction", Direction),
    "outcome": one_of("outcome", PricedOutcome),
}
SUMS: Filters = {**between("at"), "grain": one_of("grain", UsageGrain), "direction": one_of("direction", Direction)}


class ChargeViewSet(TenantViewSet):
    """What each answered call costs, under the id of its record, newest first; micros are millionths of the currency.

    `from`, `to`, `direction` and `outcome` narrow them.
    """

    queryset = Charge.objects.none()
    serializer_class: type[serializers.BaseSerializer[Any]] = ChargeSerializer
    capability = "bills"
    lookup_field = "id"
    lookup_value_converter = "uuid"
    ordering = ("-invited", "id")
    filters = CALLS

    def get_queryset(self) -> QuerySet[Charge]:
        return Charge.objects.filter(tenant=self.request.tenant)


class MspChargeViewSet(MspViewSet):
    """What each answered call costs its customer, newest first; `customer`, `from`, `to`, `outcome` narrow them."""

    queryset = Charge.objects.none()
    serializer_class = MspChargeSerializer
    capability = "bills"
    lookup_field = "id"
    lookup_value_converter = "uuid"
    ordering = ("-invited", "id")
    filters = {**CUSTOMER, **CALLS}

    def get_queryset(self) -> QuerySet[Charge]:
        return Charge.objects.filter(msp=self.request.msp)


class CostViewSet(MspViewSet):
    """What each answered call costs the MSP over a trunk, newest first; narrowed like charges."""

    queryset = Cost.objects.none()
    serializer_class = CostSerializer
    capability = "costs"
    lookup_field = "id"
    lookup_value_converter = "uuid"
    ordering = ("-invited", "id", "trunk")
    filters = {**CUSTOMER, **CALLS}

    def get_queryset(self) -> QuerySet[Cost]:
        return Cost.objects.filter(msp=self.request.msp)

    def get_object(self) -> Cost:
        # A call that came by one trunk and left by another has two: the call's id names the first.
        found = self.get_queryset().filter(id=self.kwargs["id"]).order_by("trunk").first()
        if found is None:
            raise Http404
        return found


class UsageViewSet(TenantViewSet):
    """What calls came to by hour or day (UTC), direction and destination; `grain`, `from` and `to` narrow it."""

    queryset = Usage.objects.none()
    serializer_class: type[serializers.BaseSerializer[Any]] = UsageSerializer
    capability = "bills"
    ordering = ("-at", "pk")
    filters = SUMS

    def get_queryset(self) -> QuerySet[Usage]:
        return Usage.objects.filter(tenant=self.request.tenant)


class MspUsageViewSet(MspViewSet):
    """What customers' calls came to by hour or day (UTC), direction and destination; `customer` names one of them."""

    queryset = Usage.objects.none()
    serializer_class = MspUsageSerializer
    capability = "bills"
    ordering = ("-at", "pk")
    filters = {**CUSTOMER, **SUMS}

    def get_queryset(self) -> QuerySet[Usage]:
        return Usage.objects.filter(msp=self.request.msp)


class UnratedCallViewSet(MspViewSet):
    """Answered calls that have no price yet, newest first."""

    queryset = Charge.objects.none()
    serializer_class = MspChargeSerializer
    capability = "rates"
    http_method_names = ("get", "post", "head", "options")
    lookup_field = "id"
    lookup_value_converter = "uuid"
    ordering = ("-invited", "id")
    filters = {**CUSTOMER, **CALLS}

    def get_queryset(self) -> QuerySet[Charge]:
        return asides.charges_aside(self.request.msp)

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refuse: calls come from nodes."""
        return self.http_method_not_allowed(request, *args, **kwargs)

    @extend_schema(request=None, responses=StartedSerializer)
    @action(detail=False, methods=["post"], url_path="price-again")  # type: ignore[untyped-decorator]
    def price_again(self, request: Request) -> Response:
        """Price all of them again by the rates that held at their answer, as a job."""
        job = jobs.start("rating.again", {}, by=self.actor)
        return Response({"job": job.pk}, status=202)


# Charges are listed by `voice.receivables`, which knows their bills.
routes = [("usage", UsageViewSet, "usage")]
msp_routes = [
    ("costs", CostViewSet, "cost"),
    ("usage", MspUsageViewSet, "usage"),
    ("unrated-calls", UnratedCallViewSet, "unrated-call"),
]
