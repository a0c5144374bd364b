"""Bank statements for programs. Amounts are whole millionths of the currency; money out is below zero."""

from typing import Any

from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet
from portal.core.api_filters import one_of
from tenants.models import Customer
from voice.payments import selectors, services, tasks  # noqa: F401  registers the jobs
from voice.payments.camt import LARGEST
from voice.payments.matching import suggest
from voice.payments.models import BankEntry, BankStatement
from voice.rating.api_charges import StartedSerializer
from voice.receivables.models import Invoice, LegalEntity, Payment


class StatementSerializer(serializers.ModelSerializer[BankStatement]):
    """A bank statement; POST takes the company and the text of the CAMT.053 file."""

    entity = serializers.IntegerField(source="entity_id")
    content = serializers.CharField(write_only=True, max_length=LARGEST, trim_whitespace=False)
    entries = serializers.IntegerField(read_only=True, source="entry_count")
    missing_before = serializers.SerializerMethodField()

    class Meta:
        model = BankStatement
        fields = [
            "id", "entity", "iban", "name", "currency", "begins", "ends", "opening", "closing", "created_at", "entries",
            "missing_before", "gap_note", "content",
        ]  # fmt: skip
        read_only_fields = [
            "iban",
            "name",
            "currency",
            "begins",
            "ends",
            "opening",
            "closing",
            "created_at",
            "gap_note",
        ]
        validators: list[Any] = []

    def get_missing_before(self, row: BankStatement) -> int | None:
        """Return by how much it begins otherwise than the one before it ended: a statement is missing there."""
        if "gaps" not in self.context:
            # One question for all rows of an answer.
            self.context["gaps"] = {gap.after.pk: gap.difference for gap in selectors.bank_gaps(row.msp_id)}
        found: int | None = self.context["gaps"].get(row.pk)
        return found


class NoteSerializer(serializers.Serializer[Any]):
    """Why an entry is nobody's payment, or nothing is missing before a statement."""

    note = serializers.CharField(max_length=200)


class StatementViewSet(MspViewSet):
    """Bank statements. One that comes twice is refused, an entry that comes twice is stored once."""

    queryset = BankStatement.objects.none()
    serializer_class = StatementSerializer
    capability = "payments"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)

    def get_queryset(self) -> QuerySet[BankStatement]:
        found = BankStatement.objects.filter(msp=self.request.msp)  # type: ignore[misc]
        return found.annotate(entry_count=Count("entries")).order_by("-pk")

    @extend_schema(responses={202: StartedSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Import a file as a job: `jobs/<id>/` tells how far it is and which statements it had."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        entity = LegalEntity.objects.filter(msp=self.request.msp, pk=data["entity_id"]).first()  # type: ignore[misc]
        if entity is None:
            raise serializers.ValidationError({"entity": ["There is no such company."]})
        job = services.start_import(entity, "statement.xml", data["content"].encode(), by=self.actor)
        return Response({"job": job.pk}, status=202)

    @extend_schema(request=NoteSerializer, responses=StatementSerializer)
    @action(detail=True, methods=["post"], url_path="explain-gap")
    def explain_gap(self, request: Request, pk: str | None = None) -> Response:
        """Say why it does not follow the one before it: `{"note": "The account was moved to another bank"}`."""
        given = NoteSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        services.explain_gap(self.get_object(), note=given.validated_data["note"], by=self.actor)
        return Response(self.get_serializer(self.get_object()).data)


class SuggestionSerializer(serializers.Serializer[Any]):
    """What an entry may be: a customer and its invoices, or the payment that went back."""

    customer = serializers.IntegerField()
    invoices = serializers.ListField(child=serializers.IntegerField())
    payment = serializers.IntegerField(allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())
    sure = serializers.BooleanField()


class EntrySerializer(serializers.ModelSerializer[BankEntry]):
    """A movement on the account, and what it was booked as."""

    customer = serializers.IntegerField(source="tenant_id", read_only=True, allow_null=True)
    statement = serializers.IntegerField(source="statement_id", read_only=True)
    payment = serializers.IntegerField(source="payment_id", read_only=True, allow_null=True)
    reversal = serializers.IntegerField(source="reversal_id", read_only=True, allow_null=True)
    suggestions = serializers.SerializerMethodField()

    class Meta:
        model = BankEntry
        fields = [
            "id", "statement", "booked_on", "currency", "amount", "payer", "payer_iban", "structured", "text",
            "return_reason", "state", "note", "customer", "payment", "reversal", "suggestions",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(SuggestionSerializer(many=True))
    def get_suggestions(self, row: BankEntry) -> list[dict[str, Any]]:
        """Return what an open entry may be, where one entry is asked for."""
        if row.state != BankEntry.State.OPEN or self.parent is not None:
            return []
        return [
            {
                "customer": each.tenant_id, "invoices": [invoice.pk for invoice in each.invoices],
                "payment": each.payment.pk if each.payment else None, "reasons": each.reasons, "sure": each.sure,
            }
            for each in suggest(row, selectors.books_of(row.entity_id))
        ]  # fmt: skip


class BookingSerializer(serializers.Serializer[Any]):
    """Who paid, for which invoices first; or which payment went back."""

    customer = serializers.IntegerField(required=False)
    invoices = serializers.ListField(child=serializers.IntegerField(), required=False, default=list)
    payment = serializers.IntegerField(required=False)


class EntryViewSet(MspViewSet):
    """Entries of bank statements: `?state=open`."""

    queryset = BankEntry.objects.none()
    serializer_class = EntrySerializer
    capability = "payments"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)
    filters = {"state": one_of("state", BankEntry.State)}

    def get_queryset(self) -> QuerySet[BankEntry]:
        return BankEntry.objects.filter(msp=self.request.msp).order_by("-pk")  # type: ignore[misc]

    @extend_schema(request=None, responses={202: StartedSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Book every entry of which it is sure what it is, as a job: its result says how many were, and are left."""
        return Response({"job": services.start_book_sure(by=self.actor).pk}, status=202)

    def _answer(self, row: BankEntry) -> Response:
        return Response(EntrySerializer(BankEntry.objects.get(pk=row.pk)).data)

    @extend_schema(request=BookingSerializer)
    @action(detail=True, methods=["post"])
    def book(self, request: Request, pk: str | None = None) -> Response:
        """Book an entry: `{"customer": 1, "invoices": [7]}`, or `{"payment": 3}` for one that went out."""
        row = self.get_object()
        given = BookingSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        if row.amount < 0:
            payment = Payment.objects.filter(msp_id=row.msp_id, pk=data.get("payment")).first()
            if payment is None:
                raise serializers.ValidationError({"payment": ["There is no such payment."]})
            services.book_out(row, payment, by=self.actor)
        else:
            customer = Customer.objects.filter(msp_id=row.msp_id, pk=data.get("customer")).first()
            if customer is None:
                raise serializers.ValidationError({"customer": ["There is no such customer."]})
            named = list(Invoice.objects.filter(msp_id=row.msp_id, pk__in=data["invoices"]))
            services.book_in(row, customer, invoices=named, by=self.actor)
        return self._answer(row)

    @extend_schema(request=NoteSerializer)
    @action(detail=True, methods=["post"], url_path="set-aside")
    def set_aside(self, request: Request, pk: str | None = None) -> Response:
        """Say that an entry is nobody's payment: `{"note": "Bank charges"}`."""
        given = NoteSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return self._answer(services.set_aside(self.get_object(), note=given.validated_data["note"], by=self.actor))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str | None = None) -> Response:
        """Take an entry back that was set aside."""
        return self._answer(services.reopen(self.get_object(), by=self.actor))


msp_routes = [
    ("bank-statements", StatementViewSet, "bank-statement"),
    ("bank-entries", EntryViewSet, "bank-entry"),
]
