"""Carriers and trunks for programs: the same writes as the pages."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet, TenantViewSet
from tenants.models import Customer
from voice.carriers import lists, selectors, services
from voice.carriers.models import BlockedPrefix, Carrier, EmergencyTrunk, Trunk, TrunkGrant

TRUNK_FIELDS = [
    "id", "name", "host", "port", "transport", "auth", "username", "password", "realm", "source_addresses", "channels",
    "cps", "forwarded_caller", "enabled", "approved", "health", "health_code", "health_since", "health_checked",
    "gateway", "row_version",
]  # fmt: skip


class CarrierSerializer(serializers.ModelSerializer[Carrier]):
    """A carrier; send `row_version` back to be told when somebody else changed it."""

    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = Carrier
        fields = ["id", "name", "contact", "row_version"]
        validators: list[Any] = []


class TrunkSerializer(serializers.ModelSerializer[Trunk]):
    """A trunk; the password goes in and never comes out."""

    row_version = serializers.IntegerField(required=False)
    password = serializers.CharField(write_only=True, required=False, allow_blank=True, max_length=128)
    source_addresses = serializers.ListField(child=serializers.CharField(max_length=45), max_length=50, required=False)
    gateway = serializers.CharField(read_only=True)

    class Meta:
        model = Trunk
        fields = TRUNK_FIELDS
        validators: list[Any] = []
        read_only_fields = ["approved", "health", "health_code", "health_since", "health_checked"]


class MspTrunkSerializer(TrunkSerializer):
    """A trunk as the MSP sees it: shared with `customers`, or brought by one `customer`."""

    carrier = serializers.PrimaryKeyRelatedField(queryset=Carrier.objects.all(), allow_null=True, required=False)
    customer = serializers.IntegerField(source="tenant_id", read_only=True)
    customers = serializers.SerializerMethodField()

    class Meta(TrunkSerializer.Meta):
        fields = [*TRUNK_FIELDS, "carrier", "customer", "customers"]

    def get_customers(self, trunk: Trunk) -> list[int]:
        return [grant.tenant_id for grant in trunk.grants.all()]


class CustomerTrunkSerializer(TrunkSerializer):
    """A trunk as a customer sees it; of its provider's trunks only what it needs to use them."""

    own = serializers.SerializerMethodField()

    class Meta(TrunkSerializer.Meta):
        fields = [*TRUNK_FIELDS, "own"]

    def get_own(self, trunk: Trunk) -> bool:
        return trunk.tenant_id is not None

    def to_representation(self, trunk: Trunk) -> dict[str, Any]:
        shown = super().to_representation(trunk)
        if trunk.tenant_id is None:
            open_to_all = {
                "id",
                "name",
                "own",
                "enabled",
                "health",
                "health_code",
                "health_since",
                "health_checked",
                "gateway",
            }
            shown = {name: value for name, value in shown.items() if name in open_to_all}
        return shown


class CarrierViewSet(MspViewSet):
    """The carriers of the MSP."""

    queryset = Carrier.objects.none()
    serializer_class = CarrierSerializer
    capability = "carriers"
    save = staticmethod(services.save_carrier)
    remove = staticmethod(services.delete_carrier)

    def get_queryset(self) -> QuerySet[Carrier]:
        return Carrier.objects.filter(msp=self.request.msp)

    def new(self) -> Carrier:
        return Carrier(msp=self.request.msp)


class ToCustomerSerializer(serializers.Serializer[Any]):
    """The customer who gets a trunk, or no longer has it."""

    customer = serializers.IntegerField(min_value=1)


class MspTrunkViewSet(MspViewSet):
    """The MSP's trunks and those that its customers brought; the latter are only approved here, never changed."""

    queryset = Trunk.objects.none()
    serializer_class = MspTrunkSerializer
    capability = "carriers"
    save = staticmethod(services.save_trunk)
    remove = staticmethod(services.delete_trunk)

    def get_queryset(self) -> QuerySet[Trunk]:
        found = (
            Trunk.objects.open()
            .filter(msp=self.request.msp)
            .prefetch_related(Prefetch("grants", TrunkGrant.objects.open()))
        )
        reading = self.action in ("list", "retrieve", "approve")
        return found if reading else found.shared()

    def new(self) -> Trunk:
        return Trunk(msp=self.request.msp)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        """Let a customer's trunk use an address that somebody else uses, too."""
        trunk = services.approve_trunk(self.get_object(), by=self.actor)
        return Response(self.get_serializer(trunk).data)

    @extend_schema(request=ToCustomerSerializer)
    @action(detail=True, methods=["post"])
    def grant(self, request: Request, pk: str | None = None) -> Response:
        """Share the trunk with the customer `{"customer": id}`."""
        services.grant_trunk(self.get_object(), self._customer(request), by=self.actor)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=ToCustomerSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str | None = None) -> Response:
        """Take the trunk from the customer `{"customer": id}`."""
        services.revoke_trunk(self.get_object(), self._customer(request), by=self.actor)
        return Response(self.get_serializer(self.get_object()).data)

    @staticmethod
    def _customer(request: Request) -> Customer:
        given = ToCustomerSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return get_object_or_404(Customer, pk=given.validated_data["customer"], msp=request.msp)


class TrunkViewSet(TenantViewSet):
    """The customer's trunks: those shared with it, and its own, which alone it may change."""

    queryset = Trunk.objects.none()
    serializer_class = CustomerTrunkSerializer
    capability = "carriers"
    save = staticmethod(services.save_trunk)
    remove = staticmethod(services.delete_trunk)

    def get_queryset(self) -> QuerySet[Trunk]:
        found = selectors.trunks_for(self.request.tenant)
        return found if self.action in ("list", "retrieve") else found.filter(tenant=self.request.tenant)

    def new(self) -> Trunk:
        return Trunk(msp=self.request.tenant.msp, tenant=self.request.tenant)


class BlockedPrefixSerializer(serializers.ModelSerializer[BlockedPrefix]):
    """A prefix of digits that no customer may call; `+882` and `882` are the same."""

    prefix = serializers.CharField(max_length=40)
    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = BlockedPrefix
        fields = ["id", "prefix", "note", "created_at", "row_version"]
        validators: list[Any] = []


class BlockedPrefixViewSet(MspViewSet):
    """The MSP's block list, above every customer's policy."""

    queryset = BlockedPrefix.objects.none()
    serializer_class = BlockedPrefixSerializer
    capability = "carriers"
    save = staticmethod(lists.save_blocked_prefix)
    remove = staticmethod(lists.delete_blocked_prefix)

    def get_queryset(self) -> QuerySet[BlockedPrefix]:
        return BlockedPrefix.objects.filter(msp=self.request.msp)

    def new(self) -> BlockedPrefix:
        return BlockedPrefix(msp=self.request.msp)


class EmergencyTrunkSerializer(serializers.ModelSerializer[EmergencyTrunk]):
    class Meta:
        model = EmergencyTrunk
        fields = ["id", "country", "trunk", "position"]


class EmergencyListSerializer(serializers.Serializer[Any]):
    """A country's whole list: trunks in the order that emergency calls try them; `seen` is the list that you read."""

    country = serializers.RegexField(r"^[A-Z]{2}\Z")
    trunks = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=8)
    seen = serializers.ListField(child=serializers.IntegerField(), max_length=100, required=False)


class EmergencyTrunkViewSet(MspViewSet):
    """The MSP's emergency lists; POST sets the whole list of one country."""

    queryset = EmergencyTrunk.objects.none()
    serializer_class = EmergencyTrunkSerializer
    capability = "emergency"
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self) -> QuerySet[EmergencyTrunk]:
        return EmergencyTrunk.objects.in_order().filter(msp=self.request.msp)

    @extend_schema(request=EmergencyListSerializer, responses={201: EmergencyTrunkSerializer(many=True)})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Set the list of a country: `{"country": "DE", "trunks": [1, 2]}`."""
        given = EmergencyListSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted, country = given.validated_data["trunks"], given.validated_data["country"]
        seen = given.validated_data.get("seen")
        found = {trunk.pk: trunk for trunk in selectors.shared_trunks(request.msp).filter(pk__in=wanted)}
        if set(wanted) - set(found):
            raise serializers.ValidationError({"trunks": ["One of the trunks is not there any more."]})
        lists.set_emergency_trunks(request.msp, country, [found[pk] for pk in wanted], by=self.actor, seen=seen)
        lines = self.get_queryset().filter(country=country)
        return Response(self.get_serializer(lines, many=True).data)


routes = [("trunks", TrunkViewSet, "trunk")]
msp_routes = [
    ("carriers", CarrierViewSet, "carrier"),
    ("trunks", MspTrunkViewSet, "trunk"),
    ("blocked-prefixes", BlockedPrefixViewSet, "blocked-prefix"),
    ("emergency-trunks", EmergencyTrunkViewSet, "emergency-trunk"),
]
