"""The connectivity advisor for programs. Amounts are whole millionths of the assessment's currency."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from portal.core.api import MspViewSet
from voice.advisor import selectors, services
from voice.advisor.models import Assessment, FirstValues, UserGroup
from voice.advisor.services import GROUP


class UserGroupSerializer(serializers.ModelSerializer[UserGroup]):
    """Some people, or devices, of one country; minutes are those of one of them in a month."""

    class Meta:
        model = UserGroup
        fields = list(GROUP)


class WayReasonSerializer(serializers.Serializer[Any]):
    """Why a way does not fit, or what it gives up."""

    words = serializers.CharField()
    about = serializers.CharField()


class WayLineSerializer(serializers.Serializer[Any]):
    """So many of something: cost and price each month, or once."""

    way = serializers.CharField()
    words = serializers.CharField()
    count = serializers.IntegerField()
    unit = serializers.CharField()
    cost = serializers.IntegerField()
    price = serializers.IntegerField()
    once = serializers.BooleanField()


class WaySerializer(serializers.Serializer[Any]):
    """One way over the whole term; `ways` has that of each group, `pays_off_after` is a month, null for never."""

    way = serializers.CharField()
    fits = serializers.BooleanField()
    weeks = serializers.IntegerField()
    months = serializers.IntegerField()
    ways = serializers.ListField(child=serializers.CharField())
    price_once = serializers.IntegerField()
    price_monthly = serializers.IntegerField()
    price_a_person = serializers.IntegerField()
    price = serializers.IntegerField()
    cost = serializers.IntegerField()
    margin = serializers.IntegerField()
    margin_share = serializers.FloatField(allow_null=True)
    pays_off_after = serializers.IntegerField(allow_null=True)
    stops = WayReasonSerializer(many=True)
    given_up = WayReasonSerializer(many=True)
    lines = WayLineSerializer(many=True)


class AssessmentSerializer(serializers.ModelSerializer[Assessment]):
    """A question with its groups and its own assumptions; `advice/` answers it."""

    row_version = serializers.IntegerField(required=False)
    customer = serializers.IntegerField(source="tenant_id", allow_null=True, required=False)
    groups = UserGroupSerializer(many=True)

    class Meta:
        model = Assessment
        fields = [
            "id", "name", "customer", "currency", "goal", "weeks", "needs", "note", "groups", "assumptions",
            "changed_at", "row_version",
        ]  # fmt: skip
        read_only_fields = ["assumptions", "changed_at"]


class AssumptionsSerializer(serializers.Serializer[Any]):
    """Assumptions by their keys, as `assumptions/` lists them; those left out become the first values."""

    assumptions = serializers.DictField(child=serializers.JSONField())


class AssessmentViewSet(MspViewSet):
    """Questions to the connectivity advisor: for whom, with how many people where, and what they ask for."""

    queryset = Assessment.objects.none()
    serializer_class = AssessmentSerializer
    capability = "advice"
    save = staticmethod(services.save_assessment)
    remove = staticmethod(services.delete_assessment)

    def get_queryset(self) -> QuerySet[Assessment]:
        return selectors.assessments(self.request.msp).order_by("pk")

    def write(self, serializer: BaseSerializer[Any], instance: Assessment | None) -> Assessment:
        facts = dict(serializer.validated_data)
        row = instance if instance is not None else selectors.new_assessment(self.request.msp)
        groups = facts.pop("groups", None)
        if groups is None:
            groups = list(row.groups.order_by("position").values(*GROUP))
        for name, value in facts.items():
            setattr(row, name, value)
        saved = services.save_assessment(row, groups, by=self.actor)
        return self.get_queryset().get(pk=saved.pk)

    @extend_schema(responses=WaySerializer(many=True))
    @action(detail=True, pagination_class=None)
    def advice(self, request: Request, pk: str) -> Response:
        """Answer with every way, those that fit first, the best of them at the top."""
        return Response(WaySerializer(selectors.advice_for(self.get_object()).options, many=True).data)

    @extend_schema(request=AssumptionsSerializer, responses=AssumptionsSerializer)
    @action(detail=True, methods=["get", "put"], url_path="assumptions")
    def assume(self, request: Request, pk: str) -> Response:
        """Read or replace what this question is reckoned with."""
        row = self.get_object()
        if request.method == "PUT":
            given = AssumptionsSerializer(data=request.data)
            given.is_valid(raise_exception=True)
            services.assume(row, given.validated_data["assumptions"], by=self.actor)
        return Response({"assumptions": selectors.values_of(row)})


class FirstValuesSerializer(serializers.ModelSerializer[FirstValues]):
    """Your own first values: only what differs from those that Strowger comes with."""

    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = FirstValues
        fields = ["id", "assumptions", "row_version"]


class FirstValuesViewSet(MspViewSet):
    """What each new question is reckoned with; POST stores them for the first time."""

    queryset = FirstValues.objects.none()
    serializer_class = FirstValuesSerializer
    capability = "advice"
    http_method_names = ["get", "post", "patch", "head", "options"]

    def get_queryset(self) -> QuerySet[FirstValues]:
        return FirstValues.objects.filter(msp=self.request.msp)

    def write(self, serializer: BaseSerializer[Any], instance: FirstValues | None) -> FirstValues:
        facts = serializer.validated_data
        first = instance if instance is not None else selectors.first_values(self.request.msp)
        first.row_version = facts.get("row_version", first.row_version)
        return services.save_first_values(first, facts.get("assumptions", first.assumptions), by=self.actor)


msp_routes = [
    ("assessments", AssessmentViewSet, "assessment"),
    ("advisor-first-values", FirstValuesViewSet, "advisor-first-values"),
]
