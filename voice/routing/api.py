"""The routing policy for programs: the same writes as the pages."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet, TenantViewSet
from tenants.models import Customer
from voice.carriers.selectors import trunks_for
from voice.emergency.selectors import emergency_for
from voice.rating.models import LossPolicy
from voice.rating.ranking import set_loss_policy
from voice.rating.typical import in_words
from voice.routing import selectors, services
from voice.routing.api_costs import CallCostViewSet
from voice.routing.cautions import cautions
from voice.routing.explain import explain
from voice.routing.forms import TryForm
from voice.routing.models import Route, Schedule

MOST_LINES = 10_000


class RouteSerializer(serializers.ModelSerializer):
    """A line of the policy; `trunks` are ids in the order they are tried."""

    trunks = serializers.ListField(child=serializers.IntegerField(), required=False, write_only=True)
    is_live = serializers.SerializerMethodField()

    class Meta:
        model = Route
        fields = [
            "id",
            "position",
            "is_default",
            "pattern",
            "caller_pattern",
            "schedule",
            "action",
            "trunks",
            "trunk_order",
            "enabled",
            "note",
            "row_version",
            "is_live",
        ]
        read_only_fields = ["position", "is_default"]
        extra_kwargs = {"row_version": {"required": False}, "trunk_order": {"required": False}}

    def get_is_live(self, route: Route) -> bool:
        return route.config_version <= self.context["request"].tenant.live_version

    def to_representation(self, route: Route) -> dict[str, Any]:
        return {**super().to_representation(route), "trunks": [each.trunk_id for each in route.trunks.all()]}


class OrderSerializer(serializers.Serializer[Any]):
    """All lines but the last by id, in the order wanted; with `seen`, only if they stand as they were read."""

    ids = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=MOST_LINES)
    seen = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=MOST_LINES, required=False)


class RouteViewSet(TenantViewSet):
    """Lines of the routing policy in dial order; the first that matches wins."""

    serializer_class = RouteSerializer
    capability = "routing"
    capabilities: ClassVar[dict[str, str]] = {"try_number": "routing.view"}
    save = staticmethod(services.save_route)

    def get_queryset(self) -> QuerySet[Route]:
        return selectors.routes_in_dial_order()

    def write(self, serializer: RouteSerializer, instance: Route | None) -> Route:
        data = dict(serializer.validated_data)
        seen = data.pop("row_version", instance.row_version if instance else None)
        stored = [each.trunk_id for each in instance.trunks.all()] if instance else []
        trunks = data.pop("trunks", stored)
        route = instance or Route()
        for name, value in data.items():
            setattr(route, name, value)
        return services.save_route(
            route, trunks, customer=self.request.tenant, by=self.request.actor, seen=seen if instance else None
        )

    def remove(self, route: Route, *, by: Any) -> None:
        services.delete_route(route, customer=self.request.tenant, by=by)

    @extend_schema(request=OrderSerializer, responses=OrderSerializer)
    @action(detail=False, methods=["post"])
    def order(self, request: Request) -> Response:
        """Put the lines in another order: `{"ids": [3, 1, 2]}`, all of them but the last line."""
        given = OrderSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        services.set_order(wanted["ids"], customer=request.tenant, by=self.actor, seen=wanted.get("seen"))
        return Response(wanted)

    @extend_schema(
        parameters=[
            OpenApiParameter("number", str, required=True),
            OpenApiParameter("caller", str),
            OpenApiParameter("at", OpenApiTypes.DATETIME),
        ],
        responses=OpenApiTypes.OBJECT,
    )
    @action(detail=False, methods=["get"], url_path="try", pagination_class=None)
    def try_number(self, request: Request) -> Response:
        """Say what a call would do: `?number=…&caller=…&at=…`; nothing is called.

        `shown` is the number that the call shows, by which lines tell callers apart; without a caller the default one.
        `pays_micros` is what a call of `typical_seconds` costs by your prices, null where it has none that you may see.
        """
        customer = request.tenant
        dials = [each.dial for each in emergency_for(customer)]
        form = TryForm(request.query_params, country=customer.country, emergency=dials)
        if not form.is_valid():
            raise ValidationError(form.errors.as_data())
        called, caller = form.cleaned_data["number"], form.cleaned_data["caller"]
        at = form.cleaned_data["at"] or timezone.now()
        tried = selectors.try_number(customer, called.lstrip("+"), caller.lstrip("+"), at)
        choice, names = tried.choice, {trunk.gateway: trunk.name for trunk in trunks_for(customer)}
        explained = explain(choice, called, names, in_words(tried.seconds))
        shows_price = tried.is_priced and request.can("bills.view")  # type: ignore[attr-defined]
        return Response(
            {
                "outcome": choice.outcome,
                "shown": f"+{choice.shown}" if choice.shown else "",
                "sentence": explained.sentence,
                "notes": [*explained.notes, *cautions(customer, choice, called, caller, at)],
                "route": explained.matched,
                "typical_seconds": tried.seconds,
                "pays_micros": tried.pays if shows_price else None,
                "currency": tried.currency if shows_price else "",
                "trunks": choice.trunks,
                "left_out": [gateway for gateway, _why in choice.left_out],
                "trace": [{"route": route, "why": why} for route, why in explained.lines],
            }
        )


class ScheduleSerializer(serializers.ModelSerializer):
    """Opening hours: `windows` as `[{"days": [0, 1], "begin": "09:00", "until": "17:00"}]`, Monday is 0."""

    class Meta:
        model = Schedule
        fields = ["id", "name", "windows", "closed", "row_version"]
        extra_kwargs = {"row_version": {"required": False}}


class ScheduleViewSet(TenantViewSet):
    """Opening hours that lines of the policy can be bound to."""

    serializer_class = ScheduleSerializer
    capability = "routing"
    save = staticmethod(services.save_schedule)

    def get_queryset(self) -> QuerySet[Schedule]:
        return Schedule.objects.order_by("pk")

    def write(self, serializer: ScheduleSerializer, instance: Schedule | None) -> Schedule:
        data = dict(serializer.validated_data)
        seen = data.pop("row_version", instance.row_version if instance else None)
        schedule = instance or Schedule()
        for name, value in data.items():
            setattr(schedule, name, value)
        return services.save_schedule(
            schedule, customer=self.request.tenant, by=self.request.actor, seen=seen if instance else None
        )

    def remove(self, schedule: Schedule, *, by: Any) -> None:
        services.delete_schedule(schedule, customer=self.request.tenant, by=by)


class LossPolicySerializer(serializers.Serializer[LossPolicy]):
    """What becomes of calls below cost: of `customer`, or of everybody where that is null; empty follows everybody.

    `typical_seconds` is the length of the call by whose cost trunks are compared, everybody's alone: 180 while it is
    null. Left out of a POST, it stays.
    """

    customer = serializers.IntegerField(source="tenant_id", min_value=1, allow_null=True, default=None)
    mode = serializers.ChoiceField(LossPolicy.Mode.choices, allow_blank=True)
    typical_seconds = serializers.IntegerField(min_value=1, max_value=7200, allow_null=True, required=False)
    row_version = serializers.IntegerField(required=False)


class LossPolicyViewSet(MspViewSet):
    """What becomes of calls that cost more than they bring, `report` or `refuse`, and by which call that is told.

    A POST sets it.
    """

    queryset = LossPolicy.objects.none()
    serializer_class = LossPolicySerializer
    capability = "rates"
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self) -> QuerySet[LossPolicy]:
        return LossPolicy.objects.filter(msp=self.request.msp)  # type: ignore[attr-defined]

    def write(self, serializer: Any, instance: LossPolicy | None) -> LossPolicy:
        data, msp = serializer.validated_data, self.request.msp  # type: ignore[attr-defined]
        customer = None
        if data["tenant_id"] is not None:
            customer = Customer.objects.filter(pk=data["tenant_id"], msp=msp).first()
            if customer is None:
                raise ValidationError({"customer": _("You have no such customer.")})
        set_loss_policy(
            msp, customer, data["mode"], typical=data.get("typical_seconds"), by=self.actor,
            seen=data.get("row_version"),
        )  # fmt: skip
        stored = LossPolicy.objects.filter(msp=msp, tenant=customer).first()
        return stored or LossPolicy(msp=msp, tenant=customer, mode="")


msp_routes = [("loss-policies", LossPolicyViewSet, "loss-policy"), ("call-costs", CallCostViewSet, "call-cost")]
routes = [("routes", RouteViewSet, "route"), ("schedules", ScheduleViewSet, "schedule")]
