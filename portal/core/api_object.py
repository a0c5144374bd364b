"""One object of the API, as the reader of a page would get it from there: never more than a request would answer."""

import json
import re
import shlex
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve
from rest_framework.exceptions import APIException
from rest_framework.exceptions import PermissionDenied as Refused

from portal.core.api import VERSION_FIELDS
from portal.core.api_policy import capability_of

ROOT = "/api/v1"
INDENTED = "application/json; indent=2"
READER = {"get": "retrieve"}
# The body that an action wants, as its description gives it.
SAMPLE = re.compile(r":? `({.*})`")


@dataclass(frozen=True)
class Act:
    """One more thing that a program may do with an object: in words, and as the line that does it."""

    words: str
    call: str


@dataclass(frozen=True)
class Shown:
    """What a program gets for one object, and the lines that read it, change it and act on it."""

    address: str
    body: str
    read: str
    change: str
    acts: list[Act]


def address_of(resource: str, pk: Any) -> str:
    return f"{ROOT}/{resource}/{pk}/"


def viewing(request: HttpRequest, resource: str) -> str:
    """Return the capability that reading the resource takes in this place, or nothing if it has none to read."""
    return _viewing(resource, getattr(request, "urlconf", None))


def find(request: HttpRequest, resource: str, pk: str) -> Any:
    """Return the object behind the address if the reader may see it; 404 otherwise."""
    view = _view(request, resource, pk, "retrieve")
    can = request.can  # type: ignore[attr-defined]
    if not can(capability_of(view, "GET") or ""):
        raise PermissionDenied
    return view.get_object()


def show(request: HttpRequest, resource: str, pk: str) -> Shown:
    """Ask the API in the reader's name and return its answer with the calls that read and change the object."""
    match = _match(resource, pk, getattr(request, "urlconf", None))
    if match is None:
        raise Http404
    asked = copy(request)
    asked.method, asked.META = "GET", {**request.META, "HTTP_ACCEPT": INDENTED}
    asked.__dict__.pop("headers", None)
    answer = match.func(asked, *match.args, **match.kwargs).render()
    if answer.status_code == HTTPStatus.NOT_FOUND:
        raise Http404
    if answer.status_code != HTTPStatus.OK:
        raise PermissionDenied
    url = request.build_absolute_uri(address_of(resource, pk))
    read = f'curl -H "Authorization: Bearer $TOKEN" \\\n  {url}'
    example = _example(request, resource, pk, answer.data)
    change = _change(url, example, answer.get("ETag", "")) if example else ""
    return Shown(address_of(resource, pk), answer.content.decode(), read, change, _acts(request, resource, pk, url))


def _change(url: str, example: dict[str, Any], etag: str) -> str:
    unless = f"-H {shlex.quote(f'If-Match: {etag}')} " if etag else ""
    body = shlex.quote(json.dumps(example, ensure_ascii=False))
    start = 'curl -X PATCH -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json"'
    return f"{start} \\\n  {unless}-d {body} \\\n  {url}"


def _acts(request: HttpRequest, resource: str, pk: str, url: str) -> list[Act]:
    """Return what the reader may do with such an object beyond changing and deleting it."""
    view, can, found = _view(request, resource, pk, "retrieve"), request.can, []  # type: ignore[attr-defined]
    for act in view.get_extra_actions():
        view.action = act.__name__
        if not act.detail or "post" not in act.mapping or not can(capability_of(view, "POST") or ""):
            continue
        words = (act.__doc__ or act.__name__.replace("_", " ").capitalize()).strip().splitlines()[0]
        start = 'curl -X POST -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: $(uuidgen)"'
        sample = SAMPLE.search(words)
        body = f'-H "Content-Type: application/json" -d {shlex.quote(sample[1])} ' if sample else ""
        found.append(Act(SAMPLE.sub("", words), f"{start} \\\n  {body}{url}{act.url_path}/"))
    return found


def _example(request: HttpRequest, resource: str, pk: str, data: dict[str, Any]) -> dict[str, Any] | None:
    """Return a change that the reader could send: one field with the value that it has now."""
    view = _view(request, resource, pk, "partial_update")
    can = request.can  # type: ignore[attr-defined]
    if "patch" not in view.http_method_names or not can(capability_of(view, "PATCH") or ""):
        return None
    try:
        fields = view.get_serializer(view.get_object()).fields
    except (Http404, APIException, Refused):
        return None
    for name, field in fields.items():
        if not field.read_only and name not in VERSION_FIELDS and isinstance(data.get(name), str | int):
            return {name: data[name]}
    return None


def _view(request: HttpRequest, resource: str, pk: str, action: str) -> Any:
    match = _match(resource, pk, getattr(request, "urlconf", None))
    if match is None:
        raise Http404
    made: Any = match.func
    view = made.cls(**made.initkwargs)
    view.action_map, view.args, view.kwargs, view.format_kwarg = READER, match.args, match.kwargs, None
    view.request = view.initialize_request(request)
    view.action = action
    # The caller asks for the capability of what it does; the page's own method is always GET.
    view.permission_classes = []
    return view


@lru_cache(maxsize=256)
def _viewing(resource: str, urlconf: str | None) -> str:
    match = _match(resource, "0", urlconf)
    made: Any = match.func if match else None
    return (capability_of(made.cls, "GET") or "") if made else ""


def _match(resource: str, pk: str, urlconf: str | None) -> ResolverMatch | None:
    try:
        match = resolve(address_of(resource, pk), urlconf)
    except Resolver404:
        return None
    return match if getattr(match.func, "actions", {}).get("get") == "retrieve" else None
