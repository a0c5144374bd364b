"""Margins for programs: what is wanted, and what each customer and route left in a month."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.functional import cached_property
from rest_framework import serializers

from portal.core.api import MspViewSet
from portal.core.api_filters import CUSTOMER, between, one_of
from tenants.models import Customer
from voice.margin import api_carriers, selectors, services
from voice.margin.lens import Lens
from voice.margin.models import Target
from voice.margin.months import asked_lens
from voice.rating.models import MarginGrain, MarginSum


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
    filters = {**between("at"), **CUSTOMER, "grain": one_of("grain", MarginGrain)}

    def get_queryset(self) -> QuerySet[MarginSum]:
        return MarginSum.objects.filter(msp=self.request.msp)


class CustomerMonthSerializer(serializers.Serializer[Any]):
    """What a customer's month came to, in millionths of `currency`; with `in_other_currencies` a part is left out."""

    customer = serializers.IntegerField(source="pk")
    month = serializers.SerializerMethodField()
    currency = serializers.SerializerMethodField()
    calls = serializers.IntegerField(source="calls_sum")
    revenue = serializers.IntegerField()
    fees = serializers.IntegerField()
    expected = serializers.IntegerField()
    cost = serializers.IntegerField(source="spent")
    margin = serializers.IntegerField()
    wanted_per_mille = serializers.IntegerField(source="wanted", allow_null=True)
    unbilled = serializers.IntegerField()
    disputed_by_customer = serializers.IntegerField(source="disputed")
    unpriced = serializers.IntegerField(source="unpriced_sum")
    uncosted = serializers.IntegerField(source="uncosted_sum")
    in_other_currencies = serializers.BooleanField(source="elsewhere")

    def get_month(self, _row: Any) -> str:
        return str(self.context["lens"].key)

    def get_currency(self, _row: Any) -> str:
        return str(self.context["lens"].currency)


class CustomerMonthViewSet(MspViewSet):
    """What each customer's month came to, as the page of customers shows it: `?month=2026-10&currency=EUR`.

    The month is one of the last thirteen, this one where none is named. Disputed is what the customer does not accept
    of its bills for the month and waits for an answer about; it is part of the revenue, as is what is expected and on
    no invoice yet.
    """

    queryset = Customer.objects.none()
    serializer_class = CustomerMonthSerializer
    capability = "margin"
    http_method_names = ("get", "head", "options")

    @cached_property
    def lens(self) -> Lens:
        return asked_lens(self.request._request)

    def get_queryset(self) -> QuerySet[Customer]:
        return selectors.customers(self.lens).order_by("pk")

    def get_serializer_context(self) -> dict[str, Any]:
        return super().get_serializer_context() | {"lens": self.lens}


msp_routes = [
    *api_carriers.msp_routes,
    ("margin-targets", TargetViewSet, "margin-target"),
    ("margin-sums", MarginSumViewSet, "margin-sum"),
    ("margin-customers", CustomerMonthViewSet, "margin-customer"),
]
