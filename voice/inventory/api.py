"""The MSP's number stock for programs."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet
from portal.core.api_filters import found, one_of
from tenants.models import Customer
from voice.inventory import imports, selectors, services, tasks  # noqa: F401  registers the jobs
from voice.inventory.imports import Carrier
from voice.inventory.models import StockImport, StockImportError, StockNumber

MOST_IDS = 10_000


class IdsSerializer(serializers.Serializer[Any]):
    """Numbers of the stock by id."""

    ids = serializers.ListField(child=serializers.IntegerField(min_value=1), min_length=1, max_length=MOST_IDS)


class ReserveSerializer(IdsSerializer):
    """Numbers of the stock and the customer that they are kept for; nobody yet where there is none."""

    customer = serializers.IntegerField(min_value=1, allow_null=True, default=None)


class CountSerializer(serializers.Serializer[Any]):
    """How many numbers it was."""

    count = serializers.IntegerField()


class StockNumberSerializer(serializers.ModelSerializer[StockNumber]):
    """A number of the stock; `monthly_cost` is in millionths of the currency."""

    row_version = serializers.IntegerField(required=False)
    customer = serializers.IntegerField(source="tenant_id", read_only=True)
    carrier = serializers.PrimaryKeyRelatedField(queryset=Carrier.objects.all(), allow_null=True, required=False)

    class Meta:
        model = StockNumber
        fields = [
            "id",
            "e164",
            "country",
            "kind",
            "carrier",
            "customer",
            "state",
            "cooling_until",
            "monthly_cost",
            "row_version",
        ]
        read_only_fields = ["e164", "country", "state", "cooling_until"]


class StockNumberViewSet(MspViewSet):
    """The MSP's numbers: `?q=030 123&state=available`. They come in by import and change hands by `allocations`."""

    queryset = StockNumber.objects.none()
    serializer_class = StockNumberSerializer
    capability = "stock"
    save = staticmethod(services.save_stock_number)
    ordering = ("e164", "pk")
    filters = {
        "q": found(selectors.search, "A number in any format, or a part of its digits."),
        "state": one_of("state", StockNumber.State),
    }

    def get_queryset(self) -> QuerySet[StockNumber]:
        return StockNumber.objects.filter(msp=self.request.msp)

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        raise MethodNotAllowed("POST", detail="Numbers come into the stock by /imports/.")

    @extend_schema(request=ReserveSerializer, responses=CountSerializer)
    @action(detail=False, methods=["post"])
    def reserve(self, request: Request) -> Response:
        """Keep free numbers back, for one customer or for nobody yet: `{"ids": [1, 2], "customer": 7}`."""
        given = ReserveSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        key = given.validated_data["customer"]
        customer = get_object_or_404(Customer, pk=key, msp=request.msp) if key else None
        ids = given.validated_data["ids"]
        return Response({"count": services.reserve(ids, msp=request.msp, customer=customer, by=self.actor)})

    @extend_schema(request=IdsSerializer, responses=CountSerializer)
    @action(detail=False, methods=["post"])
    def unreserve(self, request: Request) -> Response:
        """Make reserved numbers free again: `{"ids": [1, 2]}`."""
        given = IdsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return Response({"count": services.unreserve(given.validated_data["ids"], msp=request.msp, by=self.actor)})

    @extend_schema(request=IdsSerializer, responses=CountSerializer)
    @action(detail=False, methods=["post"])
    def close(self, request: Request) -> Response:
        """Take free numbers out of the stock for good: `{"ids": [1, 2]}`."""
        given = IdsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        count = services.close_numbers(given.validated_data["ids"], msp=request.msp, by=self.actor)
        return Response({"count": count})


class StockImportSerializer(serializers.ModelSerializer[StockImport]):
    """An import: what was found, and in `errors` (at /errors/) what is wrong line by line."""

    content = serializers.CharField(write_only=True, max_length=imports.MOST_BYTES, trim_whitespace=False)
    country = serializers.RegexField(r"^[A-Z]{2}\Z", source="default_country")
    carrier = serializers.PrimaryKeyRelatedField(queryset=Carrier.objects.all(), allow_null=True, required=False)

    class Meta:
        model = StockImport
        fields = [
            "id",
            "name",
            "content",
            "country",
            "carrier",
            "state",
            "total",
            "good",
            "bad",
            "stored",
            "message",
            "created_at",
        ]
        read_only_fields = ["state", "total", "good", "bad", "stored", "message", "created_at"]


class StockImportErrorSerializer(serializers.ModelSerializer[StockImportError]):
    class Meta:
        model = StockImportError
        fields = ["row", "column", "value", "words"]


class StockImportViewSet(MspViewSet):
    """Imports: POST the file's text, look at what was found, then POST to /confirm/."""

    queryset = StockImport.objects.none()
    serializer_class = StockImportSerializer
    capability = "stock"
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self) -> QuerySet[StockImport]:
        return StockImport.objects.filter(msp=self.request.msp).defer("content")

    def write(self, serializer: Any, instance: StockImport | None) -> StockImport:
        data = dict(serializer.validated_data)
        content = data.pop("content").encode()
        return imports.start_import(StockImport(msp=self.request.msp, content=content, **data), by=self.actor)

    @extend_schema(responses=StockImportErrorSerializer(many=True))
    @action(detail=True, methods=["get"])
    def errors(self, request: Request, pk: str | None = None) -> Response:
        """List what is wrong, line by line, in pages."""
        page = self.paginate_queryset(self.get_object().errors.all())
        return self.get_paginated_response(StockImportErrorSerializer(page, many=True).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str | None = None) -> Response:
        """Check an import once more whose check came to nothing."""
        return Response(self.get_serializer(imports.check_again(self.get_object(), by=self.actor)).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        """Drop an import that was not confirmed."""
        imports.cancel_import(self.get_object(), by=self.actor)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str | None = None) -> Response:
        """Store the good lines."""
        return Response(self.get_serializer(imports.confirm_import(self.get_object(), by=self.actor)).data)


msp_routes = [("stock-numbers", StockNumberViewSet, "stock-number"), ("imports", StockImportViewSet, "import")]
