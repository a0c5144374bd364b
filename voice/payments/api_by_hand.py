"""What went back of payments, for programs, and how they book it."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet
from portal.core.api_filters import Number
from voice.payments.services import by_hand
from voice.receivables.models import Payment, Reversal


class ReversalSerializer(serializers.ModelSerializer[Reversal]):
    """So much of a payment that went back, or that was entered by mistake."""

    customer = serializers.IntegerField(source="tenant_id", read_only=True)
    currency = serializers.CharField(source="payment.currency", read_only=True)

    class Meta:
        model = Reversal
        fields = ["id", "customer", "payment", "kind", "amount", "currency", "booked_on", "reference"]
        read_only_fields = fields


class TakeBackSerializer(serializers.Serializer[Any]):
    """What to take back: `kept` is what you know to be left of the payment, and says that nobody was faster."""

    payment = serializers.IntegerField()
    kind = serializers.ChoiceField([(kind.value, kind.label) for kind in by_hand.KINDS])
    amount = serializers.IntegerField(min_value=1, max_value=10**15)
    on = serializers.DateField()
    reference = serializers.CharField(max_length=140)
    kept = serializers.IntegerField()


class ReversalViewSet(MspViewSet):
    """What went back of payments: `?payment=1`. POST takes one back that was noted by hand, for a card see refunds."""

    queryset = Reversal.objects.none()
    serializer_class = ReversalSerializer
    capability = "payments"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)
    filters = {"payment": Number("payment")}

    def get_queryset(self) -> QuerySet[Reversal]:
        return Reversal.objects.filter(msp=self.request.msp).select_related("payment").order_by("-pk")  # type: ignore[misc]

    @extend_schema(request=TakeBackSerializer, responses={201: ReversalSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take a payment back, or a part of it: what it had paid is open again."""
        given = TakeBackSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        found = Payment.objects.filter(msp=request.msp).select_related("entity", "tenant")  # type: ignore[misc]
        payment = found.filter(pk=data.pop("payment")).first()
        if payment is None:
            raise serializers.ValidationError({"payment": ["There is no such payment."]})
        return Response(ReversalSerializer(by_hand.take_back(payment, **data, by=self.actor)).data, 201)


msp_routes = [("payment-reversals", ReversalViewSet, "payment-reversal")]
