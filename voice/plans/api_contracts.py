"""Contracts for programs: the MSP's, and the customer's own to read."""

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet, TenantViewSet
from portal.core.api_filters import CUSTOMER
from tenants.models import Customer
from voice.plans import ordering, previews, selectors
from voice.plans.api_plans import month_as_data
from voice.plans.models import AddOn, Contract, Credit, PlanVersion

TERMS = ["term_months", "renewal_months", "notice_days", "trial_until", "reference"]


class AddOnSerializer(serializers.ModelSerializer[AddOn]):
    """An add-on of a contract; `ends` is the first day without it."""

    class Meta:
        model = AddOn
        fields = ["id", "name", "quantity", "begins", "ends"]


class CreditSerializer(serializers.ModelSerializer[Credit]):
    """A credit on the bill of a month, such as 2026-06-01."""

    class Meta:
        model = Credit
        fields = ["id", "month", "amount", "reason"]


class ContractSerializer(serializers.ModelSerializer[Contract]):
    """A contract; `ends` is the first day without it, `phases` the plan of each of its days."""

    customer = serializers.PrimaryKeyRelatedField(source="tenant", queryset=Customer.objects.all())
    version = serializers.PrimaryKeyRelatedField(
        queryset=PlanVersion.objects.all(), write_only=True, required=False, help_text="The first plan's version."
    )
    state = serializers.SerializerMethodField()
    earliest_end = serializers.SerializerMethodField()
    phases = serializers.SerializerMethodField()
    add_ons = AddOnSerializer(many=True, read_only=True)
    credits = CreditSerializer(many=True, read_only=True)
    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = Contract
        fields = [
            "id", "customer", "version", "starts", "ends", *TERMS, "state", "earliest_end", "phases", "add_ons",
            "credits", "row_version",
        ]  # fmt: skip
        read_only_fields = ["ends"]
        validators: list[Any] = []

    def get_state(self, contract: Contract) -> str:
        return selectors.standing(contract, timezone.localdate())

    def get_earliest_end(self, contract: Contract) -> date:
        return contract.term.earliest_end(timezone.localdate())

    def get_phases(self, contract: Contract) -> list[dict[str, Any]]:
        return [
            {
                "plan": phase.version.plan.name,
                "version": phase.version.number,
                "currency": phase.version.plan.currency,
                "begins": phase.begins,
                "ends": phase.ends,
            }
            for phase in contract.held_phases
        ]


class OwnContractSerializer(ContractSerializer):
    """The customer's own contract."""

    class Meta(ContractSerializer.Meta):
        fields = [name for name in ContractSerializer.Meta.fields if name not in ("customer", "version")]
        read_only_fields = fields


class ChangeSerializer(serializers.Serializer[Any]):
    """Another version from a day on, which belongs to it."""

    version = serializers.PrimaryKeyRelatedField(queryset=PlanVersion.objects.all())
    on = serializers.DateField()


class EndSerializer(serializers.Serializer[Any]):
    """Notice; without `ends` as early as term and notice allow."""

    noticed_on = serializers.DateField(required=False)
    ends = serializers.DateField(required=False, allow_null=True)
    agreed = serializers.BooleanField(default=False)


class EndAddOnSerializer(serializers.Serializer[Any]):
    """The first day without an add-on."""

    add_on = serializers.IntegerField()
    on = serializers.DateField()


class TakeCreditBackSerializer(serializers.Serializer[Any]):
    """A credit that is on no bill yet."""

    credit = serializers.IntegerField()


class ContractViewSet(MspViewSet):
    """Contracts: `?customer=7`. POST starts one with a version of a plan; PATCH changes its terms."""

    queryset = Contract.objects.none()
    serializer_class = ContractSerializer
    capability = "plans"
    http_method_names = ["get", "post", "patch", "head", "options"]
    save = staticmethod(ordering.save_contract)
    ordering = ("-pk",)
    filters = CUSTOMER

    def get_queryset(self) -> QuerySet[Contract]:
        return selectors.contracts_whole(msp=self.request.msp.pk)

    def write(self, serializer: Any, instance: Contract | None) -> Contract:
        given = dict(serializer.validated_data)
        version = given.pop("version", None)
        row = instance or Contract(msp=self.request.msp)
        if instance is not None:
            strange = sorted(given.keys() - {*TERMS, "row_version"})
            if strange or version is not None:
                raise serializers.ValidationError("Customer, start and plan stay: use change-plan or end.")
        for name, value in given.items():
            setattr(row, name, value)
        if instance is not None:
            ordering.save_contract(row, by=self.actor)
        elif version is None:
            raise serializers.ValidationError({"version": ["Name the version of a plan."]})
        else:
            ordering.start_contract(row, version, by=self.actor)
        return self.get_queryset().get(pk=row.pk)

    def _answer(self, status: int = 200) -> Response:
        return Response(ContractSerializer(self.get_object()).data, status)

    def _given(self, kind: Any) -> dict[str, Any]:
        given = kind(data=self.request.data)
        given.is_valid(raise_exception=True)
        found: dict[str, Any] = given.validated_data
        return found

    @extend_schema(request=ChangeSerializer)
    @action(detail=True, methods=["post"], url_path="change-plan")
    def change_plan(self, request: Request, pk: str | None = None) -> Response:
        """Let the contract go on with another version from a day on: `{"version": 12, "on": "2026-07-01"}`."""
        told = self._given(ChangeSerializer)
        ordering.change_plan(self.get_object(), told["version"], on=told["on"], by=self.actor)
        return self._answer()

    @extend_schema(
        parameters=[OpenApiParameter("version", int, required=True), OpenApiParameter("on", date, required=True)],
        responses=OpenApiTypes.OBJECT,
    )
    @action(detail=True, methods=["get"], url_path="preview")
    def preview(self, request: Request, pk: str | None = None) -> Response:
        """Say what the month of a change would cost, before and after it: `?version=12&on=2026-07-01`."""
        told = ChangeSerializer(data=request.query_params)
        told.is_valid(raise_exception=True)
        row, version, on = self.get_object(), told.validated_data["version"], told.validated_data["on"]
        if on <= row.starts:
            raise serializers.ValidationError({"on": ["A change comes after the contract's first day."]})
        before = previews.month_of(row.tenant, on)
        after = previews.month_after_change(row.tenant, row, version, on)
        return Response({"before": month_as_data(before), "after": month_as_data(after)})

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def month(self, request: Request, pk: str | None = None) -> Response:
        """Say what this month costs so far."""
        return Response(month_as_data(previews.month_of(self.get_object().tenant, timezone.localdate())))

    @extend_schema(request=EndSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str | None = None) -> Response:
        """End the contract with notice; earlier than its terms allow only where both sides agreed."""
        told = self._given(EndSerializer)
        noticed = told.get("noticed_on") or timezone.localdate()
        ordering.end_contract(
            self.get_object(), noticed_on=noticed, ends=told.get("ends"), agreed=told["agreed"], by=self.actor
        )
        return self._answer()

    @extend_schema(request=AddOnSerializer, responses={201: ContractSerializer})
    @action(detail=True, methods=["post"], url_path="add-ons")
    def order_add_on(self, request: Request, pk: str | None = None) -> Response:
        """Order an add-on that the plan offers: `{"name": "Recording", "quantity": 4, "begins": "2026-07-01"}`."""
        order = AddOn(contract=self.get_object(), **self._given(AddOnSerializer))
        ordering.order_add_on(order, by=self.actor)
        return self._answer(201)

    @extend_schema(request=EndAddOnSerializer)
    @action(detail=True, methods=["post"], url_path="end-add-on")
    def end_add_on(self, request: Request, pk: str | None = None) -> Response:
        """End an add-on."""
        told, row = self._given(EndAddOnSerializer), self.get_object()
        order = row.add_ons.filter(pk=told["add_on"]).first()
        if order is None:
            raise serializers.ValidationError({"add_on": ["The contract has no such add-on."]})
        order.contract = row
        ordering.end_add_on(order, on=told["on"], by=self.actor)
        return self._answer()

    @extend_schema(request=CreditSerializer, responses={201: ContractSerializer})
    @action(detail=True, methods=["post"], url_path="credits")
    def give_credit(self, request: Request, pk: str | None = None) -> Response:
        """Enter a credit: `{"month": "2026-06-01", "amount": 5000000, "reason": "Outage of 12 May"}`."""
        credit = Credit(contract=self.get_object(), **self._given(CreditSerializer))
        ordering.give_credit(credit, by=self.actor)
        return self._answer(201)

    @extend_schema(request=TakeCreditBackSerializer)
    @action(detail=True, methods=["post"], url_path="take-credit-back")
    def take_credit_back(self, request: Request, pk: str | None = None) -> Response:
        """Take a credit back that is on no bill yet."""
        told, row = self._given(TakeCreditBackSerializer), self.get_object()
        credit = row.credits.filter(pk=told["credit"]).first()
        if credit is None:
            raise serializers.ValidationError({"credit": ["The contract has no such credit."]})
        credit.contract = row
        ordering.take_credit_back(credit, by=self.actor)
        return self._answer()


class OwnContractViewSet(TenantViewSet):
    """The customer's contracts; `month` says what this month costs so far and what is left of included minutes."""

    queryset = Contract.objects.none()
    serializer_class = OwnContractSerializer
    capability = "bills"
    ordering = ("-pk",)

    def get_queryset(self) -> QuerySet[Contract]:
        return selectors.contracts_whole(tenant=self.request.tenant.pk)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["get"])
    def month(self, request: Request) -> Response:
        """Say what this month costs so far, and what is left of included minutes."""
        return Response(month_as_data(previews.month_of(request.tenant, timezone.localdate())))
