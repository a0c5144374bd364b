"""Reminders for programs."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet
from portal.core.api_filters import one_of
from tenants.models import Customer
from voice.payments.models import DunningPause, DunningSetting, DunningStep, Reminder, ReminderLine
from voice.payments.services import dunning, ladder
from voice.receivables.models import Invoice


class ReminderLineSerializer(serializers.ModelSerializer[ReminderLine]):
    """An invoice in a reminder."""

    invoice = serializers.IntegerField(source="invoice_id", read_only=True)

    class Meta:
        model = ReminderLine
        fields = ["invoice", "left", "days", "interest"]


class ReminderSerializer(serializers.ModelSerializer[Reminder]):
    """A reminder of one customer at one step."""

    customer = serializers.IntegerField(source="tenant_id", read_only=True)
    lines = ReminderLineSerializer(many=True, read_only=True)

    class Meta:
        model = Reminder
        fields = [
            "id", "customer", "title", "state", "currency", "fee", "interest", "total", "proposed_on", "released_on",
            "suspended_at", "resumed_at", "lines",
        ]  # fmt: skip
        read_only_fields = fields


class ProposedSerializer(serializers.Serializer[Any]):
    """The reminders that were proposed."""

    proposed = serializers.ListField(child=serializers.IntegerField())


class SentSerializer(serializers.Serializer[Any]):
    """How many reminders were sent."""

    sent = serializers.IntegerField()


class ReminderViewSet(MspViewSet):
    """Reminders: `?state=proposed`. POST proposes what is due today."""

    queryset = Reminder.objects.none()
    serializer_class = ReminderSerializer
    capability = "payments"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)
    filters = {"state": one_of("state", Reminder.State)}

    def get_queryset(self) -> QuerySet[Reminder]:
        return Reminder.objects.filter(msp=self.request.msp).prefetch_related("lines").order_by("-pk")  # type: ignore[misc]

    @extend_schema(request=None, responses=ProposedSerializer)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Propose the reminders that are due today."""
        made = dunning.propose(request.msp, today=timezone.localdate(), by=self.actor)  # type: ignore[attr-defined]
        return Response({"proposed": [each.pk for each in made]})

    def _answer(self, row: Reminder) -> Response:
        return Response(ReminderSerializer(Reminder.objects.get(pk=row.pk)).data)

    @extend_schema(request=None, responses=SentSerializer)
    @action(detail=False, methods=["post"], url_path="send-all")
    def send_all(self, request: Request) -> Response:
        """Send every reminder that is proposed."""
        sent = dunning.release_all(request.msp, today=timezone.localdate(), by=self.actor)  # type: ignore[attr-defined]
        return Response({"sent": sent})

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def send(self, request: Request, pk: str | None = None) -> Response:
        """Send a reminder over what is still open."""
        return self._answer(dunning.release(self.get_object(), today=timezone.localdate(), by=self.actor))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def drop(self, request: Request, pk: str | None = None) -> Response:
        """Do not send a reminder."""
        return self._answer(dunning.drop(self.get_object(), by=self.actor))


class StepSerializer(serializers.ModelSerializer[DunningStep]):
    """A step of the ladder; `interest_per_million` of 5 % is 50000."""

    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = DunningStep
        fields = [
            "id", "after_days", "title", "words", "fee", "interest_per_million", "tells_msp", "suspends", "is_on",
            "row_version",
        ]  # fmt: skip
        validators: list[Any] = []


class SettingSerializer(serializers.Serializer[Any]):
    """Whether reminders go out by themselves."""

    releases_itself = serializers.BooleanField()


class StepViewSet(MspViewSet):
    """The ladder of reminders."""

    queryset = DunningStep.objects.none()
    serializer_class = StepSerializer
    capability = "payments"
    save = staticmethod(ladder.save_step)
    ordering = ("after_days",)

    def get_queryset(self) -> QuerySet[DunningStep]:
        return DunningStep.objects.filter(msp=self.request.msp).order_by("after_days")  # type: ignore[misc]

    def new(self) -> DunningStep:
        return DunningStep(msp=self.request.msp)  # type: ignore[misc]

    @extend_schema(request=SettingSerializer, responses=SettingSerializer)
    @action(detail=False, methods=["post"])
    def automatic(self, request: Request) -> Response:
        """Let reminders go out by themselves, or wait: `{"releases_itself": false}`."""
        given = SettingSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        row = DunningSetting(msp=request.msp, **given.validated_data)  # type: ignore[attr-defined]
        return Response(SettingSerializer(ladder.save_setting(row, by=self.actor)).data)


class PauseSerializer(serializers.ModelSerializer[DunningPause]):
    """Who is left alone: a customer, or one invoice of it."""

    customer = serializers.PrimaryKeyRelatedField(source="tenant", queryset=Customer.objects.all())
    invoice = serializers.PrimaryKeyRelatedField(queryset=Invoice.objects.all(), allow_null=True, required=False)

    class Meta:
        model = DunningPause
        fields = ["id", "customer", "invoice", "kind", "until", "note", "ended_at"]
        read_only_fields = ["ended_at"]
        validators: list[Any] = []


class PauseViewSet(MspViewSet):
    """Customers and invoices that are not reminded."""

    queryset = DunningPause.objects.none()
    serializer_class = PauseSerializer
    capability = "payments"
    http_method_names = ["get", "post", "head", "options"]
    save = staticmethod(ladder.pause)

    def get_queryset(self) -> QuerySet[DunningPause]:
        return DunningPause.objects.filter(msp=self.request.msp).order_by("pk")  # type: ignore[misc]

    def new(self) -> DunningPause:
        return DunningPause(msp=self.request.msp)  # type: ignore[misc]

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str | None = None) -> Response:
        """Let reminders go on."""
        return Response(PauseSerializer(ladder.end_pause(self.get_object(), by=self.actor)).data)


msp_routes = [
    ("reminders", ReminderViewSet, "reminder"),
    ("dunning-steps", StepViewSet, "dunning-step"),
    ("dunning-pauses", PauseViewSet, "dunning-pause"),
]
