"""Calls for programs: what was, and what is going on."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.core.api import MspViewSet, PlaceViewSet, TenantViewSet
from portal.core.api_filters import CUSTOMER, Filters, between, found, one_of
from voice.calls import quality, selectors
from voice.calls.causes import attempts_with_causes, derived_cause
from voice.calls.masking import hidden_in
from voice.calls.models import Cdr, Disposition, LiveCall, Rollup, RunningCall
from voice.calls.models.cdr import Direction
from voice.calls.releasers import Releaser, releaser

FACTS = [
    "id", "call", "direction", "side", "call_id", "caller", "caller_sent", "called", "called_sent", "invited",
    "ringing", "answered", "ended", "end_unknown", "last_seen", "talk_ms", "code", "cause", "reason", "released_by",
    "disposition", "ingress", "ingress_name", "egress", "egress_name", "route_id", "attempts", "limit", "screening",
    "attestation",
    "media", "cause_derived", "releaser",
]  # fmt: skip
LIVE_FACTS = ["call", "direction", "caller", "called", "trunk", "state", "started", "answered"]


class SoundSerializer(serializers.Serializer[Any]):
    """How one side sounded, as the other side heard it: `jitter` in milliseconds, `loss` in percent."""

    mos = serializers.FloatField(required=False)
    jitter = serializers.FloatField(required=False)
    loss = serializers.FloatField(required=False)


class MediaSerializer(SoundSerializer):
    """How a call sounded on average, and what Teams and the trunk sent; `roundtrip` is in microseconds."""

    roundtrip = serializers.FloatField(required=False)
    from_teams = SoundSerializer(required=False)
    from_trunk = SoundSerializer(required=False)


class CallSerializer(serializers.ModelSerializer[Cdr]):
    """A call record; `cause` is what the other side named, `cause_derived` what the SIP code stands for (RFC 3398).

    `released_by` is the end of the call that ended it, `releaser` whose side that is.
    """

    media = serializers.SerializerMethodField()
    cause_derived = serializers.SerializerMethodField()
    releaser = serializers.SerializerMethodField()

    class Meta:
        model = Cdr
        fields = FACTS

    @extend_schema_field(MediaSerializer(allow_null=True))
    def get_media(self, call: Cdr) -> dict[str, Any] | None:
        return call.media

    def get_cause_derived(self, call: Cdr) -> int | None:
        return derived_cause(call)

    def get_releaser(self, call: Cdr) -> Releaser:
        return releaser(call)

    def to_representation(self, instance: Cdr) -> dict[str, Any]:
        return super().to_representation(instance) | {"attempts": attempts_with_causes(instance)}


class MspCallSerializer(CallSerializer):
    customer = serializers.IntegerField(source="tenant_id")

    class Meta:
        model = Cdr
        fields = [*FACTS, "customer"]


class LiveCallSerializer(serializers.ModelSerializer[LiveCall]):
    class Meta:
        model = LiveCall
        fields = LIVE_FACTS


class MspLiveCallSerializer(LiveCallSerializer):
    customer = serializers.IntegerField(source="tenant_id")

    class Meta:
        model = LiveCall
        fields = [*LIVE_FACTS, "customer"]


class RunningCallSerializer(serializers.ModelSerializer[RunningCall]):
    """A call that has lasted for long and goes on; who talks is in its record, once it is over."""

    class Meta:
        model = RunningCall
        fields = ["call", "direction", "answered", "seen", "seconds"]


class MspRunningCallSerializer(RunningCallSerializer):
    customer = serializers.IntegerField(source="tenant_id")

    class Meta:
        model = RunningCall
        fields = ["call", "direction", "answered", "seen", "seconds", "customer"]


FILTERS: Filters = {
    **between("invited"),
    "direction": one_of("direction", Direction),
    "disposition": one_of("disposition", Disposition),
    "number": found(selectors.find_calls, "A number however it is written, its last digits, a Call-ID or an id."),
}


class CallViewSet(TenantViewSet):
    """Call records, newest first; `from`, `to`, `number`, `direction` and `disposition` narrow them."""

    queryset = Cdr.objects.none()
    serializer_class = CallSerializer
    capability = "calls"
    lookup_field = "id"
    lookup_value_converter = "uuid"
    ordering = ("-invited", "id")
    filters = FILTERS

    def get_queryset(self) -> QuerySet[Cdr]:
        return selectors.calls_of(self.request.tenant, None, hidden_in(self.request)).order_by("-invited", "id")


class MspCallViewSet(MspViewSet):
    """Call records of all customers, newest first; `customer` names one of them."""

    queryset = Cdr.objects.none()
    serializer_class = MspCallSerializer
    capability = "calls"
    lookup_field = "id"
    lookup_value_converter = "uuid"
    ordering = ("-invited", "id")
    filters = {**CUSTOMER, **FILTERS}

    def get_queryset(self) -> QuerySet[Cdr]:
        return selectors.calls_of(None, self.request.msp, hidden_in(self.request)).order_by("-invited", "id")


class LiveCallViewSet(TenantViewSet):
    """Calls in progress."""

    queryset = LiveCall.objects.none()
    serializer_class = LiveCallSerializer
    capability = "calls"
    lookup_field = "call"
    lookup_value_converter = "uuid"
    ordering = ("-started", "pk")

    def get_queryset(self) -> QuerySet[LiveCall]:
        return selectors.live_calls_of(self.request.tenant, None, hidden_in(self.request)).order_by("-started", "pk")


class RunningCallViewSet(TenantViewSet):
    """Long calls that go on, each with how long it has lasted for certain; none of them is priced yet."""

    queryset = RunningCall.objects.none()
    serializer_class = RunningCallSerializer
    capability = "calls"
    lookup_field = "call"
    lookup_value_converter = "uuid"
    ordering = ("answered", "pk")

    def get_queryset(self) -> QuerySet[RunningCall]:
        return RunningCall.objects.filter(tenant=self.request.tenant).order_by("answered", "pk")


class MspRunningCallViewSet(MspViewSet):
    """Long calls of all customers that go on."""

    queryset = RunningCall.objects.none()
    serializer_class = MspRunningCallSerializer
    capability = "calls"
    lookup_field = "call"
    lookup_value_converter = "uuid"
    ordering = ("answered", "pk")

    def get_queryset(self) -> QuerySet[RunningCall]:
        return RunningCall.objects.filter(msp=self.request.msp).order_by("answered", "pk")


class MspLiveCallViewSet(MspViewSet):
    """Calls in progress of all customers."""

    queryset = LiveCall.objects.none()
    serializer_class = MspLiveCallSerializer
    capability = "calls"
    ordering = ("-started", "pk")

    def get_queryset(self) -> QuerySet[LiveCall]:
        return selectors.live_calls_of(None, self.request.msp, hidden_in(self.request)).order_by("-started", "pk")


class QualitySerializer(serializers.ModelSerializer[Rollup]):
    """A day of a customer's calls; `trunk` empty counts all of them. Durations are in seconds."""

    customer = serializers.IntegerField(source="tenant_id")
    asr = serializers.FloatField(source="quality.asr")
    ner = serializers.FloatField(source="quality.ner")
    acd = serializers.FloatField(source="quality.acd")
    pdd = serializers.FloatField(source="quality.pdd")
    cps = serializers.FloatField(source="quality.cps")
    few = serializers.BooleanField(source="quality.few")

    class Meta:
        model = Rollup
        fields = [
            "id", "customer", "at", "trunk", "attempts", "answered", "effective", "asr", "ner", "acd", "pdd", "cps",
            "peak", "few",
        ]  # fmt: skip

    def to_representation(self, instance: Rollup) -> dict[str, Any]:
        instance.quality = {  # type: ignore[attr-defined]
            "asr": quality.asr(instance), "ner": quality.ner(instance), "acd": quality.acd(instance),
            "pdd": quality.pdd(instance), "cps": quality.cps(instance), "few": quality.has_few(instance),
        }  # fmt: skip
        return super().to_representation(instance)


class Quality(PlaceViewSet):
    queryset = Rollup.objects.none()
    serializer_class = QualitySerializer
    capability = "calls"
    ordering = ("-at", "pk")
    filters = between("at")

    def get_queryset(self) -> QuerySet[Rollup]:
        return quality.days_of(self.request.tenant, self.request.msp).order_by("-at", "pk")


class QualityViewSet(Quality, TenantViewSet):
    """How well calls went, day by day, over all trunks and over each; `from` and `to` narrow the days."""


class MspQualityViewSet(Quality, MspViewSet):
    """How well the calls of each customer went, day by day; `from` and `to` narrow the days."""


routes = [
    ("calls", CallViewSet, "call"),
    ("live-calls", LiveCallViewSet, "live-call"),
    ("running-calls", RunningCallViewSet, "running-call"),
    ("call-quality", QualityViewSet, "call-quality"),
]
msp_routes = [
    ("calls", MspCallViewSet, "call"),
    ("live-calls", MspLiveCallViewSet, "live-call"),
    ("running-calls", MspRunningCallViewSet, "running-call"),
    ("call-quality", MspQualityViewSet, "call-quality"),
]
