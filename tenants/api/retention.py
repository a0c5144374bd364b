"""How long things are kept, what a hold keeps longer, and what the erasure took."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core import jobs
from portal.core.api import MspViewSet, OperatorViewSet, PlaceViewSet, TenantViewSet
from tenants import services
from tenants.models import Customer, Erasure, ErasureLine, LegalHold, RetentionRule
from tenants.serializers import WhySerializer
from tenants.services.retention import rules_for


class RetentionRuleSerializer(serializers.ModelSerializer[RetentionRule]):
    class Meta:
        model = RetentionRule
        fields = ["id", "data_class", "country", "days", "reason", "source", "row_version"]
        read_only_fields = ["row_version"]
        # Whether there is such a rule, the service says in the words of the page.
        validators: ClassVar[list[Any]] = []


class ErasureLineSerializer(serializers.ModelSerializer[ErasureLine]):
    class Meta:
        model = ErasureLine
        fields = [
            "data_class", "table", "country", "msp", "days", "before", "rows_before", "rows_removed", "rows_held",
            "rows_after", "is_proven",
        ]  # fmt: skip


class ErasureSerializer(serializers.ModelSerializer[Erasure]):
    """A run with its lines, as far as they are the reader's."""

    lines = ErasureLineSerializer(many=True, read_only=True)

    class Meta:
        model = Erasure
        fields = ["id", "month", "started_at", "finished_at", "error", "lines"]
        read_only_fields = fields


class StartedSerializer(serializers.Serializer[Any]):
    job = serializers.UUIDField()


class LegalHoldSerializer(serializers.ModelSerializer[LegalHold]):
    customer = serializers.PrimaryKeyRelatedField(source="tenant", queryset=Customer.objects.none())

    class Meta:
        model = LegalHold
        fields = [
            "id", "customer", "call", "case", "reason", "review", "placed_at", "released_at", "released_for",
        ]  # fmt: skip
        read_only_fields = ["placed_at", "released_at", "released_for"]
        validators: ClassVar[list[Any]] = []

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        request = self.context.get("request")
        msp = getattr(request, "msp", None) if request else None
        fields["customer"].queryset = Customer.objects.filter(msp=msp) if msp else Customer.objects.none()
        return fields


class Rules(PlaceViewSet):
    capability = "retention"
    queryset = RetentionRule.objects.none()
    serializer_class = RetentionRuleSerializer

    def get_queryset(self) -> QuerySet[RetentionRule]:
        return RetentionRule.objects.order_by("pk")


class OperatorRules(Rules, OperatorViewSet):
    """How long each class of data is kept, by country of the customer, or of the company that bills it where the class
    is `books`, `unbooked`, `vouchers` or `letters`; `country` empty is for all others."""

    save = staticmethod(services.save_rule)
    remove = staticmethod(services.remove_rule)


class MspRules(Rules, MspViewSet):
    """How long each class of data is kept, by country of the customer, or of the company that bills it where the class
    is `books`, `unbooked`, `vouchers` or `letters`; `country` empty is for all others."""


class CustomerRules(Rules, TenantViewSet):
    """How long your data is kept, class by class."""

    def get_queryset(self) -> QuerySet[RetentionRule]:
        mine = [rule.pk for rule in rules_for(self.request.tenant).values()]
        return super().get_queryset().filter(pk__in=mine)


class Erasures(PlaceViewSet):
    capability = "retention"
    queryset = Erasure.objects.none()
    serializer_class = ErasureSerializer
    ordering = ("-started_at", "pk")

    def get_queryset(self) -> QuerySet[Erasure]:
        return Erasure.objects.prefetch_related("lines").order_by("-started_at", "pk")


class OperatorErasures(Erasures, OperatorViewSet):
    """The runs of the erasure with their proof; a POST starts one out of its turn."""

    http_method_names: ClassVar[list[str]] = ["get", "post", "head", "options"]

    @extend_schema(request=None, responses={202: StartedSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Erase now everything whose time is over; the job tells how far it is."""
        job = jobs.start("retention.erase", {}, by=self.actor)
        return Response({"job": str(job.pk)}, status=202)


class MspErasures(Erasures, MspViewSet):
    """The runs of the erasure, with the lines of your customers."""


class LegalHolds(MspViewSet):
    """What is kept beyond its time: all data of a customer, or the record of one `call`."""

    capability = "holds"
    queryset = LegalHold.objects.none()
    serializer_class = LegalHoldSerializer
    http_method_names: ClassVar[list[str]] = ["get", "post", "head", "options"]
    save = staticmethod(services.place_hold)

    def get_queryset(self) -> QuerySet[LegalHold]:
        return LegalHold.objects.filter(msp=self.request.msp).select_related("tenant").order_by("pk")

    def new(self) -> LegalHold:
        return LegalHold(msp=self.request.msp)

    @extend_schema(request=WhySerializer, responses=LegalHoldSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Let the data go with the next erasure: `{"reason": "settled"}`."""
        form = WhySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(
            self.get_serializer(services.release_hold(self.get_object(), **form.validated_data, by=self.actor)).data
        )
