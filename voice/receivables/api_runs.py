"""Invoice runs for programs: collect a month, look at what was found, approve, issue."""

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet
from portal.core.api_filters import Number
from voice.receivables import findings
from voice.receivables.models import InvoiceRun, RunCustomer, RunFinding
from voice.receivables.pages_runs import with_figures, with_standing
from voice.receivables.services import runs


class FindingSerializer(serializers.ModelSerializer[RunFinding]):
    """What a check found: an error leaves the customer out, a warning has to be ticked."""

    customer = serializers.IntegerField(source="customer.tenant_id", read_only=True, default=None, allow_null=True)
    words = serializers.SerializerMethodField()

    class Meta:
        model = RunFinding
        fields = ["id", "run", "customer", "code", "level", "facts", "words", "ticked_at", "ticked_by"]
        read_only_fields = fields

    def get_words(self, finding: RunFinding) -> str:
        """Return the finding as a sentence."""
        return findings.told(finding).words


class RunCustomerSerializer(serializers.ModelSerializer[RunCustomer]):
    """What a run makes of one customer; amounts are millionths, net, `before` is the month before."""

    customer = serializers.IntegerField(source="tenant_id", read_only=True)
    state = serializers.CharField(source="standing", read_only=True)

    class Meta:
        model = RunCustomer
        fields = ["id", "customer", "state", "invoice", "calls", "currency", "net", "before"]
        read_only_fields = fields


class RunSerializer(serializers.ModelSerializer[InvoiceRun]):
    """A month of all customers; `job` is the work that goes on, with its progress at `/api/v1/jobs/`."""

    job = serializers.UUIDField(source="job_id", read_only=True)
    to_approve = serializers.IntegerField(read_only=True)
    approved = serializers.IntegerField(read_only=True)
    issued = serializers.IntegerField(read_only=True)
    left_out = serializers.IntegerField(read_only=True)

    class Meta:
        model = InvoiceRun
        fields = [
            "id", "begins", "ends", "state", "job", "collected_at", "to_approve", "approved", "issued", "left_out",
        ]  # fmt: skip
        read_only_fields = fields


class MonthSerializer(serializers.Serializer[Any]):
    """The first day of a month that is over."""

    begins = serializers.DateField()


class ApproveSerializer(serializers.Serializer[Any]):
    """Which customers of the run, by the customer's id; all where none is named."""

    customers = serializers.ListField(child=serializers.IntegerField(), required=False)


class CustomerOfRunSerializer(serializers.Serializer[Any]):
    """A customer of the run, by the customer's id."""

    customer = serializers.IntegerField()


class DateSerializer(serializers.Serializer[Any]):
    """The date of the invoices; today unless given."""

    on = serializers.DateField(required=False)


class RunViewSet(MspViewSet):
    """Invoice runs: POST `{"begins": "2026-10-01"}` collects a month in the background; then approve and issue."""

    queryset = InvoiceRun.objects.none()
    serializer_class = RunSerializer
    capability = "bills"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-begins",)

    def get_queryset(self) -> QuerySet[InvoiceRun]:
        return with_figures(InvoiceRun.objects.filter(msp=self.request.msp)).order_by("-begins")

    @extend_schema(request=MonthSerializer, responses={201: RunSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Collect a month of all customers."""
        given = MonthSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        made = runs.start_run(request.msp, given.validated_data["begins"], by=self.actor)  # type: ignore[attr-defined]
        return self._answer(made, 201)

    def _answer(self, run: InvoiceRun, status: int = 200, **more: Any) -> Response:
        return Response(RunSerializer(self.get_queryset().get(pk=run.pk)).data | more, status)

    @extend_schema(responses=RunCustomerSerializer(many=True))
    @action(detail=True, methods=["get"])
    def customers(self, request: Request, pk: str | None = None) -> Response:
        """Return what each customer of the run would be billed."""
        found = with_standing(RunCustomer.objects.filter(run=self.get_object()))
        self.ordering = ("pk",)  # type: ignore[misc]  # that of these rows, for this one answer
        page = self.paginate_queryset(found)
        return self.get_paginated_response(RunCustomerSerializer(page, many=True).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def collect(self, request: Request, pk: str | None = None) -> Response:
        """Collect again what is neither approved nor issued."""
        row = self.get_object()
        return self._answer(runs.start_run(row.msp, row.begins, by=self.actor))

    @extend_schema(request=CustomerOfRunSerializer)
    @action(detail=True, methods=["post"], url_path="open-days")
    def open_days(self, request: Request, pk: str | None = None) -> Response:
        """Open the days of a customer without an invoice again, so that its contract can be changed for them."""
        given = CustomerOfRunSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        row = self.get_object()
        each = row.customers.filter(tenant=given.validated_data["customer"]).first()
        if each is None:
            raise serializers.ValidationError({"customer": ["The run has no such customer."]})
        runs.open_days(each, by=self.actor)
        return self._answer(row)

    @extend_schema(request=CustomerOfRunSerializer)
    @action(detail=True, methods=["post"])
    def credit(self, request: Request, pk: str | None = None) -> Response:
        """Write the drafts of credit notes over a customer's calls that were priced again to less than its month asks.

        Answers with the run and the numbers of these documents, as `credit_notes`.
        """
        given = CustomerOfRunSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        row = self.get_object()
        each = row.customers.select_related("tenant").filter(tenant=given.validated_data["customer"]).first()
        if each is None:
            raise serializers.ValidationError({"customer": ["The run has no such customer."]})
        return self._answer(row, credit_notes=[note.pk for note in runs.credit_again(each, by=self.actor)])

    @extend_schema(request=ApproveSerializer)
    @action(detail=True, methods=["post"])
    def tick(self, request: Request, pk: str | None = None) -> Response:
        """Say that the warnings of these customers were looked at: `{"customers": [1]}`, or of all."""
        row, chosen = self._chosen(request)
        every = row.customers.values_list("pk", flat=True)
        return self._answer(row, ticked=runs.tick_customers(row, every if chosen is None else chosen, by=self.actor))

    def _chosen(self, request: Request) -> tuple[InvoiceRun, QuerySet[RunCustomer, int] | None]:
        given = ApproveSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        row, wanted = self.get_object(), given.validated_data.get("customers")
        return row, None if wanted is None else row.customers.filter(tenant__in=wanted).values_list("pk", flat=True)

    @extend_schema(request=ApproveSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        """Approve drafts of the run, all that may go out or: `{"customers": [1]}`."""
        row, chosen = self._chosen(request)
        done, held = runs.approve_customers(row, chosen, by=self.actor)
        return self._answer(row, newly_approved=done, held_back=held)

    @extend_schema(request=DateSerializer)
    @action(detail=True, methods=["post"])
    def issue(self, request: Request, pk: str | None = None) -> Response:
        """Issue what is approved, in the background."""
        given = DateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        on: date = given.validated_data.get("on") or timezone.localdate()
        return self._answer(runs.start_issuing(self.get_object(), on=on, by=self.actor))


class FindingViewSet(MspViewSet):
    """What the checks of invoice runs found: `?run=1`. Tick a warning to bill all the same."""

    queryset = RunFinding.objects.none()
    serializer_class = FindingSerializer
    capability = "bills"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)
    filters = {"run": Number("run")}

    def get_queryset(self) -> QuerySet[RunFinding]:
        return RunFinding.objects.filter(msp=self.request.msp).select_related("customer", "run").order_by("-pk")

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Findings are made by runs."""
        return self.http_method_not_allowed(request)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def tick(self, request: Request, pk: str | None = None) -> Response:
        """Say that a warning was looked at."""
        return Response(FindingSerializer(runs.tick(self.get_object(), by=self.actor)).data)


msp_routes = [
    ("invoice-runs", RunViewSet, "invoice-run"),
    ("run-findings", FindingViewSet, "run-finding"),
]
