"""*What would this call cost?* for programs."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet
from voice.rating.models import LossPolicy
from voice.routing.forms_msp import CostForm
from voice.routing.trial import trial


class TriedTrunkSerializer(serializers.Serializer[Any]):
    """A trunk: `place` in the order it would be tried, 0 where it is left out, and `why`; micros for the call."""

    trunk = serializers.CharField(source="gateway")
    name = serializers.CharField()
    place = serializers.IntegerField()
    why = serializers.CharField()
    asks_micros = serializers.IntegerField(source="asks", allow_null=True)
    margin_micros = serializers.IntegerField(source="margin", allow_null=True)


class TrialSerializer(serializers.Serializer[Any]):
    """What a call would do, and what one of `typical_seconds` costs over each trunk.

    `pays_micros` is what the customer pays for it, null where that is not known. All sums are in `currency`, those of
    other currencies by the exchange rates in `converted`; from those in `not_compared` no rate of the last week leads.
    """

    outcome = serializers.CharField()
    sentence = serializers.CharField()
    currency = serializers.CharField()
    converted = serializers.ListField(child=serializers.CharField())
    not_compared = serializers.ListField(child=serializers.CharField())
    typical_seconds = serializers.IntegerField(source="seconds")
    pays_micros = serializers.IntegerField(source="pays", allow_null=True)
    refuses_losses = serializers.BooleanField(source="protects")
    trunks = TriedTrunkSerializer(source="ways", many=True)


class CallCostViewSet(MspViewSet):
    """What a call of a customer would cost: which trunks it would try in which order, and what each leaves."""

    queryset = LossPolicy.objects.none()
    serializer_class = TrialSerializer
    capability = "costs"
    pagination_class = None
    http_method_names = ["get", "head", "options"]

    @extend_schema(
        parameters=[
            OpenApiParameter("customer", int, required=True, description="The customer whose call it would be."),
            OpenApiParameter("number", str, required=True, description="The number to call, as people write it."),
            OpenApiParameter(
                "caller", str, description="The number that calls; without it, the customer's default caller ID."
            ),
            OpenApiParameter("at", str, description="The moment; now where it is left out."),
        ],
        responses=TrialSerializer,
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say what it would cost: `?customer=1&number=+49301234`; nothing is called."""
        form = CostForm(request.query_params, msp=request.msp)  # type: ignore[attr-defined]
        if not form.is_valid():
            raise ValidationError(form.errors.as_data())
        data = form.cleaned_data
        at = data["at"] or timezone.now()
        found = trial(request.msp, data["customer"], data["number"], data["caller"], at)  # type: ignore[attr-defined]
        return Response(TrialSerializer(found).data)
