"""Plans for programs. A published version never changes: `new-version` makes a draft of it."""

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet
from portal.core.api_filters import Number
from voice.plans import moving, services
from voice.plans import tasks as tasks  # registers the job
from voice.plans.models import Component, ComponentTier, Plan, PlanVersion
from voice.plans.previews import Month, example
from voice.plans.tiers import Tier
from voice.rating.models import RateDeck


class TierSerializer(serializers.ModelSerializer[ComponentTier]):
    """Minutes of the month up to `up_to`, or all further ones where it is null."""

    up_to = serializers.IntegerField(min_value=1, max_value=10**9, allow_null=True)
    per_minute = serializers.IntegerField(min_value=0, max_value=10**10)

    class Meta:
        model = ComponentTier
        fields = ["up_to", "per_minute"]


class ComponentSerializer(serializers.ModelSerializer[Component]):
    """Something that a version asks for or gives; `per_million` is a discount, 10 % is 100000."""

    version = serializers.PrimaryKeyRelatedField(queryset=PlanVersion.objects.all())
    tiers = TierSerializer(many=True, required=False)
    destinations = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=1000)
    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = Component
        fields = [
            "id", "version", "kind", "name", "amount", "per", "minutes", "pool", "roll_over", "destinations",
            "per_million", "scope", "months", "optional", "tax_class", "tiers", "row_version",
        ]  # fmt: skip
        validators: list[Any] = []


class VersionSerializer(serializers.ModelSerializer[PlanVersion]):
    """A version: from when it may be sold, by which deck calls are priced, what it is made of."""

    deck = serializers.PrimaryKeyRelatedField(
        queryset=RateDeck.objects.filter(kind="sell"), allow_null=True, required=False
    )
    components = ComponentSerializer(many=True, read_only=True)
    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = PlanVersion
        fields = [
            "id", "plan", "number", "state", "effective_from", "deck", "note", "published_at", "components",
            "row_version",
        ]  # fmt: skip
        read_only_fields = ["plan", "number", "state", "published_at"]
        validators: list[Any] = []


class PlanSerializer(serializers.ModelSerializer[Plan]):
    """A plan; `versions` are its versions by number, `draft` among them where there is one."""

    versions = serializers.SerializerMethodField()
    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = Plan
        fields = ["id", "name", "currency", "zone", "note", "closed_at", "versions", "row_version"]
        read_only_fields = ["closed_at"]
        validators: list[Any] = []

    def get_versions(self, plan: Plan) -> list[dict[str, Any]]:
        return [
            {"id": each.pk, "number": each.number, "state": each.state}
            for each in sorted(plan.versions.all(), key=lambda each: each.number)
        ]


class PlanViewSet(MspViewSet):
    """The MSP's plans."""

    queryset = Plan.objects.none()
    serializer_class = PlanSerializer
    capability = "plans"
    save = staticmethod(services.save_plan)

    def get_queryset(self) -> QuerySet[Plan]:
        return Plan.objects.filter(msp=self.request.msp).prefetch_related("versions").order_by("pk")

    def new(self) -> Plan:
        return Plan(msp=self.request.msp)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str | None = None) -> Response:
        """Take a plan out of sale; contracts that have it keep it."""
        services.close_plan(self.get_object(), by=self.actor)
        return Response(PlanSerializer(self.get_object()).data)

    @extend_schema(request=None, responses=VersionSerializer)
    @action(detail=True, methods=["post"], url_path="new-version")
    def new_version(self, request: Request, pk: str | None = None) -> Response:
        """Return the plan's draft: a copy of its newest version where there is none yet."""
        return Response(VersionSerializer(services.new_version(self.get_object(), by=self.actor)).data)


class MoveSerializer(serializers.Serializer[Any]):
    """The day that belongs to the version first, and which contracts; all of the plan's others where none is named."""

    on = serializers.DateField()
    contracts = serializers.ListField(child=serializers.IntegerField(), required=False, max_length=100_000)


class MovableSerializer(serializers.Serializer[Any]):
    """A contract, and why it cannot go over; empty where it can."""

    contract = serializers.IntegerField()
    why_not = serializers.CharField()


class MovingSerializer(serializers.Serializer[Any]):
    """The job that moves contracts."""

    job = serializers.UUIDField()


class VersionViewSet(MspViewSet):
    """Versions of plans: `?plan=7`. PATCH and DELETE are for drafts."""

    queryset = PlanVersion.objects.none()
    serializer_class = VersionSerializer
    capability = "plans"
    http_method_names = ["get", "patch", "post", "delete", "head", "options"]
    filters = {"plan": Number("plan")}
    save = staticmethod(services.save_version)
    remove = staticmethod(services.drop_version)

    def get_queryset(self) -> QuerySet[PlanVersion]:
        found = PlanVersion.objects.filter(msp=self.request.msp).select_related("plan", "deck")
        return found.prefetch_related("components__tiers").order_by("pk")

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Versions are made by the plan's `new-version`."""
        return self.http_method_not_allowed(request, *args, **kwargs)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str | None = None) -> Response:
        """Make a draft what it will be for good."""
        services.publish(self.get_object(), by=self.actor)
        return Response(VersionSerializer(self.get_object()).data)

    def _chosen(self, data: Any) -> tuple[PlanVersion, date, list[int]]:
        told = MoveSerializer(data=data)
        told.is_valid(raise_exception=True)
        version = self.get_object()
        every = moving.movable(version, timezone.localdate()).values_list("pk", flat=True)
        return version, told.validated_data["on"], list(told.validated_data.get("contracts", every))

    @extend_schema(parameters=[OpenApiParameter("on", date, required=True)], responses=MovableSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def movable(self, request: Request, pk: str | None = None) -> Response:
        """Say which contracts of the plan's other versions can have this one from a day on: `?on=2026-07-01`."""
        version, on, chosen = self._chosen({"on": request.query_params.get("on")})
        judged = moving.judge(version, on, chosen)
        return Response([{"contract": each.contract.pk, "why_not": each.why} for each in judged])

    @extend_schema(request=MoveSerializer, responses={202: MovingSerializer})
    @action(detail=True, methods=["post"], url_path="move-contracts")
    def move_contracts(self, request: Request, pk: str | None = None) -> Response:
        """Move contracts in the background; the job's result says which went over, and why others did not."""
        version, on, chosen = self._chosen(request.data)
        return Response({"job": moving.start(version, on, chosen, by=self.actor).pk}, 202)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def example(self, request: Request, pk: str | None = None) -> Response:
        """Say what a customer with ten users and 1,000 minutes would pay for its first month."""
        return Response(month_as_data(example(self.get_object(), timezone.localdate())))


class ComponentViewSet(MspViewSet):
    """What versions are made of: `?version=12`. Changes are for drafts."""

    queryset = Component.objects.none()
    serializer_class = ComponentSerializer
    capability = "plans"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    filters = {"version": Number("version")}
    remove = staticmethod(services.remove_component)

    def get_queryset(self) -> QuerySet[Component]:
        found = Component.objects.filter(msp=self.request.msp).select_related("version__plan", "version__deck")
        return found.prefetch_related("tiers").order_by("pk")

    def write(self, serializer: Any, instance: Component | None) -> Component:
        row = instance or Component(msp=self.request.msp)
        given = dict(serializer.validated_data)
        tiers = given.pop("tiers", None)
        if instance is not None and given.pop("version", instance.version) != instance.version:
            raise serializers.ValidationError({"version": ["A component stays in its version."]})
        for name, value in given.items():
            setattr(row, name, value)
        if tiers is None:
            kept = row.tiers.all() if row.pk else []
            tiers = [{"up_to": tier.up_to, "per_minute": tier.per_minute} for tier in kept]
        ordered = sorted(tiers, key=lambda tier: (tier["up_to"] is None, tier["up_to"] or 0))
        made = [Tier(tier["up_to"], tier["per_minute"]) for tier in ordered]
        services.save_component(row, tiers=made, by=self.actor)
        return self.get_queryset().get(pk=row.pk)


def month_as_data(month: Month) -> dict[str, Any]:
    """Return what a month costs as programs read it."""
    return {
        "begins": month.begins.isoformat(),
        "ends": month.ends.isoformat(),
        "currency": month.currency,
        "net": month.total,
        "lines": [
            {
                "kind": item.kind,
                "text": item.text,
                "micros": item.micros,
                "currency": item.currency or month.currency,
                "quantity": item.quantity,
                "seconds": item.seconds,
            }
            for item in month.bill.items
        ],
        "included": [
            {"name": each.name, "given_seconds": each.given, "left_seconds": each.left}
            for each in month.bill.allowances
        ],
    }
