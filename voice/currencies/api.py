"""Exchange rates for programs. `nanos` are thousand-millionths: 1 EUR = 1.0843 USD is 1084300000."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet
from portal.core.api_filters import Day, Filter
from voice.currencies import services
from voice.currencies.models import ExchangeRate


class ExchangeRateSerializer(serializers.ModelSerializer[ExchangeRate]):
    """One `base` was `nanos` thousand-millionths of `quote` on a day."""

    class Meta:
        model = ExchangeRate
        fields = ["id", "day", "base", "quote", "nanos", "kind", "source"]
        read_only_fields = ["kind"]
        validators: list[Any] = []


class FileSerializer(serializers.Serializer[Any]):
    """A file of the European Central Bank as text; without it the bank is asked for the newest."""

    file = serializers.CharField(required=False, max_length=10_000_000)


class AddedSerializer(serializers.Serializer[Any]):
    """How many rates were added."""

    added = serializers.IntegerField()


class ExchangeRateViewSet(MspViewSet):
    """Exchange rates: `?day=2026-11-27&quote=USD`. POST adds one, nothing changes one."""

    queryset = ExchangeRate.objects.none()
    serializer_class = ExchangeRateSerializer
    capability = "bills"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)
    filters = {"day": Day("day"), "quote": Filter("quote", "The currency that one of the base costs so much of.")}
    save = staticmethod(services.add_rate)

    def get_queryset(self) -> QuerySet[ExchangeRate]:
        return ExchangeRate.objects.filter(msp=self.request.msp).order_by("-pk")

    def new(self) -> ExchangeRate:
        return ExchangeRate(msp=self.request.msp)

    @extend_schema(request=FileSerializer, responses=AddedSerializer)
    @action(detail=False, methods=["post"], url_path="import")
    def import_rates(self, request: Request) -> Response:
        """Add the rates of the European Central Bank that are not there yet; answers how many those were."""
        given = FileSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        file = given.validated_data.get("file")
        if file:
            added = services.import_file(request.msp, file.encode(), by=self.actor)  # type: ignore[attr-defined]
        else:
            added = services.import_latest(request.msp, by=self.actor)  # type: ignore[attr-defined]
        return Response({"added": added})


msp_routes = [("exchange-rates", ExchangeRateViewSet, "exchange-rate")]
