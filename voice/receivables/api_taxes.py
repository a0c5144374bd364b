"""The tax table and exemptions for programs. Rates and parts are whole millionths: 19 % is 190000."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from portal.core.api import MspViewSet
from tenants.models import Customer
from voice.receivables import services
from voice.receivables.models import Exemption, TaxRule, VatIdCheck


class TaxRuleSerializer(serializers.ModelSerializer[TaxRule]):
    """What is asked where from a day on; `is_own` rules are the MSP's, the others everybody's."""

    is_own = serializers.SerializerMethodField()

    class Meta:
        model = TaxRule
        fields = [
            "id", "is_own", "country", "area", "county", "city", "tax", "tax_class", "name", "per_million",
            "share_per_million", "fixed", "currency", "begins", "ends", "source",
        ]  # fmt: skip
        validators: list[Any] = []

    def get_is_own(self, rule: TaxRule) -> bool:
        return rule.msp_id is not None


class TaxRuleViewSet(MspViewSet):
    """The tax table: POST adds a rule from a day on, nothing changes one."""

    queryset = TaxRule.objects.none()
    serializer_class = TaxRuleSerializer
    capability = "bills"
    http_method_names = ["get", "post", "head", "options"]
    save = staticmethod(services.add_rule)

    def get_queryset(self) -> QuerySet[TaxRule]:
        return TaxRule.objects.order_by("pk")

    def new(self) -> TaxRule:
        return TaxRule(msp=self.request.msp)


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
