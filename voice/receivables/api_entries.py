"""The entries in the books of a customer, for programs, and how they take one back."""

from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet
from portal.core.api_filters import CUSTOMER
from voice.receivables import services
from voice.receivables.models import Account, Entry


class BookEntrySerializer(serializers.ModelSerializer[Entry]):
    """An entry: `amount` is how much more its customer owes by it, `corrects` the entry that it takes back."""

    customer = serializers.IntegerField(source="tenant_id", read_only=True)
    amount = serializers.IntegerField(read_only=True)
    payment = serializers.IntegerField(source="payment_id", read_only=True, allow_null=True)
    invoice = serializers.IntegerField(source="invoice_id", read_only=True, allow_null=True)
    corrects = serializers.IntegerField(source="corrects_id", read_only=True, allow_null=True)

    class Meta:
        model = Entry
        fields = [
            "id", "customer", "kind", "booked_on", "currency", "amount", "text", "reason", "invoice", "payment",
            "corrects",
        ]  # fmt: skip
        read_only_fields = fields


def with_amount(entries: QuerySet[Entry]) -> QuerySet[Any]:
    """Add `amount`: how much more its customer owes by each entry."""
    moved = F("postings__debit") - F("postings__credit")
    owed = Q(postings__account__kind=Account.Kind.RECEIVABLE)
    return entries.annotate(amount=Sum(moved, filter=owed, default=0))


class EntryReasonSerializer(serializers.Serializer[Any]):
    """Why an entry is taken back."""

    reason = serializers.CharField(max_length=200)


class WriteOffSerializer(EntryReasonSerializer):
    """How much of an invoice is written off: `left` is what you know to be open, and says that nobody was faster."""

    amount = serializers.IntegerField(min_value=1, max_value=10**15)
    left = serializers.IntegerField()


class EntryViewSet(MspViewSet):
    """What is booked for customers: `?customer=1`. POST `correct/` takes a reminder's fee or a write-off back."""

    queryset = Entry.objects.none()
    serializer_class = BookEntrySerializer
    capability = "bills"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)
    filters = CUSTOMER

    def get_queryset(self) -> QuerySet[Entry]:
        found = Entry.objects.filter(msp=self.request.msp, tenant__isnull=False)  # type: ignore[misc]
        return with_amount(found).order_by("-pk")

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Entries are booked with what they tell of."""
        return self.http_method_not_allowed(request)

    @extend_schema(request=EntryReasonSerializer, responses={201: BookEntrySerializer})
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, pk: str | None = None) -> Response:
        """Take an entry back: `{"reason": "Goodwill"}`. Answers with the entry that does so."""
        given = EntryReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        made = services.correct(self.get_object(), reason=given.validated_data["reason"], by=self.actor)
        return Response(BookEntrySerializer(self.get_queryset().get(pk=made.pk)).data, 201)


msp_routes = [("book-entries", EntryViewSet, "book-entry")]
