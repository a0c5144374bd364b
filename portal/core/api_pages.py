"""The API's description, made from its code: OpenAPI 3.1 for programs, a page for people."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.core.access import requires

METHODS = ("get", "post", "put", "patch", "delete")


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "portal.core.api_auth.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token of the page “API tokens”."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "portal.core.api_auth.HostSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        words = "A browser that is logged in here."
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME, "description": words}


@lru_cache(maxsize=3)
def schema_of(urlconf: str) -> dict[str, Any]:
    """Return the OpenAPI document of a place; it is the same for everybody there."""
    found: dict[str, Any] = SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def described(request: HttpRequest) -> dict[str, Any]:
    """Return the place's OpenAPI document under the brand of whose place it is."""
    document = schema_of(request.urlconf)
    brand = getattr(request, "brand", None)
    title = f"{brand.name} API" if brand else document["info"]["title"]
    server = {"url": f"{request.scheme}://{request.get_host()}"}
    return {**document, "info": {**document["info"], "title": title}, "servers": [server]}


class SchemaView(APIView):
    """The OpenAPI document, as JSON or YAML."""

    capability = "api.use"
    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]
    schema = None

    def get(self, request: Request) -> Response:
        return Response(described(request._request))


@dataclass
class Operation:
    """One call, as the page for people shows it."""

    method: str
    path: str
    summary: str
    description: str
    parameters: list[dict[str, Any]] = field(default_factory=list)
    fields: list[dict[str, Any]] = field(default_factory=list)


def operations(document: dict[str, Any]) -> dict[str, list[Operation]]:
    """Return every call of the document by its resource."""
    found: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        resource = path.removeprefix("/api/v1/").split("/")[0]
        for method in METHODS:
            if method in item:
                facts = item[method]
                words = (facts.get("description") or "").strip().split("\n")
                found.setdefault(resource, []).append(
                    Operation(
                        method.upper(),
                        path,
                        facts.get("summary") or facts["operationId"].replace("_", " "),
                        words[0],
                        [one for one in facts.get("parameters", []) if one["in"] == "query"],
                        _fields(document, facts),
                    )
                )
    return found


def _fields(document: dict[str, Any], facts: dict[str, Any]) -> list[dict[str, Any]]:
    content = facts.get("requestBody", {}).get("content", {}).get("application/json", {})
    shape = content.get("schema", {})
    if "$ref" in shape:
        shape = document["components"]["schemas"][shape["$ref"].rsplit("/", 1)[1]]
    needed = shape.get("required", [])
    return [
        {"name": name, "kind": _kind(value), "required": name in needed, "help": value.get("description", "")}
        for name, value in shape.get("properties", {}).items()
    ]


def _kind(value: dict[str, Any]) -> str:
    kind = value.get("format") or value.get("type") or "object"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


@require_GET
@requires("api.use")
def reference(request: HttpRequest) -> HttpResponse:
    """Show every call of the API with its fields."""
    document = described(request)
    context = {"document": document, "resources": operations(document), "server": document["servers"][0]["url"]}
    return TemplateResponse(request, "core/api_reference.html", context)
