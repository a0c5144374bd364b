"""The rollout, and for the operator the nodes and what they report, for programs."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from portal.core.api import MspViewSet, OperatorViewSet, PlaceViewSet, TenantViewSet
from portal.core.api_filters import Filter, found, one_of, when
from sbc import pem, selectors, services
from sbc.models import Alarm, Certificate, Deployment, Drift, HourCount, Node, QuarantinedRecord
from sbc.services import certificates, quarantine
from sbc.services.alarms import settle_alarm

# Read, and acted on by a POST of its own for each action.
ACTED_ON = ["get", "post", "head", "options"]


class DeploymentSerializer(serializers.ModelSerializer[Deployment]):
    node = serializers.CharField(source="node.name")

    class Meta:
        model = Deployment
        fields = ["id", "scope", "node", "wanted", "running", "state", "error", "row", "took_ms", "wanted_at", "since"]


class NodeSerializer(serializers.ModelSerializer[Node]):
    class Meta:
        model = Node
        fields = [
            "id", "region", "name", "state", "engine", "software", "addresses", "token_made", "connected_since",
            "last_seen", "gauges",
        ]  # fmt: skip
        # Whether the name is free and fit, the service says in the words of the page.
        extra_kwargs: dict[str, Any] = {"name": {"validators": []}}


class NodeWithTokenSerializer(NodeSerializer):
    """A node with its new token, which is in this answer and in no other."""

    token = serializers.CharField(read_only=True)

    class Meta(NodeSerializer.Meta):
        fields = [*NodeSerializer.Meta.fields, "token"]


class AlarmSerializer(serializers.ModelSerializer[Alarm]):
    class Meta:
        model = Alarm
        fields = ["id", "node", "kind", "text", "count", "since", "last", "until"]


class CertificateSerializer(serializers.ModelSerializer[Certificate]):
    class Meta:
        model = Certificate
        fields = [
            "id", "region", "node", "chain", "key", "subject", "issuer", "names", "fingerprint", "not_before",
            "not_after",
        ]  # fmt: skip
        extra_kwargs = {
            "node": {"required": False},
            "chain": {"write_only": True, "max_length": pem.LONGEST_CHAIN},
            "key": {"write_only": True, "max_length": pem.LONGEST_KEY},
        }


class QuarantinedRecordSerializer(serializers.ModelSerializer[QuarantinedRecord]):
    """A record that was kept aside; of telephone numbers only the beginning."""

    record = serializers.DictField(source="facts", read_only=True)

    class Meta:
        model = QuarantinedRecord
        fields = [
            "id", "node", "spool", "sequence", "reason", "record", "received", "settled", "outcome", "note",
        ]  # fmt: skip


class AsideSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=1000)


class FromNodes:
    """What comes from nodes alone: people may act on it, and nobody adds any."""

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refuse: only nodes bring these."""
        raise MethodNotAllowed("POST")


class Deployments(PlaceViewSet):
    queryset = Deployment.objects.none()
    serializer_class = DeploymentSerializer
    capability = "rollout"
    filters = {"state": one_of("state", Deployment.State)}

    def get_queryset(self) -> QuerySet[Deployment]:
        return selectors.deployments_of(self.request.tenant, self.request.msp).order_by("pk")


class ReleasedDeployments(FromNodes, Deployments):
    """For who may let go what an SBC holds back, which customers may not."""

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        """Release the version that the SBC holds back because it takes much away."""
        return Response(self.get_serializer(services.approve(self.get_object(), by=self.actor)).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="try-again")
    def try_again(self, request: Request, pk: str | None = None) -> Response:
        """Send once more, and whole, what the SBC refused."""
        return Response(self.get_serializer(services.try_again(self.get_object(), by=self.actor)).data)


class DriftSerializer(serializers.ModelSerializer[Drift]):
    node = serializers.CharField(source="node.name")

    class Meta:
        model = Drift
        fields = ["id", "node", "scope", "table", "key", "found", "healed", "at"]


class Drifts(PlaceViewSet):
    queryset = Drift.objects.none()
    serializer_class = DriftSerializer
    capability = "rollout"
    ordering = ("-at", "-pk")
    filters = {"scope": Filter("scope", "Such as `cust:7`.")}

    def get_queryset(self) -> QuerySet[Drift]:
        return selectors.drift_of(self.request.tenant, self.request.msp)


class DriftViewSet(Drifts, TenantViewSet):
    """What somebody changed by hand of this customer's configuration on an SBC, and whether it was put right."""


class MspDriftViewSet(Drifts, MspViewSet):
    """What somebody changed by hand of the MSP's and its customers' configuration; `?scope=cust:17` narrows it."""


class OperatorDriftViewSet(Drifts, OperatorViewSet):
    """What somebody changed by hand on an SBC, and whether it was put right; `?scope=cust:17` narrows it.

    A scope that is empty is nobody's row, or what no scope owns.
    """


class DeploymentViewSet(Deployments, TenantViewSet):
    """What each SBC runs of this customer's configuration, and what is wanted; `?state=held` narrows it."""


class MspDeploymentViewSet(ReleasedDeployments, MspViewSet):
    """What each SBC runs of the MSP's and its customers' configuration; `?state=held` narrows it."""

    http_method_names = ACTED_ON


class OperatorDeploymentViewSet(ReleasedDeployments, OperatorViewSet):
    """What each SBC runs of every scope; `?state=held` narrows it."""

    http_method_names = ACTED_ON


class NodeViewSet(OperatorViewSet):
    """The SBC nodes and how they are; the token is in the answer to the POST that makes one, and nowhere else.

    That answer is not kept either: a POST repeated with its `Idempotency-Key` says that the token was made, and not
    what it is. Whoever lost it has another one made by `rotate-token`.
    """

    queryset = Node.objects.order_by("pk")
    serializer_class = NodeSerializer
    capability = "nodes"
    http_method_names = ACTED_ON
    shown_once = frozenset({"token"})

    def get_serializer_class(self) -> type[NodeSerializer]:
        return NodeWithTokenSerializer if self.action == "create" else NodeSerializer

    def write(self, serializer: BaseSerializer[Any], instance: Node | None) -> Node:
        # There is no PUT: region and name are in what the node was told and in its records.
        node, token = services.add_node(Node(**serializer.validated_data), by=self.actor)
        node.token = token  # type: ignore[attr-defined]
        return node

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str | None = None) -> Response:
        """Take it out of service: its token opens nothing and no change waits for it. Its calls are not cut."""
        return Response(self.get_serializer(services.disable_node(self.get_object(), by=self.actor)).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: str | None = None) -> Response:
        """Take it back into service; it gets what is wanted when it connects."""
        return Response(self.get_serializer(services.enable_node(self.get_object(), by=self.actor)).data)

    @extend_schema(request=None, responses=NodeWithTokenSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-token")
    def rotate_token(self, request: Request, pk: str | None = None) -> Response:
        """Make it a new token: the old one stops at once, and the node is cut off until it has the new one."""
        node = self.get_object()
        node.token = services.rotate_token(node, by=self.actor)
        return Response(NodeWithTokenSerializer(node).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def restart(self, request: Request, pk: str | None = None) -> Response:
        """Start its Kamailio anew, so that it dials Microsoft with the certificate that it shows. Calls go on."""
        node = self.get_object()
        certificates.restart_for_certificate(node, by=self.actor)
        return Response(self.get_serializer(node).data)


class AlarmViewSet(FromNodes, OperatorViewSet):
    """What somebody should look at; `?state=open` and `?state=over` narrow it."""

    queryset = Alarm.objects.order_by("pk")
    serializer_class = AlarmSerializer
    capability = "nodes"
    http_method_names = ACTED_ON
    filters = {"state": when({"open": lambda: Q(until=None), "over": lambda: Q(until__isnull=False)})}

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def settle(self, request: Request, pk: str | None = None) -> Response:
        """Note it as seen; it opens again if it happens again."""
        return Response(self.get_serializer(settle_alarm(self.get_object(), at=now(), by=self.actor)).data)


class CertificateViewSet(OperatorViewSet):
    """The certificates that nodes present. A node has a new one within seconds; its key is never handed out again."""

    queryset = Certificate.objects.without_key().order_by("pk")
    serializer_class = CertificateSerializer
    capability = "nodes"
    http_method_names = ["get", "post", "delete", "head", "options"]
    remove = staticmethod(certificates.remove_certificate)

    def write(self, serializer: BaseSerializer[Any], instance: Certificate | None) -> Certificate:
        # There is no PUT: a certificate is followed by another one and never changed.
        return certificates.add_certificate(Certificate(**serializer.validated_data), now=now(), by=self.actor)


class QuarantinedRecordViewSet(FromNodes, OperatorViewSet):
    """Records of nodes that are no calls of anybody, and what became of them."""

    queryset = QuarantinedRecord.objects.order_by("pk")
    serializer_class = QuarantinedRecordSerializer
    capability = "quarantine"
    http_method_names = ACTED_ON

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="try-again")
    def try_again(self, request: Request, pk: str | None = None) -> Response:
        """Store it as the call that it is, now that what kept it out is mended."""
        return Response(self.get_serializer(quarantine.try_again(self.get_object(), by=self.actor)).data)

    @extend_schema(request=AsideSerializer)
    @action(detail=True, methods=["post"], url_path="set-aside")
    def set_aside(self, request: Request, pk: str | None = None) -> Response:
        """Leave it out for good: `{"reason": "a test of ours"}`."""
        given = AsideSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        kept = quarantine.set_aside(self.get_object(), reason=given.validated_data["reason"], by=self.actor)
        return Response(self.get_serializer(kept).data)


class HourCountSerializer(serializers.ModelSerializer[HourCount]):
    class Meta:
        model = HourCount
        fields = [
            "id", "node", "spool", "at", "customer", "records", "orphans", "first", "last", "stored", "aside", "ended",
            "checked", "settled",
        ]  # fmt: skip


class HourCountViewSet(OperatorViewSet):
    """What nodes counted hour by hour, and what the portal has of it; `settled` is null until both are the same.

    `?open=1` leaves the hours that are not settled.
    """

    queryset = HourCount.objects.none()
    serializer_class = HourCountSerializer
    capability = "counts"
    ordering = ("-at", "pk")
    filters = {"open": found(lambda rows, _text: rows.open(), "Anything: only the hours that do not agree yet.")}

    def get_queryset(self) -> QuerySet[HourCount]:
        return HourCount.objects.order_by("-at", "pk")


Route = tuple[str, Any, str]
routes: list[Route] = [("deployments", DeploymentViewSet, "deployment"), ("drift", DriftViewSet, "drift")]
msp_routes: list[Route] = [("deployments", MspDeploymentViewSet, "deployment"), ("drift", MspDriftViewSet, "drift")]
operator_routes: list[Route] = [
    ("deployments", OperatorDeploymentViewSet, "deployment"),
    ("drift", OperatorDriftViewSet, "drift"),
    ("nodes", NodeViewSet, "node"),
    ("alarms", AlarmViewSet, "alarm"),
    ("certificates", CertificateViewSet, "certificate"),
    ("quarantined-records", QuarantinedRecordViewSet, "quarantined-record"),
    ("hour-counts", HourCountViewSet, "hour-count"),
]
