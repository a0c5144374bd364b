"""The tax table and exemptions for programs. Rates and parts are whole millionths: 19 % is 190000."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet, OperatorViewSet
from portal.core.api_filters import Filter, Filters
from tenants.models import Customer
from voice.receivables import selectors, services
from voice.receivables.models import Exemption, LegalEntity, TaxCheck, TaxRule, VatIdCheck, VatRegistration

RULE = [
    "id", "is_own", "country", "area", "county", "city", "tax", "tax_class", "name", "per_million", "share_per_million",
    "fixed", "currency", "begins", "ends", "source",
]  # fmt: skip


COUNTRY: Filters = {"country": Filter("country", "Of two letters, for example US.")}


class TaxRuleSerializer(serializers.ModelSerializer[TaxRule]):
    """What is asked where from a day on; `is_own` rules are the MSP's, the others everybody's.

    `checked_on` and `outcome` tell when everybody's rule was last compared with its source, and what came out.
    """

    is_own = serializers.SerializerMethodField()
    checked_on = serializers.DateField(read_only=True, default=None)
    outcome = serializers.CharField(read_only=True, default=None)

    class Meta:
        model = TaxRule
        fields = [*RULE, "checked_on", "outcome"]
        validators: list[Any] = []

    def get_is_own(self, rule: TaxRule) -> bool:
        return rule.msp_id is not None


class TaxRuleViewSet(MspViewSet):
    """The tax table: POST adds a rule from a day on, nothing changes one; `?country=US`."""

    queryset = TaxRule.objects.none()
    serializer_class = TaxRuleSerializer
    capability = "bills"
    http_method_names = ["get", "post", "head", "options"]
    filters = COUNTRY
    save = staticmethod(services.add_rule)

    def get_queryset(self) -> QuerySet[TaxRule]:
        return selectors.with_checks(TaxRule.objects.all()).order_by("pk")

    def new(self) -> TaxRule:
        return TaxRule(msp=self.request.msp)


class TaxCheckSerializer(serializers.ModelSerializer[TaxCheck]):
    """That a rule was compared with its source; `outcome` is `right` or `wrong`, and `note` says what is wrong."""

    class Meta:
        model = TaxCheck
        fields = ["id", "outcome", "checked_on", "page", "note", "checked_by"]
        read_only_fields = ["id", "checked_by"]


class EverybodysRuleSerializer(serializers.ModelSerializer[TaxRule]):
    """What is asked where from a day on, of every MSP's customers; `checks` says who compared it with its source."""

    checks = TaxCheckSerializer(many=True, read_only=True)

    class Meta:
        model = TaxRule
        fields = [*(name for name in RULE if name != "is_own"), "checks"]
        validators: list[Any] = []


class EverybodysRuleViewSet(OperatorViewSet):
    """The tax table for everybody: POST adds a rule from a day on, nothing changes one; `?country=US`."""

    queryset = TaxRule.objects.none()
    serializer_class = EverybodysRuleSerializer
    capability = "taxes"
    http_method_names = ["get", "post", "head", "options"]
    filters = COUNTRY
    save = staticmethod(services.add_rule)

    def get_queryset(self) -> QuerySet[TaxRule]:
        return selectors.everybodys_rules().prefetch_related("checks").order_by("pk")

    @extend_schema(request=TaxCheckSerializer, responses=TaxCheckSerializer)
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str | None = None) -> Response:
        """Note that it was compared with its source: `{"outcome": "right", "checked_on": "2026-11-28"}`."""
        given = TaxCheckSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        made = services.check_rule(TaxCheck(rule=self.get_object(), **given.validated_data), by=self.actor)
        return Response(TaxCheckSerializer(made).data)


class ExemptionSerializer(serializers.ModelSerializer[Exemption]):
    """Why a customer does not bear a tax; `ends` is the first day on which it does not hold."""

    customer = serializers.PrimaryKeyRelatedField(source="tenant", queryset=Customer.objects.all())
    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = Exemption
        fields = [
            "id", "customer", "kind", "tax", "area", "ground", "certificate", "begins", "ends", "row_version",
        ]  # fmt: skip
        validators: list[Any] = []


class ExemptionViewSet(MspViewSet):
    """Exemptions and resellers' certificates; end one by its `ends`."""

    queryset = Exemption.objects.none()
    serializer_class = ExemptionSerializer
    capability = "bills"
    save = staticmethod(services.save_exemption)

    def get_queryset(self) -> QuerySet[Exemption]:
        return Exemption.objects.filter(msp=self.request.msp).order_by("pk")

    def new(self) -> Exemption:
        return Exemption(msp=self.request.msp)


class RegistrationSerializer(serializers.ModelSerializer[VatRegistration]):
    """Where a company is registered for VAT besides its own country; `ends` is the first day that it is not."""

    entity = serializers.PrimaryKeyRelatedField(queryset=LegalEntity.objects.all())
    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = VatRegistration
        fields = ["id", "entity", "country", "vat_id", "is_established", "begins", "ends", "row_version"]
        validators: list[Any] = []


class RegistrationViewSet(MspViewSet):
    """The companies' registrations for VAT abroad; end one by its `ends`."""

    queryset = VatRegistration.objects.none()
    serializer_class = RegistrationSerializer
    capability = "bills"
    save = staticmethod(services.save_registration)

    def get_queryset(self) -> QuerySet[VatRegistration]:
        return VatRegistration.objects.filter(msp=self.request.msp).order_by("pk")

    def new(self) -> VatRegistration:
        return VatRegistration(msp=self.request.msp)


class VatIdCheckSerializer(serializers.ModelSerializer[VatIdCheck]):
    """An answer about a VAT id, as it came."""

    customer = serializers.IntegerField(source="tenant_id", read_only=True, allow_null=True)

    class Meta:
        model = VatIdCheck
        fields = ["id", "customer", "vat_id", "state", "register", "request_id", "name", "address", "words", "asked_at"]
        read_only_fields = fields


class VatIdCheckViewSet(MspViewSet):
    """What registers said about customers' VAT ids, as evidence."""

    queryset = VatIdCheck.objects.none()
    serializer_class = VatIdCheckSerializer
    capability = "bills"
    ordering = ("-pk",)

    def get_queryset(self) -> QuerySet[VatIdCheck]:
        return VatIdCheck.objects.filter(msp=self.request.msp).order_by("-pk")
