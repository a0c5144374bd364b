"""The rollout, and for the operator the nodes, for programs."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from portal.core.api import MspViewSet, OperatorViewSet, TenantViewSet
from sbc import selectors
from sbc.models import Alarm, Certificate, Deployment, Node


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
        fields = ["id", "region", "node", "subject", "issuer", "names", "fingerprint", "not_before", "not_after"]


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


class AlarmViewSet(OperatorViewSet):
    """What somebody should look at."""

    queryset = Alarm.objects.order_by("pk")
    serializer_class = AlarmSerializer
    capability = "nodes"


class CertificateViewSet(OperatorViewSet):
    """The certificates that nodes present; keys are never handed out."""

    queryset = Certificate.objects.defer("key", "chain").order_by("pk")
    serializer_class = CertificateSerializer
    capability = "nodes"


Route = tuple[str, Any, str]
routes: list[Route] = [("deployments", DeploymentViewSet, "deployment")]
msp_routes: list[Route] = [("deployments", MspDeploymentViewSet, "deployment")]
operator_routes: list[Route] = [
    ("deployments", OperatorDeploymentViewSet, "deployment"),
    ("nodes", NodeViewSet, "node"),
    ("alarms", AlarmViewSet, "alarm"),
    ("certificates", CertificateViewSet, "certificate"),
]
