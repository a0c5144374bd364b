"""The rollout, and for the operator the nodes, for programs."""

from typing import Any

from django.db.models import QuerySet
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from portal.core.api import MspViewSet, OperatorViewSet, TenantViewSet
from sbc import pem, selectors
from sbc.models import Alarm, Certificate, Deployment, Node, QuarantinedRecord
from sbc.services import certificates, quarantine


class DeploymentSerializer(serializers.ModelSerializer[Deployment]):
    node = serializers.CharField(source="node.name")

    class Meta:
        model = Deployment
        fields = ["id", "scope", "node", "wanted", "running", "state", "error", "row", "took_ms", "wanted_at", "since"]


class NodeSerializer(serializers.ModelSerializer[Node]):
    class Meta:
        model = Node
        fields = [
            "id", "region", "name", "state", "engine", "software", "connected_since", "last_seen", "gauges",
        ]  # fmt: skip


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


class DeploymentViewSet(TenantViewSet):
    """What each SBC runs of this customer's configuration, and what is wanted."""

    queryset = Deployment.objects.none()
    serializer_class = DeploymentSerializer
    capability = "rollout"

    def get_queryset(self) -> QuerySet[Deployment]:
        return selectors.deployments_of(self.request.tenant, None).order_by("pk")


class MspDeploymentViewSet(MspViewSet):
    """What each SBC runs of the MSP's and its customers' configuration."""

    queryset = Deployment.objects.none()
    serializer_class = DeploymentSerializer
    capability = "rollout"

    def get_queryset(self) -> QuerySet[Deployment]:
        return selectors.deployments_of(None, self.request.msp).order_by("pk")


class OperatorDeploymentViewSet(OperatorViewSet):
    """What each SBC runs of every scope."""

    queryset = Deployment.objects.none()
    serializer_class = DeploymentSerializer
    capability = "rollout"

    def get_queryset(self) -> QuerySet[Deployment]:
        return selectors.deployments_of(None, None).order_by("pk")


class NodeViewSet(OperatorViewSet):
    """The SBC nodes and how they are. A node is added on its page, because its token is shown there once."""

    queryset = Node.objects.order_by("pk")
    serializer_class = NodeSerializer
    capability = "nodes"
    http_method_names = ["get", "post", "head", "options"]

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refuse: the answer would carry a token."""
        raise MethodNotAllowed("POST")

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def restart(self, request: Request, pk: str | None = None) -> Response:
        """Start its Kamailio anew, so that it dials Microsoft with the certificate that it shows. Calls go on."""
        node = self.get_object()
        certificates.restart_for_certificate(node, by=self.actor)
        return Response(self.get_serializer(node).data)


class AlarmViewSet(OperatorViewSet):
    """What somebody should look at."""

    queryset = Alarm.objects.order_by("pk")
    serializer_class = AlarmSerializer
    capability = "nodes"


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


class QuarantinedRecordViewSet(OperatorViewSet):
    """Records of nodes that are no calls of anybody, and what became of them."""

    queryset = QuarantinedRecord.objects.order_by("pk")
    serializer_class = QuarantinedRecordSerializer
    capability = "quarantine"
    http_method_names = ["get", "post", "head", "options"]

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refuse: records come from nodes alone."""
        raise MethodNotAllowed("POST")

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


Route = tuple[str, Any, str]
routes: list[Route] = [("deployments", DeploymentViewSet, "deployment")]
msp_routes: list[Route] = [("deployments", MspDeploymentViewSet, "deployment")]
operator_routes: list[Route] = [
    ("deployments", OperatorDeploymentViewSet, "deployment"),
    ("nodes", NodeViewSet, "node"),
    ("alarms", AlarmViewSet, "alarm"),
    ("certificates", CertificateViewSet, "certificate"),
    ("quarantined-records", QuarantinedRecordViewSet, "quarantined-record"),
]
