"""Decks for programs: the same services as the pages, amounts in micros of the deck's currency."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet
from portal.core.api_filters import Number, described, narrowed, one_of
from tenants.models import Customer
from voice.carriers.models import Trunk
from voice.rating import imports, services, tasks  # noqa: F401  registers the jobs
from voice.rating import selectors_decks as selectors
from voice.rating.files.lines import Line, Terms
from voice.rating.models import (
    CustomerDeck,
    DeckLine,
    DeckRate,
    DeckVersion,
    RateDeck,
    TrunkDeck,
)
from voice.rating.pages_decks import digits_of

MOST_RATES = 1_000
TERMS = [
    "destination",
    "per_minute",
    "fee",
    "minimum",
    "increment",
    "grace",
    "minimum_charge",
    "maximum_charge",
    "blocked",
]
KEY = ["direction", "prefix", "callers"]


class DeckSerializer(serializers.ModelSerializer[RateDeck]):
    """A deck; its rates are at /rates/, what changes it at /versions/."""

    row_version = serializers.IntegerField(required=False)
    free = serializers.ListField(child=serializers.CharField(), required=False)

    class Meta:
        model = RateDeck
        fields = ["id", "name", "kind", "currency", "zone", "free", "bands", "note", "closed_at", "row_version"]
        read_only_fields = ["closed_at"]

    def validate_kind(self, kind: str) -> str:
        if kind == RateDeck.Kind.BUY and not self.context["request"].can("costs.view"):
            raise serializers.ValidationError("What carriers ask is not yours to see.")
        return kind


class DeckRateSerializer(serializers.ModelSerializer[DeckRate]):
    """A rate in micros and seconds, from `begins` up to `ends`."""

    version = serializers.IntegerField(source="version.number", read_only=True)

    class Meta:
        model = DeckRate
        fields = ["id", *KEY, *TERMS, "band_prices", "begins", "ends", "version"]


class NewRateSerializer(serializers.Serializer[Any]):
    """A rate to set: micros per minute; seconds."""

    direction = serializers.ChoiceField(["out", "in"], default="out")
    prefix = serializers.RegexField(r"^[0-9]{0,15}\Z", allow_blank=True)
    callers = serializers.RegexField(r"^[0-9]{0,15}\Z", allow_blank=True, default="")
    destination = serializers.CharField(max_length=200, allow_blank=True, default="")
    per_minute = serializers.IntegerField(min_value=0, max_value=10**10)
    fee = serializers.IntegerField(min_value=0, max_value=10**10, default=0)
    minimum = serializers.IntegerField(min_value=0, max_value=86_400, default=1)
    increment = serializers.IntegerField(min_value=1, max_value=86_400, default=1)
    grace = serializers.IntegerField(min_value=0, max_value=86_400, default=0)
    minimum_charge = serializers.IntegerField(min_value=0, max_value=10**12, default=0)
    maximum_charge = serializers.IntegerField(min_value=0, max_value=10**12, allow_null=True, default=None)
    blocked = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        most = attrs["maximum_charge"]
        if most is not None and most < attrs["minimum_charge"]:
            raise serializers.ValidationError("maximum_charge is less than minimum_charge.")
        return attrs

    def line(self, facts: dict[str, Any]) -> Line:
        key = (facts["direction"], facts["prefix"], facts["callers"])
        return Line(0, key, Terms(*(facts[name] for name in TERMS)), None, None)


class SetRatesSerializer(serializers.Serializer[Any]):
    """Rates that hold from a moment on; `full` ends what is not among them."""

    begins = serializers.DateTimeField()
    full = serializers.BooleanField(default=False)
    note = serializers.CharField(max_length=500, allow_blank=True, default="")
    rates = NewRateSerializer(many=True, min_length=1, max_length=MOST_RATES)


class DeckVersionSerializer(serializers.ModelSerializer[DeckVersion]):
    """A version: what it changes is at /lines/."""

    state = serializers.CharField(source="state_now", read_only=True)
    summary = serializers.SerializerMethodField()

    class Meta:
        model = DeckVersion
        fields = [
            "id", "deck", "number", "state", "effective_from", "full", "note", "summary", "imported_by", "created_at",
            "activated_at",
        ]  # fmt: skip

    def get_summary(self, version: DeckVersion) -> dict[str, Any]:
        return selectors.summary_seen_by(version, self.context["request"].can)


class TriedRateSerializer(serializers.Serializer[Any]):  # type: ignore[misc]
    """A rate, and why it does not take the call; null where it does."""

    rate = serializers.IntegerField()
    prefix = serializers.CharField()
    callers = serializers.CharField()
    destination = serializers.CharField()
    per_minute = serializers.IntegerField()
    blocked = serializers.BooleanField()
    miss = serializers.CharField(allow_null=True)


class DeckViewSet(MspViewSet):
    """Decks of the MSP: `?kind=sell`. Price lists come in by `deck-imports`."""

    queryset = RateDeck.objects.none()
    serializer_class = DeckSerializer
    capability = "rates"
    save = staticmethod(services.save_deck)
    filters = {"kind": one_of("kind", RateDeck.Kind)}

    def get_queryset(self) -> QuerySet[RateDeck]:
        return selectors.decks_seen_by(self.request.msp, self.request.can)  # type: ignore[attr-defined]

    def new(self) -> RateDeck:
        return RateDeck(msp=self.request.msp)  # type: ignore[attr-defined]

    @extend_schema(
        parameters=[OpenApiParameter("prefix", str), OpenApiParameter("all", str)],
        responses=DeckRateSerializer(many=True),
    )
    @action(detail=True, methods=["get"])
    def rates(self, request: Request, pk: str | None = None) -> Response:
        """List the rates that hold now or later: `?prefix=44`, `?all=1` with those that have ended."""
        found = DeckRate.objects.filter(deck=self.get_object()).exclude(ends=F("begins")).select_related("version")
        if not request.query_params.get("all"):
            found = found.filter(Q(ends=None) | Q(ends__gt=timezone.now()))
        digits = digits_of(request.query_params.get("prefix", ""))
        found = found.filter(prefix__startswith=digits) if digits else found
        page = self.paginate_queryset(found)
        return self.get_paginated_response(DeckRateSerializer(page, many=True).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("number", str, required=True),
            OpenApiParameter("caller", str),
            OpenApiParameter("at", OpenApiTypes.DATETIME),
        ],
        responses=TriedRateSerializer(many=True),
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def lookup(self, request: Request, pk: str | None = None) -> Response:
        """Say which rate takes a call and why the others do not: `?number=447700900123&caller=4930&at=…`."""
        asked = request.query_params
        number, caller = digits_of(asked.get("number", "")), digits_of(asked.get("caller", ""))
        at = parse_datetime(asked["at"]) if asked.get("at") else timezone.now()
        if not number or at is None or at.tzinfo is None:
            raise serializers.ValidationError({"number": ["Give a number in digits, and a moment with its zone."]})
        found = selectors.tried(self.get_object(), number, caller, at)
        return Response([
            {"rate": each.rate.id, "prefix": each.rate.prefix, "callers": each.rate.callers,
             "destination": each.rate.destination, "per_minute": each.rate.per_minute, "blocked": each.rate.blocked,
             "miss": each.miss.value if each.miss else None}
            for each in found
        ])  # fmt: skip

    @extend_schema(request=SetRatesSerializer, responses={201: DeckVersionSerializer})
    @action(detail=True, methods=["post"], url_path="set-rates")
    def set_rates(self, request: Request, pk: str | None = None) -> Response:
        """Set rates from a moment on, as a version of their own."""
        given = SetRatesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data, shape = given.validated_data, NewRateSerializer()
        lines = [shape.line(facts) for facts in data["rates"]]
        deck = self.get_object()
        version = services.put_rates(
            deck, lines, at=data["begins"], by=self.actor, note=data["note"], full=data["full"], seen=deck.row_version
        )
        return Response(DeckVersionSerializer(version, context={"request": request}).data, status=201)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str | None = None) -> Response:
        """Take the deck out of use; its rates stay for the calls that they priced."""
        deck = self.get_object()
        services.close_deck(deck, by=self.actor)
        deck.refresh_from_db()
        return Response(DeckSerializer(deck).data)


class DeckLineSerializer(serializers.ModelSerializer[DeckLine]):
    class Meta:
        model = DeckLine
        fields = [
            "id",
            "row",
            "change",
            "rise",
            "alarm",
            "before",
            "falls_to",
            *KEY,
            *TERMS,
            "band_prices",
            "begins",
            "ends",
        ]


CHANGES = {"change": one_of("change", DeckLine.Change)}


class DeckVersionViewSet(MspViewSet):
    """Versions of decks: `?deck=1`."""

    queryset = DeckVersion.objects.none()
    serializer_class = DeckVersionSerializer
    capability = "rates"
    ordering = ("-pk",)
    filters = {"deck": Number("deck")}
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self) -> QuerySet[DeckVersion]:
        decks = selectors.decks_seen_by(self.request.msp, self.request.can)  # type: ignore[attr-defined]
        return DeckVersion.objects.filter(deck__in=decks)

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.http_method_not_allowed(request)
        raise AssertionError

    @extend_schema(parameters=described(CHANGES), responses=DeckLineSerializer(many=True))
    @action(detail=True, methods=["get"])
    def lines(self, request: Request, pk: str | None = None) -> Response:
        """List what the version changes: `?change=up`."""
        page = self.paginate_queryset(narrowed(DeckLine.objects.filter(version=self.get_object()), self, CHANGES))
        return self.get_paginated_response(DeckLineSerializer(page, many=True).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: str | None = None) -> Response:
        """Drop the draft: nothing of it reaches the deck."""
        version = self.get_object()
        imports.discard(version, by=self.actor)
        version.refresh_from_db()
        return Response(self.get_serializer(version).data)


class CustomerDeckSerializer(serializers.ModelSerializer[CustomerDeck]):
    """By which deck a customer pays, from `begins` up to `ends`; `deck` null ends the one that holds."""

    customer = serializers.IntegerField(source="tenant_id", min_value=1)
    deck = serializers.IntegerField(source="deck_id", min_value=1, allow_null=True)

    class Meta:
        model = CustomerDeck
        fields = ["id", "customer", "deck", "begins", "ends"]
        read_only_fields = ["ends"]


class TrunkDeckSerializer(serializers.ModelSerializer[TrunkDeck]):
    """By which deck a trunk costs, from `begins` up to `ends`; `deck` null ends the one that holds."""

    trunk = serializers.IntegerField(min_value=1)
    deck = serializers.IntegerField(source="deck_id", min_value=1, allow_null=True)

    class Meta:
        model = TrunkDeck
        fields = ["id", "trunk", "deck", "begins", "ends"]
        read_only_fields = ["ends"]


class AssignedViewSet(MspViewSet):
    """What customer and trunk assignments share: they are read, and begun by a POST; the former one ends then."""

    capability = "rates"
    ordering = ("-pk",)
    assigned: Any
    owner: Any
    field: str

    def get_queryset(self) -> QuerySet[Any]:
        found: QuerySet[Any] = self.assigned.objects.filter(msp=self.request.msp)  # type: ignore[attr-defined]
        return found.exclude(ends=F("begins"))

    def write(self, serializer: Any, instance: Any | None) -> Any:
        data, msp = serializer.validated_data, self.request.msp  # type: ignore[attr-defined]
        who = self.owner.objects.filter(pk=data[self.field], msp=msp).first()
        decks = selectors.decks_seen_by(msp, self.request.can)  # type: ignore[attr-defined]
        deck = decks.filter(pk=data["deck_id"]).first() if data["deck_id"] else None
        if who is None or (data["deck_id"] and deck is None):
            raise ValidationError("You have no such customer, trunk or deck.")
        made = self.give(who, deck, begins=data["begins"], by=self.actor)
        return made or self.get_queryset().filter(**{self.field: who.pk}).order_by("-begins").first()

    def give(self, who: Any, deck: RateDeck | None, **facts: Any) -> Any:
        """Hand the assignment to its service."""
        raise NotImplementedError


class CustomerDeckViewSet(AssignedViewSet):
    """By which deck customers pay."""

    queryset = CustomerDeck.objects.none()
    serializer_class = CustomerDeckSerializer
    assigned, owner, field = CustomerDeck, Customer, "tenant_id"
    http_method_names = ["get", "post", "head", "options"]

    def give(self, who: Any, deck: RateDeck | None, **facts: Any) -> Any:
        return services.assign_customer(who, deck, **facts)


class TrunkDeckViewSet(AssignedViewSet):
    """By which deck trunks cost."""

    queryset = TrunkDeck.objects.none()
    serializer_class = TrunkDeckSerializer
    assigned, owner, field = TrunkDeck, Trunk, "trunk"
    capabilities = {"list": "costs.view", "retrieve": "costs.view"}
    http_method_names = ["get", "post", "head", "options"]

    def write(self, serializer: Any, instance: Any | None) -> Any:
        if not self.request.can("costs.view"):  # type: ignore[attr-defined]
            raise PermissionDenied
        return super().write(serializer, instance)

    def give(self, who: Any, deck: RateDeck | None, **facts: Any) -> Any:
        return services.assign_trunk(who, deck, **facts)


msp_routes = [
    ("decks", DeckViewSet, "deck"),
    ("deck-versions", DeckVersionViewSet, "deck-version"),
    ("customer-decks", CustomerDeckViewSet, "customer-deck"),
    ("trunk-decks", TrunkDeckViewSet, "trunk-deck"),
]
