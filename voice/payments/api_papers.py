"""Receipts and statements of account for programs."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet, TenantViewSet
from voice.payments.forms_papers import PeriodForm
from voice.payments.paper import Receipt
from voice.payments.services import receipts
from voice.payments.statements import statement_of
from voice.receivables.models import Payment
from voice.receivables.pages import currencies


class PaidSerializer(serializers.Serializer[Any]):
    """What of a payment settled an invoice."""

    number = serializers.CharField()
    amount = serializers.IntegerField()


class ReceiptSerializer(serializers.ModelSerializer[Payment]):
    """A payment with what it settled; `ahead` is kept on the account and settles what comes."""

    customer = serializers.IntegerField(source="tenant_id", read_only=True)
    paid = serializers.SerializerMethodField()
    ahead = serializers.SerializerMethodField()

    class Meta:
        model = Payment
        fields = ["id", "customer", "currency", "amount", "received_on", "method", "reference", "paid", "ahead"]
        read_only_fields = fields

    def to_representation(self, row: Payment) -> dict[str, Any]:
        """Return the payment, with its receipt worked out once."""
        if "receipts" not in self.context:
            # One question for all rows of an answer.
            rows = self.parent.instance if self.parent is not None else [row]
            self.context["receipts"] = receipts.receipts_of(rows)
        self._receipt: Receipt = self.context["receipts"][row.pk]
        return super().to_representation(row)

    def get_paid(self, row: Payment) -> list[dict[str, Any]]:
        """Return the invoices that it settles, each with how much."""
        return [{"number": number, "amount": micros} for number, micros in self._receipt.paid]

    def get_ahead(self, row: Payment) -> int:
        """Return what of it settles nothing yet."""
        return self._receipt.ahead


class ReceiptViewSet(MspViewSet):
    """Receipts of payments; POST `mail/` sends the customer the way to its own."""

    queryset = Payment.objects.none()
    serializer_class = ReceiptSerializer
    capability = "payments"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)

    def get_queryset(self) -> QuerySet[Payment]:
        return Payment.objects.filter(msp=self.request.msp).order_by("-pk")  # type: ignore[misc]

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refuse: a payment is recorded under payments."""
        return self.http_method_not_allowed(request)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def mail(self, request: Request, pk: str | None = None) -> Response:
        """Mail the customer where its receipt is."""
        row = self.get_object()
        receipts.mail_receipt(row, by=self.actor)
        return Response(ReceiptSerializer(row).data)


class OwnReceiptViewSet(TenantViewSet):
    """The customer's payments, each with what it settled."""

    queryset = Payment.objects.none()
    serializer_class = ReceiptSerializer
    capability = "payments"
    ordering = ("-pk",)

    def get_queryset(self) -> QuerySet[Payment]:
        return Payment.objects.filter(tenant=self.request.tenant).order_by("-pk")  # type: ignore[misc]


class StatementMovementSerializer(serializers.Serializer[Any]):
    """One movement of the account; above zero is owed."""

    day = serializers.DateField(source="entry.booked_on")
    text = serializers.CharField(source="words")
    amount = serializers.IntegerField()
    balance = serializers.IntegerField()


class StatementSerializer(serializers.Serializer[Any]):
    """The account over a period."""

    currency = serializers.CharField()
    begins = serializers.DateField()
    last = serializers.DateField()
    opening = serializers.IntegerField()
    closing = serializers.IntegerField()
    movements = StatementMovementSerializer(many=True)


class StatementViewSet(TenantViewSet):
    """The customer's statement of account: `?begins=2026-01-01&last=2026-03-31&currency=EUR`."""

    queryset = Payment.objects.none()
    serializer_class = StatementSerializer
    capability = "payments"
    pagination_class = None

    @extend_schema(
        parameters=[OpenApiParameter(name, str) for name in ("begins", "last", "currency")],
        responses=StatementSerializer,
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the statement; without a period, this year's."""
        offered = currencies(request.tenant)  # type: ignore[attr-defined]
        form = PeriodForm(request.query_params or None, currencies=offered)
        if form.is_bound and not form.is_valid():
            raise serializers.ValidationError(form.errors)
        return Response(StatementSerializer(statement_of(request.tenant, *form.period)).data)  # type: ignore[attr-defined]


msp_routes = [("receipts", ReceiptViewSet, "receipt")]
routes = [("receipts", OwnReceiptViewSet, "receipt"), ("account-statements", StatementViewSet, "account-statement")]
