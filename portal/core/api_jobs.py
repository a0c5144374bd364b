"""Jobs for programs: how far the work is that another call began, and what came of it."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import serializers

from portal.core.api import MspViewSet, OperatorViewSet, TenantViewSet
from portal.core.api_filters import Filters, one_of
from portal.core.models import Job


class JobSerializer(serializers.ModelSerializer[Job]):
    """`state` is queued, running, done or failed; `message` says why it failed, `result` is of the job's own kind."""

    class Meta:
        model = Job
        fields = ["id", "kind", "state", "done", "total", "message", "result", "created_at", "finished_at"]
        read_only_fields = fields


class Jobs:
    """The jobs that the database lets the caller see, newest first; `?state=running` narrows them."""

    queryset = Job.objects.none()
    serializer_class = JobSerializer
    capability: ClassVar[str | None] = "jobs"
    lookup_value_converter = "uuid"
    http_method_names = ["get", "head", "options"]
    ordering: ClassVar[tuple[str, ...]] = ("-created_at", "pk")

    filters: ClassVar[Filters] = {"state": one_of("state", Job.State)}

    def get_queryset(self) -> QuerySet[Job]:
        return Job.objects.order_by("-created_at", "pk")


class JobViewSet(Jobs, TenantViewSet):
    """Imports, exports and other long work of the customer's people and programs."""


class MspJobViewSet(Jobs, MspViewSet):
    """Imports, exports, invoice runs and other long work of the MSP's staff and programs."""


class OperatorJobViewSet(Jobs, OperatorViewSet):
    """Long work of the operator's."""


Route = tuple[str, Any, str]
routes: list[Route] = [("jobs", JobViewSet, "job")]
msp_routes: list[Route] = [("jobs", MspJobViewSet, "job")]
operator_routes: list[Route] = [("jobs", OperatorJobViewSet, "job")]
