"""Invoices, payments and who bills whom for programs. Amounts are whole millionths of the currency."""

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet, TenantViewSet
from portal.core.api_filters import one_of
from tenants.models import Customer
from voice.billing.models import Bill, BillLine
from voice.receivables import api_charges, api_entries, api_questions, api_runs, selectors, services, sources
from voice.receivables.api_payments import PaymentViewSet
from voice.receivables.api_taxes import (
    EverybodysRuleViewSet,
    ExemptionViewSet,
    RegistrationViewSet,
    TaxRuleViewSet,
    VatIdCheckSerializer,
    VatIdCheckViewSet,
)
from voice.receivables.models import BillingProfile, Invoice, InvoiceLine, InvoiceTax, LegalEntity, TaxClass
from voice.receivables.views.shared import file_response

ADDRESS = ["name", "street", "postcode", "city", "country", "vat_id", "email"]


class LineSerializer(serializers.ModelSerializer[InvoiceLine]):
    """A line: `exact` is its sum before rounding, `per_million` its tax rate (19 % is 190000), `basis` its ground."""

    class Meta:
        model = InvoiceLine
        fields = [
            "position",
            "kind",
            "text",
            "quantity",
            "seconds",
            "exact",
            "net",
            "category",
            "per_million",
            "levies",
            "basis",
        ]


class TaxSerializer(serializers.ModelSerializer[InvoiceTax]):
    """What one tax rate makes of the lines under it; an `is_levy` is one more of lines that name it."""

    class Meta:
        model = InvoiceTax
        fields = [
            "category", "per_million", "name", "note", "net", "tax", "is_levy", "position", "share_per_million",
            "fixed", "units",
        ]  # fmt: skip


class SettlementSerializer(serializers.Serializer[Any]):
    """What a payment or a credit note settled of an invoice.

    Below zero it is off again: `reversal` says by which money that went back, `credit_note` that it took the place of
    the `payment`, which is on the account for other invoices. `entry` wrote it off, or took that back.
    """

    amount = serializers.IntegerField()
    payment = serializers.IntegerField(allow_null=True)
    credit_note = serializers.IntegerField(allow_null=True)
    reversal = serializers.IntegerField(allow_null=True)
    entry = serializers.IntegerField(allow_null=True)


class InvoiceSerializer(serializers.ModelSerializer[Invoice]):
    """An invoice or a credit note; `ends` is the first day that is not in the period, `left` what is to be paid."""

    customer = serializers.IntegerField(source="tenant_id", read_only=True)
    corrects = serializers.IntegerField(source="corrects_id", read_only=True, allow_null=True)
    settled = serializers.IntegerField(read_only=True)
    left = serializers.IntegerField(read_only=True)
    settlements = SettlementSerializer(many=True, read_only=True)
    lines = LineSerializer(many=True, read_only=True)
    taxes = TaxSerializer(many=True, read_only=True)

    class Meta:
        model = Invoice
        fields = [
            "id", "number", "kind", "state", "customer", "corrects", "reason", "begins", "ends", "issued_on", "due_on",
            "currency", "net", "tax", "total", "settled", "left", "settlements", "seller_vat_id", "seller", "buyer",
            "lines", "taxes", "row_version",
        ]  # fmt: skip
        read_only_fields = fields


class BillLineSerializer(serializers.ModelSerializer[BillLine]):
    """A line of a bill: `exact` is its sum before rounding, `basis` what it can be explained by."""

    class Meta:
        model = BillLine
        fields = LineSerializer.Meta.fields


class BillSerializer(serializers.ModelSerializer[Bill]):
    """A bill as the customer has it; `ends` is the first day that is not in the period, `left` what is to be paid."""

    corrects = serializers.IntegerField(source="corrects_id", read_only=True, allow_null=True)
    settled = serializers.IntegerField(read_only=True)
    left = serializers.IntegerField(read_only=True)
    settlements = SettlementSerializer(many=True, read_only=True)
    lines = BillLineSerializer(many=True, read_only=True)
    taxes = TaxSerializer(many=True, read_only=True)

    class Meta:
        model = Bill
        fields = [
            "id", "number", "kind", "corrects", "reason", "begins", "ends", "issued_on", "due_on", "currency", "net",
            "tax", "total", "settled", "left", "settlements", "seller", "buyer", "lines", "taxes",
        ]  # fmt: skip
        read_only_fields = fields


class WrittenLineSerializer(serializers.Serializer[Any]):
    """A line of a new invoice: words and a net amount in millionths, below zero for a credit."""

    text = serializers.CharField(max_length=sources.LONGEST)
    net = serializers.IntegerField(min_value=-(10**15), max_value=10**15)
    tax_class = serializers.ChoiceField(TaxClass.choices, default=TaxClass.TELECOM)


class NewInvoiceSerializer(serializers.Serializer[Any]):
    """A new draft with lines of your own."""

    customer = serializers.IntegerField()
    begins = serializers.DateField()
    ends = serializers.DateField()
    lines = WrittenLineSerializer(many=True, min_length=1, max_length=sources.MOST_LINES)


class TakenBackSerializer(serializers.Serializer[Any]):
    """So much of one line, net."""

    position = serializers.IntegerField(min_value=1)
    net = serializers.IntegerField()


class NewCreditNoteSerializer(serializers.Serializer[Any]):
    """What a credit note takes back; without lines it is all that is left."""

    reason = serializers.CharField(max_length=200)
    lines = TakenBackSerializer(many=True, required=False)


class DaySerializer(serializers.Serializer[Any]):
    """The day of issue; today unless given."""

    on = serializers.DateField(required=False)


class Files:
    """The files of an issued document: `pdf`, `xml` (CII) and `ubl` (for Peppol)."""

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], url_path="files/(?P<kind>[a-z]+)")
    def file(self, request: Request, pk: str | None = None, kind: str = "") -> HttpResponse:
        """Return a file of an issued document: `pdf`, `xml` (CII) or `ubl` (for Peppol)."""
        return file_response(self.get_object(), kind)  # type: ignore[attr-defined]


class InvoiceViewSet(Files, MspViewSet):
    """Invoices and credit notes: `?state=issued&kind=invoice`. POST writes a draft; then approve and issue it."""

    queryset = Invoice.objects.none()
    serializer_class = InvoiceSerializer
    capability = "bills"
    http_method_names = ["get", "post", "delete", "head", "options"]
    ordering = ("-pk",)
    filters = {"state": one_of("state", Invoice.State), "kind": one_of("kind", Invoice.Kind)}
    remove = staticmethod(services.drop)

    def get_queryset(self) -> QuerySet[Invoice]:
        found = selectors.with_settlements(selectors.invoices().filter(msp=self.request.msp))
        return found.prefetch_related("lines", "taxes").order_by("-pk")

    @extend_schema(request=NewInvoiceSerializer, responses={201: InvoiceSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Write a draft with lines of your own."""
        given = NewInvoiceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        profile = BillingProfile.objects.filter(msp=request.msp, tenant_id=data["customer"]).first()
        if profile is None:
            raise serializers.ValidationError({"customer": ["It is not set how this customer is billed."]})
        source = sources.Written([(line["text"], line["net"], line["tax_class"]) for line in data["lines"]])
        made = services.draft(profile, source, begins=data["begins"], ends=data["ends"], by=self.actor)
        return self._answer(made, 201)

    def _answer(self, invoice: Invoice, status: int = 200) -> Response:
        found = selectors.with_settlements(selectors.invoices())
        fresh = found.prefetch_related("lines", "taxes").get(pk=invoice.pk)
        return Response(InvoiceSerializer(fresh).data, status)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        """Say that a draft may be issued as it is; refused while a warning of its run is not ticked."""
        return self._answer(services.approve(self.get_object(), by=self.actor))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str | None = None) -> Response:
        """Make an approved document a draft again."""
        return self._answer(services.reopen(self.get_object(), by=self.actor))

    @extend_schema(request=DaySerializer)
    @action(detail=True, methods=["post"])
    def issue(self, request: Request, pk: str | None = None) -> Response:
        """Give an approved document its number and send it to the customer's bills."""
        given = DaySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        on: date = given.validated_data.get("on") or timezone.localdate()
        issued = services.issue(self.get_object(), on=on, by=self.actor)
        services.store_files(issued)
        return self._answer(issued)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def mail(self, request: Request, pk: str | None = None) -> Response:
        """Send an issued document to the customer's address, in its language."""
        invoice = self.get_object()
        services.mail(invoice, by=self.actor)
        return self._answer(invoice)

    @extend_schema(request=api_entries.WriteOffSerializer)
    @action(detail=True, methods=["post"], url_path="write-off")
    def write_off(self, request: Request, pk: str | None = None) -> Response:
        """Give up what will not be paid: `{"amount": 119000000, "left": 119000000, "reason": "Insolvent"}`."""
        given = api_entries.WriteOffSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        invoice = self.get_object()
        services.write_off(invoice, **given.validated_data, by=self.actor)
        return self._answer(invoice)

    @extend_schema(request=NewCreditNoteSerializer, responses={201: InvoiceSerializer})
    @action(detail=True, methods=["post"])
    def credit(self, request: Request, pk: str | None = None) -> Response:
        """Write the draft of a credit note: `{"reason": "Wrong plan"}`."""
        given = NewCreditNoteSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        lines = given.validated_data.get("lines")
        amounts = {line["position"]: line["net"] for line in lines} if lines is not None else None
        note = services.credit(self.get_object(), reason=given.validated_data["reason"], amounts=amounts, by=self.actor)
        return self._answer(note, 201)


class EntitySerializer(serializers.ModelSerializer[LegalEntity]):
    """A company that sends invoices; `{number}` in a pattern counts without a gap.

    A first bill above `first_bill_limit` (net, whole millionths) has to be looked at in its run.
    """

    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = LegalEntity
        fields = [
            "id", *ADDRESS, "phone", "registration", "tax_number", "bank", "iban", "bic", "invoice_pattern",
            "credit_note_pattern", "area", "is_in_oss", "first_bill_limit", "row_version",
        ]  # fmt: skip
        validators: list[Any] = []


class EntityViewSet(MspViewSet):
    """The MSP's companies."""

    queryset = LegalEntity.objects.none()
    serializer_class = EntitySerializer
    capability = "bills"
    save = staticmethod(services.save_entity)

    def get_queryset(self) -> QuerySet[LegalEntity]:
        return LegalEntity.objects.filter(msp=self.request.msp).order_by("pk")

    def new(self) -> LegalEntity:
        return LegalEntity(msp=self.request.msp)


class ProfileSerializer(serializers.ModelSerializer[BillingProfile]):
    """How one customer is billed."""

    customer = serializers.PrimaryKeyRelatedField(source="tenant", queryset=Customer.objects.all())
    entity = serializers.PrimaryKeyRelatedField(queryset=LegalEntity.objects.all())
    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = BillingProfile
        fields = [
            "id", "customer", "entity", *ADDRESS, "currency", "due_days", "buyer_reference", "area", "county",
            "is_business", "language", "vat_id_state", "vat_id_checked_at", "row_version",
        ]  # fmt: skip
        read_only_fields = ["vat_id_state", "vat_id_checked_at"]
        validators: list[Any] = []


class ProfileViewSet(MspViewSet):
    """How customers are billed: by which company, to which address, in which currency."""

    queryset = BillingProfile.objects.none()
    serializer_class = ProfileSerializer
    capability = "bills"
    save = staticmethod(services.save_profile)

    def get_queryset(self) -> QuerySet[BillingProfile]:
        return BillingProfile.objects.filter(msp=self.request.msp).select_related("entity", "tenant").order_by("pk")

    def new(self) -> BillingProfile:
        return BillingProfile(msp=self.request.msp)

    @extend_schema(request=None, responses=VatIdCheckSerializer)
    @action(detail=True, methods=["post"], url_path="check-vat-id")
    def check_vat_id(self, request: Request, pk: str | None = None) -> Response:
        """Ask the register about the customer's VAT id; the answer is kept as evidence."""
        return Response(VatIdCheckSerializer(services.check_vat_id(self.get_object(), by=self.actor)).data)


class BillViewSet(Files, TenantViewSet):
    """The customer's issued invoices and credit notes: `?kind=invoice`."""

    queryset = Bill.objects.none()
    serializer_class = BillSerializer
    capability = "bills"
    ordering = ("-pk",)
    filters = {"kind": one_of("kind", Invoice.Kind)}

    def get_queryset(self) -> QuerySet[Bill]:
        return selectors.with_settlements(selectors.bills()).prefetch_related("lines").order_by("-pk")


msp_routes = [
    ("invoices", InvoiceViewSet, "invoice"),
    ("payments", PaymentViewSet, "payment"),
    ("legal-entities", EntityViewSet, "legal-entity"),
    ("billing-profiles", ProfileViewSet, "billing-profile"),
    ("tax-rules", TaxRuleViewSet, "tax-rule"),
    ("tax-exemptions", ExemptionViewSet, "tax-exemption"),
    ("vat-registrations", RegistrationViewSet, "vat-registration"),
    ("vat-id-checks", VatIdCheckViewSet, "vat-id-check"),
    *api_runs.msp_routes,
    *api_entries.msp_routes,
    *api_questions.msp_routes,
    *api_charges.msp_routes,
]
routes = [("bills", BillViewSet, "bill"), *api_questions.routes, *api_charges.routes]
operator_routes = [("tax-rules", EverybodysRuleViewSet, "tax-rule")]
