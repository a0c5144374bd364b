"""The ground of the API: every view set names its place and capability, and hands its writes to the pages' services."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import ModelViewSet

from portal.core.api_errors import PreconditionFailed, problem
from portal.core.api_filters import Filters
from portal.core.api_idempotency import Idempotent
from portal.core.api_policy import CapabilityPermission, Pages, TokenThrottle
from portal.core.errors import StaleEdit

__all__ = [
    "CapabilityPermission",
    "MspViewSet",
    "OperatorViewSet",
    "Pages",
    "TenantViewSet",
    "TokenThrottle",
    "problem",
]

Save = Callable[..., Any]
VERSION_FIELDS = ("row_version", "config_version")


class PlaceViewSet(Idempotent, ModelViewSet[Any]):
    """Reads by the queryset, writes by the services `save` and `remove`; without them it only reads.

    The serializer shapes and never saves. `write` builds the object from its data; override it for nested data.
    `filters` narrow the list, and are described with it.
    """

    place: ClassVar[str | None] = None
    capability: ClassVar[str | None] = None
    capabilities: ClassVar[dict[str, str]] = {}
    save: ClassVar[Save | None] = None
    remove: ClassVar[Save | None] = None
    ordering: ClassVar[tuple[str, ...]] = ("pk",)
    filters: ClassVar[Filters] = {}
    _has_demanded = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "http_method_names" not in cls.__dict__:
            writes = ["post", "put", "patch"] if cls.save else []
            cls.http_method_names = ["get", *writes, *(["delete"] if cls.remove else []), "head", "options"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what no text of the database can hold, before a filter hands it there."""
        super().initial(request, *args, **kwargs)
        wrong = [name for name, found in request.query_params.lists() if any("\0" in each for each in (name, *found))]
        if wrong:
            raise ValidationError({name.replace("\0", ""): ["Null characters are not allowed."] for name in wrong})

    def handle_exception(self, error: Exception) -> Response:
        """Answer with 412 where the version of If-Match was overtaken before the service held the row."""
        if isinstance(error, StaleEdit) and self._if_match() is not None:
            error = PreconditionFailed(" ".join(error.messages))
        return super().handle_exception(error)

    def get_object(self) -> Any:
        """Return the object as it was read; its service compares that version once it holds the row."""
        found = super().get_object()
        # An action that reads the object again for its answer sees its own change, and nobody else's.
        if self.request.method == "POST" and not self._has_demanded:
            self._demand_version(found)
            self._has_demanded = True
        return found

    @property
    def actor(self) -> Any:
        """Who calls, as services want to know it."""
        return self.request._request.actor  # type: ignore[attr-defined]

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.instance = self.write(serializer, None)

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        self._demand_version(serializer.instance)
        serializer.instance = self.write(serializer, serializer.instance)

    def perform_destroy(self, instance: Model) -> None:
        self._demand_version(instance)
        assert self.remove is not None
        self.remove(instance, by=self.actor)

    def write(self, serializer: BaseSerializer[Any], instance: Any | None) -> Any:
        """Put the checked data on the object and hand it to the service."""
        instance = instance if instance is not None else self.new()
        for name, value in serializer.validated_data.items():
            setattr(instance, name, value)
        assert self.save is not None
        return self.save(instance, by=self.actor)

    def new(self) -> Any:
        """Return an object to be filled by a POST; override where it needs an owner."""
        return self.get_queryset().model()

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        data = getattr(response, "data", None)
        if isinstance(data, dict) and response.status_code < 300:
            version = next((data[name] for name in VERSION_FIELDS if name in data), None)
            if version is not None:
                response["ETag"] = f'"{version}"'
        return response

    def _if_match(self) -> str | None:
        """Return the version that the caller read; `*` demands none."""
        header = self.request.headers.get("If-Match", "*").strip()
        return None if header == "*" else header.removeprefix("W/").strip('"')

    def _demand_version(self, instance: Any) -> None:
        """Refuse another version than that of If-Match: as the object was read, so its service wants it stored."""
        wanted, field = self._if_match(), version_field(instance)
        if wanted is not None and (field is None or wanted != str(getattr(instance, field))):
            raise PreconditionFailed("This was changed since you read it. Read it again and repeat your change.")


def version_field(instance: Any) -> str | None:
    """Return which field of an object counts its changes."""
    for name in VERSION_FIELDS:
        try:
            instance._meta.get_field(name)
        except FieldDoesNotExist:
            continue
        return name
    return None


class TenantViewSet(PlaceViewSet):
    """A resource of the customer whose portal was asked; the database context holds everybody else's rows back."""

    place = "customer"


class MspViewSet(PlaceViewSet):
    """A resource of the MSP whose console was asked."""

    place = "msp"


class OperatorViewSet(PlaceViewSet):
    """A resource of the operator's console."""

    place = "operator"
