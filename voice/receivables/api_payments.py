"""Money that came in, for programs. Amounts are whole millionths of the currency."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from portal.core.api import MspViewSet
from voice.receivables import selectors, services
from voice.receivables.models import BillingProfile, Payment
from voice.receivables.selectors_books import chosen_books


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """Money that came in; it pays the oldest open invoices first, or `invoice` before them.

    It stands where the invoice does, or where `entity` and `currency` say: in the books of a company that bills the
    customer, or did. Without them that is who bills it now. With `for_calls` it is a top-up: calls can cost it from now
    on, and it settles no bill yet.
    """

    customer = serializers.IntegerField(source="tenant_id")
    invoice = serializers.IntegerField(required=False, write_only=True)
    for_calls = serializers.BooleanField(default=False, write_only=True)
    entity = serializers.IntegerField(source="entity_id", required=False)
    currency = serializers.CharField(required=False)

    class Meta:
        model = Payment
        fields = [
            "id", "customer", "entity", "currency", "amount", "received_on", "method", "reference", "invoice",
            "for_calls",
        ]  # fmt: skip
        validators: list[Any] = []


class PaymentViewSet(MspViewSet):
    """Payments: a wrong one is never changed, but taken back under `payment-reversals/`."""

    queryset = Payment.objects.none()
    serializer_class = PaymentSerializer
    capability = "bills"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)

    def get_queryset(self) -> QuerySet[Payment]:
        return Payment.objects.filter(msp=self.request.msp).order_by("-pk")

    def write(self, serializer: Any, instance: Payment | None) -> Payment:
        data = dict(serializer.validated_data)
        first, for_calls = data.pop("invoice", None), data.pop("for_calls")
        if first and for_calls:
            raise serializers.ValidationError({"for_calls": ["A top-up pays no invoice."]})
        profile = BillingProfile.objects.filter(msp=self.request.msp, tenant_id=data["tenant_id"]).first()
        if profile is None:
            raise serializers.ValidationError({"customer": ["It is not set how this customer is billed."]})
        named = list(selectors.invoices().filter(msp=self.request.msp, pk=first)) if first else []
        if first and not named:
            raise serializers.ValidationError({"invoice": ["There is no such invoice."]})
        invoice = named[0] if named else None
        entity_id, currency = data.pop("entity_id", None), data.pop("currency", "")
        if invoice is not None:
            entity_id, currency = entity_id or invoice.entity_id, currency or invoice.currency
        entity, currency = chosen_books(data["tenant_id"], entity_id, currency)
        payment = Payment(msp=self.request.msp, entity=entity, currency=currency, **data)
        if for_calls:
            return services.record_top_up(payment, by=self.actor)
        return services.record_payment(payment, by=self.actor, invoices=named)
