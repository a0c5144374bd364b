"""Quotes for programs; who may not see costs gets prices only."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from portal.core.api import MspViewSet
from tenants.models import Customer
from voice.plans import quoting
from voice.plans.models import PlanVersion, Quote
from voice.plans.quoting import COUNTED, Assumptions, traffic_of
from voice.plans.views_quotes import shown


class TrafficSerializer(serializers.Serializer[Any]):
    """Outgoing calls of a month to a destination, as the deck calls it."""

    destination = serializers.CharField(max_length=200)
    minutes = serializers.IntegerField(min_value=0, max_value=10**8)
    calls = serializers.IntegerField(min_value=1, max_value=quoting.MOST_CALLS)


class QuoteSerializer(serializers.ModelSerializer[Quote]):
    """A quote: the traffic of a `customer` in a `month`, or typed `traffic`, under `versions` of plans."""

    customer = serializers.PrimaryKeyRelatedField(
        source="tenant", queryset=Customer.objects.all(), required=False, allow_null=True
    )
    month = serializers.DateField(write_only=True)
    versions = serializers.PrimaryKeyRelatedField(
        queryset=PlanVersion.objects.filter(state=PlanVersion.State.PUBLISHED), many=True, write_only=True
    )
    traffic = TrafficSerializer(many=True, write_only=True, required=False)
    cost = serializers.IntegerField(write_only=True, required=False, allow_null=True, min_value=0)
    users = serializers.IntegerField(write_only=True, required=False, allow_null=True, min_value=0, max_value=100_000)
    numbers = serializers.IntegerField(write_only=True, required=False, allow_null=True, min_value=0, max_value=100_000)
    trunks = serializers.IntegerField(write_only=True, required=False, allow_null=True, min_value=0, max_value=10_000)
    channels = serializers.IntegerField(
        write_only=True, required=False, allow_null=True, min_value=0, max_value=100_000
    )
    assumptions = serializers.SerializerMethodField()
    outcome = serializers.SerializerMethodField()

    class Meta:
        model = Quote
        fields = [
            "id", "title", "customer", "month", "versions", "traffic", "cost", *COUNTED, "assumptions", "outcome",
            "made_by", "created_at",
        ]  # fmt: skip
        read_only_fields = ["made_by"]
        validators: list[Any] = []

    def _may_see_costs(self) -> bool:
        return bool(self.context["request"].can("costs.view"))

    def get_assumptions(self, quote: Quote) -> dict[str, Any]:
        return shown(quote.assumptions, costs=self._may_see_costs())

    def get_outcome(self, quote: Quote) -> list[dict[str, Any]]:
        return [shown(each, costs=self._may_see_costs()) for each in quote.outcome]


class QuoteViewSet(MspViewSet):
    """Saved quotes. POST reckons one and keeps it as it is today."""

    queryset = Quote.objects.none()
    serializer_class = QuoteSerializer
    capability = "plans"
    http_method_names = ["get", "post", "delete", "head", "options"]
    remove = staticmethod(quoting.remove_quote)
    ordering = ("-pk",)

    def get_queryset(self) -> QuerySet[Quote]:
        return Quote.objects.filter(msp=self.request.msp).select_related("tenant").order_by("-pk")

    def write(self, serializer: Any, instance: Quote | None) -> Quote:
        told = serializer.validated_data
        customer, traffic = told.get("tenant"), told.get("traffic", [])
        if customer is None and not traffic:
            raise serializers.ValidationError({"traffic": ["Name a customer, or its traffic."]})
        lines = [(each["destination"], each["minutes"], each["calls"]) for each in traffic]
        assumed = Assumptions(
            told["month"].replace(day=1),
            customer,
            traffic=traffic_of(lines),
            cost=told.get("cost") if self.request.can("costs.view") else None,
            **{name: told.get(name) for name in COUNTED},
        )
        row = Quote(msp=self.request.msp, title=told["title"])
        return quoting.save_quote(row, assumed, list(told["versions"]), by=self.actor)
