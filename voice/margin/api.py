"""Margins for programs: what is wanted, and what each customer and route left in a month."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework import serializers

from portal.core.api import MspViewSet
from tenants.models import Customer
from voice.margin import api_carriers, services
from voice.margin.models import Target
from voice.rating.models import MarginSum


class TargetSerializer(serializers.ModelSerializer[Target]):
    """The margin wanted, in thousandths of revenue; `customer` empty is for all without a target of their own."""

    customer = serializers.IntegerField(source="tenant_id", allow_null=True, default=None)
    per_mille = serializers.IntegerField(min_value=0, max_value=999, allow_null=True)

    class Meta:
        model = Target
        fields = ["id", "customer", "per_mille", "row_version"]
        read_only_fields = ["row_version"]


class TargetViewSet(MspViewSet):
    """The margins that are wanted; a POST sets the one of its customer, or takes it away where `per_mille` is null."""

    queryset = Target.objects.none()
    serializer_class = TargetSerializer
    capability = "margin"
    http_method_names = ("get", "post", "head", "options")

    def get_queryset(self) -> QuerySet[Target]:
        return Target.objects.filter(msp=self.request.msp)

    def write(self, serializer: Any, instance: Target | None) -> Target:
        data = serializer.validated_data
        customer = None
        if data["tenant_id"] is not None:
            customer = Customer.objects.filter(pk=data["tenant_id"], msp=self.request.msp).first()
            if customer is None:
                raise ValidationError({"customer": "You have no such customer."})
        found = services.set_target(self.request.msp, customer, data["per_mille"], by=self.actor)
        return found or Target(msp=self.request.msp, tenant=customer, per_mille=0)


class MarginSumSerializer(serializers.ModelSerializer[MarginSum]):
    customer = serializers.IntegerField(source="tenant_id")

    class Meta:
        model = MarginSum
        fields = [
            "grain", "at", "customer", "direction", "destination", "trunk", "currency", "calls", "seconds", "earned",
            "cost", "unpriced", "uncosted",
        ]  # fmt: skip


class MarginSumViewSet(MspViewSet):
    """What calls earned and cost by customer and month, day or `route` (a month by direction, destination and trunk).

    Times are UTC, amounts millionths of the currency, without fees. `grain`, `customer`, `from` and `to` narrow them.
    """

    queryset = MarginSum.objects.none()
    serializer_class = MarginSumSerializer
    capability = "margin"
    ordering = ("-at", "pk")

    def get_queryset(self) -> QuerySet[MarginSum]:
        rows, asked = MarginSum.objects.filter(msp=self.request.msp), self.request.query_params
        for name, lookup in (("from", "at__gte"), ("to", "at__lt")):
            if asked.get(name):
                rows = rows.filter(**{lookup: serializers.DateTimeField().to_internal_value(asked[name])})
        customer = asked.get("customer", "")
        if customer.isascii() and customer.isdigit():
            rows = rows.filter(tenant_id=int(customer[:9]))
        return rows.filter(grain=asked["grain"][:10]) if asked.get("grain") else rows


msp_routes = [
    *api_carriers.msp_routes,
    ("margin-targets", TargetViewSet, "margin-target"),
    ("margin-sums", MarginSumViewSet, "margin-sum"),
]
