"""Emergency calling for programs."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import TenantViewSet
from voice.emergency import selectors, services
from voice.emergency.models import EmergencyTrunkChoice


class EmergencyRouteSerializer(serializers.Serializer[Any]):
    """An emergency number of a country with the trunks that carry it, in the order they are tried."""

    dial = serializers.CharField()
    country = serializers.CharField()
    service = serializers.CharField()
    test = serializers.BooleanField()
    trunks = serializers.SerializerMethodField()

    def get_trunks(self, route: selectors.EmergencyRoute) -> list[int]:
        return [trunk.pk for trunk in route.trunks]


class TrunkListSerializer(serializers.Serializer[Any]):
    """The customer's own list, before the provider's; `seen` is the list that you read."""

    trunks = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=services.MOST_TRUNKS)
    seen = serializers.ListField(child=serializers.IntegerField(), max_length=100, required=False)


class EmergencyViewSet(TenantViewSet):
    """What happens to each emergency number; POST `{"trunks": [1, 2]}` sets the list that is tried first."""

    serializer_class = EmergencyRouteSerializer
    capability = "emergency"
    http_method_names = ["get", "post", "head", "options"]
    queryset = EmergencyTrunkChoice.objects.none()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        routes = selectors.emergency_for(request.tenant)
        return Response(self.get_serializer(routes, many=True).data)

    @extend_schema(request=TrunkListSerializer, responses=EmergencyRouteSerializer(many=True))
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        given = TrunkListSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted, seen = given.validated_data["trunks"], given.validated_data.get("seen")
        services.set_emergency_trunks(wanted, customer=request.tenant, by=self.actor, seen=seen)
        return self.list(request)


routes = [("emergency", EmergencyViewSet, "emergency")]
