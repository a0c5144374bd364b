"""Numbers for programs: what the customer does with its own, and the MSP's moves."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet, TenantViewSet
from portal.core.api_filters import found, one_of
from portal.core.fields import parse_number
from tenants.models import Customer
from voice.directory.models import Person, Place
from voice.inventory.api import CountSerializer, IdsSerializer
from voice.inventory.models import Allocation
from voice.numbers import allocation, selectors, services
from voice.numbers.api_usage import NumberDayViewSet
from voice.numbers.models import ApprovedCallerId, Number


class NumberSerializer(serializers.ModelSerializer[Number]):
    """A number of the customer; `state` is set by /activate/, /suspend/ and /deactivate/."""

    row_version = serializers.IntegerField(required=False)
    place = serializers.PrimaryKeyRelatedField(queryset=Place.objects.all(), allow_null=True, required=False)
    person = serializers.PrimaryKeyRelatedField(queryset=Person.objects.all(), allow_null=True, required=False)
    is_live = serializers.SerializerMethodField()

    class Meta:
        model = Number
        fields = [
            "id", "e164", "country", "label", "state", "inbound", "inbound_trunk", "place", "person", "row_version",
            "is_live",
        ]  # fmt: skip
        read_only_fields = ["e164", "country", "state"]
        validators: list[Any] = []

    def get_is_live(self, number: Number) -> bool:
        return bool(number.config_version <= self.context["request"].tenant.live_version)


class NumberViewSet(TenantViewSet):
    """The customer's numbers: `?q=030 123&state=active`."""

    queryset = Number.objects.none()
    serializer_class = NumberSerializer
    capability = "numbers"
    http_method_names = ["get", "post", "put", "patch", "head", "options"]
    ordering = ("e164", "pk")
    filters = {
        "q": found(selectors.find_numbers, "A number in any format, a part of it, a label or a person."),
        "state": one_of("state", Number.State),
    }

    def get_queryset(self) -> QuerySet[Number]:
        return selectors.numbers()

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        raise MethodNotAllowed("POST", detail="Numbers come from your provider.")

    def write(self, serializer: Any, instance: Number | None) -> Number:
        assert instance is not None
        for name, value in serializer.validated_data.items():
            setattr(instance, name, value)
        return services.save_number(instance, customer=self.request.tenant, by=self.actor)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, pk: str | None = None) -> Response:
        """Let calls through; the country may demand an emergency location first."""
        return self._set(services.activate)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str | None = None) -> Response:
        """Stop the number's calls for now."""
        return self._set(services.suspend)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, pk: str | None = None) -> Response:
        """Take the number out of use."""
        return self._set(services.deactivate)

    def _set(self, act: Any) -> Response:
        number = act(self.get_object(), customer=self.request.tenant, by=self.actor)
        return Response(self.get_serializer(number).data)


class CallerIdSerializer(serializers.ModelSerializer[ApprovedCallerId]):
    """A foreign number that the customer may show, with the proof."""

    row_version = serializers.IntegerField(required=False)
    e164 = serializers.CharField(max_length=40)

    class Meta:
        model = ApprovedCallerId
        fields = ["id", "e164", "note", "evidence", "approved_by", "approved_at", "row_version"]
        read_only_fields = ["approved_by", "approved_at"]

    def validate_e164(self, typed: str) -> str:
        return parse_number(typed, self.context["request"].tenant.country)


class CallerIdPolicySerializer(serializers.Serializer[Customer]):
    """What is shown instead of a caller ID that is not the customer's; the default is one of its active numbers."""

    caller_id_policy = serializers.ChoiceField(choices=Customer.CallerIdPolicy.choices)
    default_caller_id = serializers.CharField(max_length=16, allow_blank=True, default="")


class CallerIdViewSet(TenantViewSet):
    """Foreign caller IDs that are approved."""

    queryset = ApprovedCallerId.objects.none()
    serializer_class = CallerIdSerializer
    capability = "numbers"
    http_method_names = ["get", "post", "put", "patch", "delete", "head", "options"]

    def get_queryset(self) -> QuerySet[ApprovedCallerId]:
        return selectors.caller_ids()

    def write(self, serializer: Any, instance: ApprovedCallerId | None) -> ApprovedCallerId:
        caller_id = instance or ApprovedCallerId()
        for name, value in serializer.validated_data.items():
            setattr(caller_id, name, value)
        return services.save_caller_id(caller_id, customer=self.request.tenant, by=self.actor)

    def remove(self, caller_id: ApprovedCallerId, *, by: Any) -> None:
        services.delete_caller_id(caller_id, customer=self.request.tenant, by=by)

    @extend_schema(request=CallerIdPolicySerializer, responses=CallerIdPolicySerializer)
    @action(detail=False, methods=["get", "put"], pagination_class=None)
    def policy(self, request: Request) -> Response:
        """What is shown when a caller ID is not the customer's: its default number, or nothing."""
        customer = request.tenant
        if request.method == "PUT":
            form = CallerIdPolicySerializer(data=request.data)
            form.is_valid(raise_exception=True)
            wanted = form.validated_data
            customer = services.save_caller_id_policy(
                customer, policy=wanted["caller_id_policy"], number=wanted["default_caller_id"], by=self.actor
            )
        return Response(CallerIdPolicySerializer(customer).data)


class GiveSerializer(IdsSerializer):
    """Numbers of the stock and the customer that gets them."""

    customer = serializers.IntegerField(min_value=1)


class ReleaseSerializer(IdsSerializer):
    """Numbers of the stock and for how many days they cool."""

    cooling_days = serializers.IntegerField(min_value=0, max_value=365, default=allocation.COOLING_DAYS)


class AllocationSerializer(serializers.ModelSerializer[Allocation]):
    """For how long a customer held a number."""

    e164 = serializers.CharField(source="stock.e164")
    customer = serializers.IntegerField(source="tenant_id")

    class Meta:
        model = Allocation
        fields = ["id", "e164", "stock", "customer", "since", "until"]


class AllocationViewSet(MspViewSet):
    """Who held which number when. POST gives numbers to a customer; /release/ takes back, /move/ moves."""

    queryset = Allocation.objects.none()
    serializer_class = AllocationSerializer
    capability = "stock"
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self) -> QuerySet[Allocation]:
        return Allocation.objects.filter(msp=self.request.msp).select_related("stock")

    @extend_schema(request=GiveSerializer, responses={201: CountSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give numbers to a customer: `{"ids": [1, 2], "customer": 7}`; all of them or none."""
        given = self._given(GiveSerializer)
        return Response({"count": allocation.allocate(given["ids"], self._customer(given), by=self.actor)}, status=201)

    @extend_schema(request=ReleaseSerializer, responses=CountSerializer)
    @action(detail=False, methods=["post"])
    def release(self, request: Request) -> Response:
        """Take numbers back: `{"ids": [1, 2], "cooling_days": 30}`."""
        given = self._given(ReleaseSerializer)
        days = given["cooling_days"]
        return Response({"count": allocation.release(given["ids"], msp=request.msp, by=self.actor, cooling_days=days)})

    @extend_schema(request=GiveSerializer, responses=CountSerializer)
    @action(detail=False, methods=["post"])
    def move(self, request: Request) -> Response:
        """Move numbers to another customer: `{"ids": [1, 2], "customer": 7}`."""
        given = self._given(GiveSerializer)
        return Response({"count": allocation.move(given["ids"], self._customer(given), by=self.actor)})

    def _given(self, serializer: type[IdsSerializer]) -> dict[str, Any]:
        found = serializer(data=self.request.data)
        found.is_valid(raise_exception=True)
        return dict(found.validated_data)

    def _customer(self, given: dict[str, Any]) -> Customer:
        return get_object_or_404(Customer.objects.select_related("msp"), pk=given["customer"], msp=self.request.msp)


routes = [
    ("numbers", NumberViewSet, "number"),
    ("caller-ids", CallerIdViewSet, "caller-id"),
    ("number-days", NumberDayViewSet, "number-day"),
]
msp_routes = [("allocations", AllocationViewSet, "allocation")]
