"""Questions about lines of bills for programs: the customer asks, the MSP answers."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet, TenantViewSet
from portal.core.api_filters import one_of
from voice.billing.models import BillLine
from voice.receivables.models import LineQuestion
from voice.receivables.services import questions


class QuestionSerializer(serializers.ModelSerializer[LineQuestion]):
    """A question about a line; `attached` is the line as it was asked about, `disputed` what is not accepted of it."""

    customer = serializers.IntegerField(source="tenant_id", read_only=True)
    bill = serializers.IntegerField(source="invoice_id", read_only=True)

    class Meta:
        model = LineQuestion
        fields = [
            "id", "customer", "bill", "position", "text", "disputed", "currency", "state", "attached", "asked_by",
            "asked_at", "answer", "answered_at", "row_version",
        ]  # fmt: skip
        read_only_fields = fields


class NewQuestionSerializer(serializers.Serializer[Any]):
    """A question about one line of one bill; `disputed` are millionths, net."""

    bill = serializers.IntegerField()
    position = serializers.IntegerField(min_value=1)
    text = serializers.CharField(max_length=2000)
    disputed = serializers.IntegerField(default=0)


class QuestionAnswerSerializer(serializers.Serializer[Any]):
    """What the MSP answers."""

    answer = serializers.CharField(max_length=2000)


class BillQuestionViewSet(TenantViewSet):
    """Your questions about lines of your bills: POST `{"bill": 1, "position": 2, "text": "Why?"}`."""

    queryset = LineQuestion.objects.none()
    serializer_class = QuestionSerializer
    capability = "questions"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)

    def get_queryset(self) -> QuerySet[LineQuestion]:
        return LineQuestion.objects.filter(tenant=self.request.tenant).order_by("-pk")

    @extend_schema(request=NewQuestionSerializer, responses={201: QuestionSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ask about a line of a bill."""
        given = NewQuestionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        lines = BillLine.objects.select_related("bill")
        line = get_object_or_404(lines, bill=data["bill"], position=data["position"])
        made = questions.ask(
            line, request.tenant, text=data["text"], disputed=data["disputed"], by=self.actor  # type: ignore[attr-defined]
        )  # fmt: skip
        return Response(QuestionSerializer(made).data, 201)


class QuestionViewSet(MspViewSet):
    """What customers ask about lines of their bills: `?state=open`."""

    queryset = LineQuestion.objects.none()
    serializer_class = QuestionSerializer
    capability = "questions"
    capabilities = {"answer": "bills.change"}
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)
    filters = {"state": one_of("state", LineQuestion.State)}

    def get_queryset(self) -> QuerySet[LineQuestion]:
        return LineQuestion.objects.filter(msp=self.request.msp).order_by("-pk")

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Questions are asked by customers."""
        return self.http_method_not_allowed(request)

    @extend_schema(request=QuestionAnswerSerializer)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, pk: str | None = None) -> Response:
        """Answer the question: `{"answer": "It is the call of the 3rd to Cuba."}`."""
        given = QuestionAnswerSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        done = questions.answer(self.get_object(), text=given.validated_data["answer"], by=self.actor)
        return Response(QuestionSerializer(done).data)


msp_routes = [("questions", QuestionViewSet, "question")]
routes = [("bill-questions", BillQuestionViewSet, "bill-question")]
