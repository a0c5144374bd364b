"""Rating again for programs: propose, look at what it comes to, apply or discard, by the same services as the pages."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet
from voice.rating.api_charges import StartedSerializer
from voice.rating.models import DeckVersion
from voice.rating.selectors_decks import decks_seen_by
from voice.rerating import deciding, selectors, services, tasks, views_decide  # noqa: F401  registers the jobs
from voice.rerating.deciding import Verdict
from voice.rerating.models import Decision, Proposal, ProposalSum, Side

FACTS = ["begins", "ends", "customers", "trunks", "sell", "buy", "note"]
BY = ["sell_deck", "sell_version", "buy_deck", "buy_version"]


class ProposalSerializer(serializers.ModelSerializer[Proposal]):
    """A period rated again. Without a deck each call is rated by the one that was in force at its answer."""

    class Meta:
        model = Proposal
        fields = [
            "id", *FACTS, *BY, "state", "message", "round", "totals", "calls", "changed", "priced", "left", "reason",
            "made_by", "created_at", "rated_at", "applied_at",
        ]  # fmt: skip
        read_only_fields = [
            "state", "message", "round", "totals", "calls", "changed", "priced", "left", "reason", "made_by",
            "created_at", "rated_at", "applied_at",
        ]  # fmt: skip
        extra_kwargs = {name: {"required": False} for name in BY}

    def to_representation(self, instance: Proposal) -> dict[str, Any]:
        found: dict[str, Any] = super().to_representation(instance)
        if not self.context["request"].can("costs.view"):
            found["totals"] = [each for each in found["totals"] if each["side"] == Side.SELL]
            found |= {"buy_deck": None, "buy_version": None}
        return found


class ProposalSumSerializer(serializers.ModelSerializer[ProposalSum]):
    customer = serializers.IntegerField(source="tenant_id")

    class Meta:
        model = ProposalSum
        fields = [
            "number", "side", "what", "customer", "trunk", "direction", "outcome", "was_destination", "was_currency",
            "destination", "currency", "calls", "was_billed", "billed", "was_micros", "micros",
        ]  # fmt: skip


class ApplySerializer(serializers.Serializer[Any]):
    """Which figures were looked at, and why they are posted."""

    round = serializers.IntegerField(min_value=1)
    reason = serializers.CharField(max_length=500)


class ProposalViewSet(MspViewSet):
    """Periods rated again: POST one, read its lines once it is `ready`, then apply it with a reason, or discard it."""

    queryset = Proposal.objects.none()
    serializer_class = ProposalSerializer
    capability = "rates"
    ordering = ("-pk",)
    http_method_names = ("get", "post", "head", "options")

    def get_queryset(self) -> QuerySet[Proposal]:
        return selectors.proposals(self.request.msp)

    def write(self, serializer: Any, instance: Proposal | None) -> Proposal:
        data = dict(serializer.validated_data)
        msp = self.request.msp
        decks = decks_seen_by(msp, self.request._request.can)
        for name in BY:
            named = data.get(name)
            if named is None:
                continue
            deck = named.deck_id if isinstance(named, DeckVersion) else named.pk
            if not decks.filter(pk=deck).exists():
                raise ValidationError({name: "You have no such deck."})
        if data.get("buy") and not self.request._request.can("costs.view"):
            raise ValidationError({"buy": "What carriers ask is not yours to see."})
        return services.propose(Proposal(msp=msp, **data), by=self.actor)

    @extend_schema(responses=ProposalSumSerializer(many=True))
    @action(detail=True, methods=["get"])
    def lines(self, request: Request, pk: str | None = None) -> Response:
        """List what calls come to by customer and line, in pages."""
        found = self.get_object().sums.order_by("number")
        if not request._request.can("costs.view"):
            found = found.filter(side=Side.SELL)
        page = self.paginate_queryset(found)
        return self.get_paginated_response(ProposalSumSerializer(page, many=True).data)

    @extend_schema(request=ApplySerializer, responses={202: ProposalSerializer})
    @action(detail=True, methods=["post"])
    def apply(self, request: Request, pk: str | None = None) -> Response:
        """Post the difference: `{"round": 1, "reason": "…"}`; the state tells when that is done."""
        given = ApplySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        found = services.ask_to_apply(self.get_object(), **given.validated_data, by=self.actor)
        return Response(self.get_serializer(found).data, status=202)

    @extend_schema(request=None, responses={202: ProposalSerializer})
    @action(detail=True, methods=["post"], url_path="rate-again")
    def rate_again(self, request: Request, pk: str | None = None) -> Response:
        """Rate its calls once more, by what holds and was posted now."""
        return Response(self.get_serializer(services.rate_again(self.get_object(), by=self.actor)).data, status=202)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: str | None = None) -> Response:
        """Give it up; its calls are dropped."""
        services.discard(self.get_object(), by=self.actor)
        return Response(self.get_serializer(self.get_object()).data)


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """What is decided about the unrated calls named: `price_micros` and `currency` for a price set by hand."""

    calls = serializers.ListField(child=serializers.UUIDField(), max_length=1_000, write_only=True)
    price_micros = serializers.IntegerField(write_only=True, required=False, min_value=0, max_value=deciding.DEAREST)
    currency = serializers.CharField(max_length=3, required=False)
    customer = serializers.IntegerField(source="tenant_id", read_only=True)

    class Meta:
        model = Decision
        fields = [
            "id", "calls", "call", "customer", "invited", "kind", "price_micros", "was", "micros", "currency", "reason",
            "made_by", "made_at",
        ]  # fmt: skip
        read_only_fields = ["call", "invited", "was", "micros", "made_by", "made_at"]


class DecisionViewSet(MspViewSet):
    """What was decided about calls without a price, newest first; POST decides on up to 1,000 calls, as a job."""

    queryset = Decision.objects.none()
    serializer_class = DecisionSerializer
    capability = "rates"
    ordering = ("-made_at", "-pk")
    http_method_names = ("get", "post", "head", "options")

    def get_queryset(self) -> QuerySet[Decision]:
        return Decision.objects.filter(msp=self.request.msp)

    @extend_schema(responses=StartedSerializer)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Decide on calls: `{"calls": ["…"], "kind": "free", "reason": "…"}`."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        verdict = Verdict(data["kind"], data["reason"], data.get("price_micros", 0), data.get("currency", ""))
        verdict.check()
        job = views_decide.start({"calls": [str(each) for each in data["calls"]]}, verdict, by=self.actor)
        return Response({"job": job.pk}, status=202)


msp_routes = [("proposals", ProposalViewSet, "proposal"), ("decisions", DecisionViewSet, "decision")]
