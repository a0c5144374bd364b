"""Price lists for programs: read in, asked about, activated, by the same services as the pages."""

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
from voice.rating import imports, tasks  # noqa: F401  registers the jobs
from voice.rating import selectors_decks as selectors
from voice.rating.files.tables import MOST_BYTES
from voice.rating.models import DeckImport, DeckImportError, RateDeck


class DeckImportSerializer(serializers.ModelSerializer[DeckImport]):
    """A price list: `content` as text, or an XLSX file in `content_base64`; `options` say how it is read."""

    deck = serializers.IntegerField(write_only=True, min_value=1)
    content = serializers.CharField(write_only=True, required=False, max_length=MOST_BYTES, trim_whitespace=False)
    content_base64 = serializers.CharField(write_only=True, required=False, max_length=MOST_BYTES * 4 // 3 + 4)
    effective_from = serializers.DateTimeField(source="version.effective_from")
    full = serializers.BooleanField(source="version.full", default=False)
    decimal = serializers.ChoiceField([".", ","], write_only=True, required=False)
    dates = serializers.ChoiceField(["dmy", "mdy"], write_only=True, required=False)
    asked = serializers.SerializerMethodField()
    lacking = serializers.SerializerMethodField()
    warnings = serializers.SerializerMethodField()
    summary = serializers.SerializerMethodField()

    class Meta:
        model = DeckImport
        fields = [
            "id", "deck", "version", "name", "content", "content_base64", "effective_from", "full", "decimal", "dates",
            "state", "asked", "lacking", "warnings", "summary", "total", "good", "bad", "message", "created_at",
        ]  # fmt: skip
        read_only_fields = ["version", "state", "total", "good", "bad", "message", "created_at"]

    def get_asked(self, file: DeckImport) -> list[str]:
        return list(file.options.get("asked", []))

    def get_lacking(self, file: DeckImport) -> list[str]:
        """Return the headings of an earlier file that this one has not: then its columns are asked about."""
        return list(file.options.get("lacking", []))

    def get_warnings(self, file: DeckImport) -> list[str]:
        return imports.warnings(file, costs=self.context["request"].can("costs.view"))

    def get_summary(self, file: DeckImport) -> dict[str, Any]:
        return selectors.summary_seen_by(file.version, self.context["request"].can)


class DeckImportErrorSerializer(serializers.ModelSerializer[DeckImportError]):
    class Meta:
        model = DeckImportError
        fields = ["row", "column", "value", "words"]


class ConfirmSerializer(serializers.Serializer[Any]):
    """Whether warnings and lines with errors were looked at."""

    accept = serializers.BooleanField(default=False)


class DeckFileReadingSerializer(serializers.Serializer[Any]):
    """How a file is to be read, where it was asked: columns by place, counted from 0."""

    decimal = serializers.ChoiceField([".", ","], required=False)
    dates = serializers.ChoiceField(["dmy", "mdy"], required=False)
    columns = serializers.DictField(child=serializers.IntegerField(min_value=0, max_value=59), required=False)
    header = serializers.IntegerField(min_value=-1, max_value=1_000, required=False)


class DeckImportViewSet(MspViewSet):
    """Price lists: POST one, look at what would change (lines of its version), answer what is asked, then confirm."""

    queryset = DeckImport.objects.none()
    serializer_class = DeckImportSerializer
    capability = "rates"
    ordering = ("-pk",)
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self) -> QuerySet[DeckImport]:
        found = DeckImport.objects.filter(version__deck__in=self._decks())
        return found.select_related("version__deck").defer("content")

    def write(self, serializer: Any, instance: DeckImport | None) -> DeckImport:
        data = dict(serializer.validated_data)
        deck = self._decks().filter(pk=data["deck"]).first()
        if deck is None:
            raise ValidationError({"deck": "You have no such deck."})
        options = {name: data[name] for name in ("decimal", "dates") if name in data}
        version = data["version"]
        return imports.start_import(
            deck, data["name"], _content(data), at=version["effective_from"], full=version["full"], by=self.actor,
            options=options,
        )  # fmt: skip

    def _decks(self) -> QuerySet[RateDeck]:
        return selectors.decks_seen_by(self.request.msp, self.request.can)  # type: ignore[attr-defined]

    @extend_schema(responses=DeckImportErrorSerializer(many=True))
    @action(detail=True, methods=["get"])
    def errors(self, request: Request, pk: str | None = None) -> Response:
        """List what is wrong, line by line, in pages."""
        page = self.paginate_queryset(self.get_object().errors.all())
        return self.get_paginated_response(DeckImportErrorSerializer(page, many=True).data)

    @extend_schema(request=DeckFileReadingSerializer)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, pk: str | None = None) -> Response:
        """Say how the file is to be read, and have it compared again: `{"decimal": "."}`."""
        given = DeckFileReadingSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        file = imports.read_again(self.get_object(), dict(given.validated_data), by=self.actor)
        return Response(self.get_serializer(file).data)

    @extend_schema(request=ConfirmSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str | None = None) -> Response:
        """Have the draft activated: `{"accept": true}` where it has warnings or lines with errors."""
        given = ConfirmSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        file = imports.confirm(self.get_object(), accept=given.validated_data["accept"], by=self.actor)
        return Response(self.get_serializer(file).data)


def _content(data: dict[str, Any]) -> bytes:
    if "content" in data:
        return str(data["content"]).encode()
    try:
        return base64.b64decode(data.get("content_base64", ""), validate=True)
    except ValueError as error:
        raise ValidationError({"content_base64": "This is not base64."}) from error


msp_routes = [("deck-imports", DeckImportViewSet, "deck-import")]
