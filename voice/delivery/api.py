"""Integration for programs: the feed to be pulled, webhooks and file stores to be set up, and everything once more."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from portal.core.api import MspViewSet
from portal.core.api_filters import Number, one_of
from portal.core.whole import whole
from voice.delivery import payloads, selectors, services
from voice.delivery.models import TOLD, Delivery, Endpoint, Message, Store, StoredFile

MOST = 50


class MessageSerializer(serializers.ModelSerializer[Message]):
    """A message of the feed: `id` and `sequence` are the same wherever it is told, so that you know it again."""

    id = serializers.CharField(source="webhook_id", read_only=True)
    type = serializers.CharField(source="kind", read_only=True)
    timestamp = serializers.DateTimeField(source="at", read_only=True)
    data = serializers.SerializerMethodField()

    class Meta:
        model = Message
        fields = ["sequence", "id", "type", "timestamp", "data"]

    def get_data(self, message: Message) -> dict[str, Any]:
        return payloads.data(message, self.context["hidden"])


class FeedSerializer(serializers.Serializer[Any]):
    """Messages after a number; call again with `after` set to `next`. An empty list: there is no more for now."""

    next = serializers.IntegerField()
    messages = MessageSerializer(many=True)


class FeedViewSet(MspViewSet):
    """Everything that happened, oldest first: calls, prices of them made anew, bills, payments and what went back."""

    queryset = Message.objects.none()
    serializer_class = FeedSerializer
    capability = "integrations"
    pagination_class = None
    http_method_names = ["get", "head", "options"]

    @extend_schema(
        parameters=[
            OpenApiParameter("after", int, description="The last number that you have; 0 is the beginning."),
            OpenApiParameter("limit", int, description=f"1 to {MOST} messages; each has up to 500 calls."),
        ],
        responses=FeedSerializer,
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the messages after a number."""
        after, limit = (self._number(name, default) for name, default in (("after", 0), ("limit", 10)))
        found = selectors.messages_after(request.msp, after, min(max(1, limit), MOST))
        told = {"next": found[-1].sequence if found else after, "messages": found}
        hidden = selectors.hidden_from_programs(request.msp)
        return Response(FeedSerializer(told, context={"hidden": hidden}).data)

    def _number(self, name: str, default: int) -> int:
        text = self.request.query_params.get(name, "")
        if not text:
            return default
        number = whole(text)
        if number is None:
            raise serializers.ValidationError({name: ["Use a whole number."]})
        return number


class WebhookSerializer(serializers.ModelSerializer[Endpoint]):
    """A webhook; its `secret` is in the answer that makes it and in that of `new-secret/`, and nowhere else."""

    row_version = serializers.IntegerField(required=False)
    kinds = serializers.MultipleChoiceField(choices=[(kind.value, kind.label) for kind in TOLD])
    waiting = serializers.IntegerField(read_only=True)

    class Meta:
        model = Endpoint
        fields = [
            "id", "name", "url", "kinds", "state", "failing_since", "last_error", "delivered_at", "waiting",
            "row_version",
        ]  # fmt: skip
        read_only_fields = ["state", "failing_since", "last_error", "delivered_at"]
        validators: list[Any] = []


class SecretSerializer(WebhookSerializer):
    """A webhook with its secret, shown once."""

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]


class WebhookViewSet(MspViewSet):
    """Addresses that are sent messages as they come, signed as the Standard Webhooks say."""

    queryset = Endpoint.objects.none()
    serializer_class = WebhookSerializer
    capability = "integrations"
    save = staticmethod(services.save_endpoint)
    remove = staticmethod(services.remove_endpoint)
    shown_once = frozenset({"secret"})

    def get_queryset(self) -> QuerySet[Endpoint]:
        return selectors.endpoints(self.request.msp).order_by("pk")

    def new(self) -> Endpoint:
        return Endpoint(msp=self.request.msp)

    @extend_schema(responses={201: SecretSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make a webhook; the answer alone has its secret."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(SecretSerializer(self.write(given, None)).data, 201)

    def write(self, serializer: BaseSerializer[Any], instance: Endpoint | None) -> Endpoint:
        if "kinds" in serializer.validated_data:
            serializer.validated_data["kinds"] = sorted(serializer.validated_data["kinds"])
        made: Endpoint = super().write(serializer, instance)
        return made

    @extend_schema(request=None, responses=SecretSerializer)
    @action(detail=True, methods=["post"], url_path="new-secret")
    def new_secret(self, request: Request, pk: str) -> Response:
        """Change the secret; the answer alone has the new one."""
        return Response(SecretSerializer(services.new_endpoint_secret(self.get_object(), by=self.actor)).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Send nothing more; what comes meanwhile waits."""
        return Response(WebhookSerializer(services.pause(self.get_object(), by=self.actor)).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Send again, beginning with what waits."""
        return Response(WebhookSerializer(services.resume(self.get_object(), by=self.actor)).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Put a test message onto its way."""
        return Response(DeliverySerializer(services.send_test(self.get_object(), by=self.actor)).data, 202)


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """A message on its way to a webhook."""

    webhook = serializers.IntegerField(source="endpoint_id", read_only=True)
    sequence = serializers.IntegerField(source="message.sequence", read_only=True)
    type = serializers.CharField(source="message.kind", read_only=True)

    class Meta:
        model = Delivery
        fields = ["id", "webhook", "sequence", "type", "state", "attempts", "status", "error", "next_at", "done_at"]
        read_only_fields = fields


class DeliveryViewSet(MspViewSet):
    """What went to which webhook and how; `webhook` and `state` narrow it."""

    queryset = Delivery.objects.none()
    serializer_class = DeliverySerializer
    capability = "integrations"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)
    filters = {"webhook": Number("endpoint"), "state": one_of("state", Delivery.State)}

    def get_queryset(self) -> QuerySet[Delivery]:
        return selectors.deliveries(self.request.msp).order_by("-pk")

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.http_method_not_allowed(request)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def again(self, request: Request, pk: str) -> Response:
        """Send a message once more under its old id."""
        row = self.get_object()
        services.send_again([row], by=self.actor)
        return Response(DeliverySerializer(row).data)


class FileStoreSerializer(serializers.ModelSerializer[Store]):
    """A place that files are put into; the secret goes in and never comes out."""

    row_version = serializers.IntegerField(required=False)
    secret = serializers.CharField(write_only=True, required=False, allow_blank=True, max_length=10_000)
    arrived_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Store
        fields = [
            "id", "name", "way", "host", "port", "folder", "username", "secret", "host_key", "content", "every",
            "enabled", "sequence", "next_at", "arrived_at", "row_version",
        ]  # fmt: skip
        read_only_fields = ["sequence", "next_at"]
        validators: list[Any] = []


class FileStoreViewSet(MspViewSet):
    """Places that files are put into on a schedule, by SFTP or into an S3 bucket."""

    queryset = Store.objects.none()
    serializer_class = FileStoreSerializer
    capability = "integrations"
    save = staticmethod(services.save_store)
    remove = staticmethod(services.remove_store)

    def get_queryset(self) -> QuerySet[Store]:
        return selectors.stores(self.request.msp).order_by("pk")

    def new(self) -> Store:
        return Store(msp=self.request.msp)

    def write(self, serializer: BaseSerializer[Any], instance: Store | None) -> Store:
        if instance is not None and "secret" not in serializer.validated_data:
            serializer.validated_data["secret"] = ""
        made: Store = super().write(serializer, instance)
        return made

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="put-now")
    def put_now(self, request: Request, pk: str) -> Response:
        """Put what is new into a file now."""
        return Response(FileStoreSerializer(services.put_now(self.get_object(), by=self.actor)).data)


class StoredFileSerializer(serializers.ModelSerializer[StoredFile]):
    """A file: the messages from `first` to `last`."""

    class Meta:
        model = StoredFile
        fields = ["id", "store", "name", "first", "last", "rows", "size", "state", "attempts", "error", "done_at"]
        read_only_fields = fields


class StoredFileViewSet(MspViewSet):
    """What was put into which place and how; `store` and `state` narrow it."""

    queryset = StoredFile.objects.none()
    serializer_class = StoredFileSerializer
    capability = "integrations"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)
    filters = {"store": Number("store"), "state": one_of("state", StoredFile.State)}

    def get_queryset(self) -> QuerySet[StoredFile]:
        return selectors.files(self.request.msp).order_by("-pk")

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.http_method_not_allowed(request)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def again(self, request: Request, pk: str) -> Response:
        """Put a file once more under its old name."""
        row = self.get_object()
        services.put_again([row], by=self.actor)
        return Response(StoredFileSerializer(row).data)


msp_routes = [
    ("feed", FeedViewSet, "feed"),
    ("webhooks", WebhookViewSet, "webhook"),
    ("deliveries", DeliveryViewSet, "delivery"),
    ("file-stores", FileStoreViewSet, "file-store"),
    ("stored-files", StoredFileViewSet, "stored-file"),
]
