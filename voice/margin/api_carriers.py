"""Carriers' invoices for programs: read in, asked about, decided, by the same services as the pages."""

import base64
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet
from portal.core.api_filters import described, narrowed, one_of
from voice.calls.masking import hidden_in
from voice.carriers.models import Carrier
from voice.margin import carrier_checks, tasks  # noqa: F401  registers the jobs
from voice.margin.models import CarrierCall, CarrierInvoice
from voice.margin.pages_carriers import words_of
from voice.rating.files.tables import MOST_BYTES


class CarrierInvoiceSerializer(serializers.ModelSerializer[CarrierInvoice]):
    """A carrier's file of calls: `content` as text, or an XLSX file in `content_base64`.

    An invoice without calls is a file of destinations and amounts with `by_destination`, or `totals` as lines of
    `Germany; 120.50`, or one amount; `decimal` says its mark where it is not clear.
    """

    carrier = serializers.PrimaryKeyRelatedField(queryset=Carrier.objects.all())
    content = serializers.CharField(write_only=True, required=False, max_length=MOST_BYTES, trim_whitespace=False)
    content_base64 = serializers.CharField(write_only=True, required=False, max_length=MOST_BYTES * 4 // 3 + 4)
    totals = serializers.CharField(write_only=True, required=False, max_length=200_000, trim_whitespace=False)
    by_destination = serializers.BooleanField(write_only=True, default=False)
    decimal = serializers.ChoiceField([".", ","], write_only=True, required=False)
    asked = serializers.SerializerMethodField()
    findings = serializers.SerializerMethodField()

    class Meta:
        model = CarrierInvoice
        fields = [
            "id", "carrier", "number", "name", "begins", "ends", "zone", "currency", "time_tolerance",
            "seconds_tolerance", "content", "content_base64", "totals", "by_destination", "decimal",
            "stage", "state", "note", "message", "asked", "summary",
            "findings", "total", "bad", "difference", "row_version", "created_at",
        ]  # fmt: skip
        read_only_fields = [
            "stage", "state", "note", "message", "summary", "total", "bad", "difference", "row_version", "created_at",
        ]  # fmt: skip

    def get_asked(self, invoice: CarrierInvoice) -> list[str]:
        return list(invoice.options.get("asked", []))

    def get_findings(self, invoice: CarrierInvoice) -> list[str]:
        return [words_of(each, invoice.currency) for each in invoice.summary.get("findings", [])]


class CarrierCallSerializer(serializers.ModelSerializer[CarrierCall]):
    customer = serializers.IntegerField(source="tenant_id", allow_null=True)

    class Meta:
        model = CarrierCall
        fields = [
            "kind", "row", "called", "at", "destination", "seconds", "micros", "our_seconds", "our_micros",
            "difference", "customer", "record",
        ]  # fmt: skip


class CarrierFileReadingSerializer(serializers.Serializer[Any]):
    """How the file is to be read: columns by place, counted from 0."""

    columns = serializers.DictField(child=serializers.IntegerField(min_value=0, max_value=59), required=False)
    header = serializers.IntegerField(min_value=-1, max_value=39, required=False)
    decimal = serializers.ChoiceField([".", ","], required=False)
    dates = serializers.ChoiceField(["dmy", "mdy"], required=False)
    zone = serializers.CharField(required=False, max_length=60)


class CarrierInvoiceDecisionSerializer(serializers.Serializer[Any]):
    """What becomes of the invoice; a dispute says why."""

    state = serializers.ChoiceField(CarrierInvoice.State.choices)
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)


KINDS = {"kind": one_of("kind", CarrierCall.Kind)}


class CarrierInvoiceViewSet(MspViewSet):
    """Carriers' invoices, newest first; a POST reads a file in and compares it in the background: `stage` says how far.

    Amounts are millionths of the currency; a difference is what the carrier asks less what you counted.
    """

    queryset = CarrierInvoice.objects.none()
    serializer_class = CarrierInvoiceSerializer
    capability = "margin"
    remove = staticmethod(carrier_checks.remove)
    http_method_names = ("get", "post", "delete", "head", "options")
    ordering = ("-pk",)

    def get_queryset(self) -> QuerySet[CarrierInvoice]:
        rows = CarrierInvoice.objects.filter(msp=self.request.msp)
        return rows.select_related("carrier").defer("content")

    def write(self, serializer: Any, instance: CarrierInvoice | None) -> CarrierInvoice:
        data = dict(serializer.validated_data)
        typed, decimal = data.pop("totals", None), data.pop("decimal", "")
        by_destination = data.pop("by_destination")
        if typed is not None and data.keys() & {"content", "content_base64"}:
            raise ValidationError({"totals": "Give a file or totals, not both."})
        content = _content(data) if typed is None else typed.encode()
        if typed is not None or by_destination:
            row = CarrierInvoice(msp=self.request.msp, **data)
            return carrier_checks.start_totals(row, content, typed=typed is not None, decimal=decimal, by=self.actor)
        return carrier_checks.start(CarrierInvoice(msp=self.request.msp, **data), content, by=self.actor)

    @extend_schema(parameters=described(KINDS), responses=CarrierCallSerializer(many=True))
    @action(detail=True, methods=["get"])
    def calls(self, request: Request, pk: str | None = None) -> Response:
        """List the calls with what they differ by, in pages; `kind` narrows them."""
        calls = CarrierCall.objects.filter(invoice=self.get_object()).shown_to(hidden_in(request._request))
        page = self.paginate_queryset(narrowed(calls.order_by("-difference", "pk"), self, KINDS))
        return self.get_paginated_response(CarrierCallSerializer(page, many=True).data)

    @extend_schema(request=CarrierFileReadingSerializer)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, pk: str | None = None) -> Response:
        """Say how the file is to be read, and have it compared again: `{"decimal": "."}`."""
        given = CarrierFileReadingSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        options = dict(given.validated_data)
        facts = {"zone": options.pop("zone")} if "zone" in options else {}
        found = carrier_checks.read_again(self.get_object(), options, by=self.actor, **facts)
        return Response(self.get_serializer(found).data)

    @extend_schema(request=CarrierInvoiceDecisionSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str | None = None) -> Response:
        """Dispute or accept the invoice, or open it again: `{"state": "disputed", "note": "line 17 is not ours"}`."""
        given = CarrierInvoiceDecisionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        found = carrier_checks.decide(self.get_object(), data["state"], data["note"], by=self.actor)
        return Response(self.get_serializer(found).data)


def _content(data: dict[str, Any]) -> bytes:
    text, encoded = data.pop("content", None), data.pop("content_base64", "")
    if text is not None:
        return str(text).encode()
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise ValidationError({"content_base64": "This is not base64."}) from error


msp_routes = [("carrier-invoices", CarrierInvoiceViewSet, "carrier-invoice")]
