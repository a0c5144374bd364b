"""Every URL of every place, found in the URL configuration itself: what an app adds tomorrow is walked tomorrow."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from portal.core.access import LOGGED_IN, PUBLIC
from portal.core.api_policy import CapabilityPermission, capability_of
from portal.db import contexts
from tenants.permissions import CAPABILITIES, PAGES_OF_LIBRARIES

PLACES = ("operator", "msp", "customer")
ROUTE_PART = re.compile(r"<(?:(\w+):)?(\w+)>")
REGEX_PART = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")
NOWHERE = {"uuid": "00000000-0000-4000-8000-000000000000", "str": "nowhere", "slug": "nowhere", "path": "nowhere"}


@dataclass(frozen=True)
class Leaf:
    """One URL pattern with its view."""

    place: str
    template: str
    name: str
    view: Callable[..., Any]

    @property
    def is_api(self) -> bool:
        return hasattr(self.view, "cls")

    @property
    def methods(self) -> list[str]:
        if not self.is_api:
            return ["get", "post"]
        offered = getattr(self.view, "actions", None) or {
            name: name for name in ("get", "post", "put", "patch", "delete") if hasattr(self.view.cls, name)
        }
        return [name for name in offered if name in self.view.cls.http_method_names and name not in ("head", "options")]

    def demand(self, method: str) -> str | None:
        """Return the capability that the view demands for a method, PUBLIC, LOGGED_IN, or None where it names none."""
        if self.is_api:
            assert CapabilityPermission in self.view.cls.permission_classes, self.template
            shape = type(
                "Shape", (), {**_facts(self.view.cls), "action": getattr(self.view, "actions", {}).get(method)}
            )
            return capability_of(shape, method.upper())
        own = getattr(self.view, "capability", None)
        return own or PAGES_OF_LIBRARIES.get(self.name)

    def ids(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return an id for each kind of part of the URL that takes one; the API's parts do not say their kind."""
        kinds = {part[0] for part in ROUTE_PART.findall(self.template)} & given.keys()
        if self.is_api and getattr(self.view.cls, "lookup_value_converter", "") == "uuid":
            return dict.fromkeys(kinds, given["uuid"])
        return {kind: given[kind] for kind in kinds}

    def path(self, ids: dict[str, Any]) -> str:
        """Return the URL with these ids."""
        return "/" + ROUTE_PART.sub(
            lambda part: str(ids.get(part[1], NOWHERE.get(part[1] or "str", "0"))), self.template
        )

    def paths(self, ids: list[int]) -> Iterator[str]:
        """Yield the URL with each of the ids where it takes one."""
        if not ROUTE_PART.search(self.template):
            yield "/" + self.template
            return
        for one in ids or [0]:
            yield "/" + ROUTE_PART.sub(lambda part, one=one: NOWHERE.get(part[1] or "str", str(one)), self.template)


def _facts(cls: type) -> dict[str, Any]:
    return {"capability": cls.capability, "capabilities": getattr(cls, "capabilities", {})}


def leaves(place: str) -> list[Leaf]:
    """Return every URL pattern of a place."""
    return [
        Leaf(place, template, pattern.name or "", pattern.callback)
        for template, pattern in _walk("", get_resolver(f"portal.urls_{place}").url_patterns)
    ]


def _walk(before: str, patterns: list[URLPattern | URLResolver]) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        template = before + _template(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(template, pattern.url_patterns)
        else:
            yield template, pattern


def _template(pattern: Any) -> str:
    if isinstance(pattern, RoutePattern):
        return str(pattern._route)
    # A router's own patterns: an id there is an id, whatever the expression would let through.
    text = REGEX_PART.sub(r"<int:\1>", str(pattern._regex))
    return re.sub(r"[\^$\\]|\\[AZ]|/\?$", "", text)


def known(demand: str | None) -> bool:
    return demand in (PUBLIC, LOGGED_IN) or demand in CAPABILITIES


def ids_of(customer: Any) -> list[int]:
    """Return the ids of everything that a customer has, in its schema and in the shared tables."""
    found: set[int] = {customer.pk}
    for rows in snapshot(customer).values():
        found |= {row["id"] for row in rows if isinstance(row.get("id"), int)}
    return sorted(found)


def snapshot(customer: Any) -> dict[str, list[dict[str, Any]]]:
    """Return every row that a customer's portal can see of its own, by model."""
    found = {}
    with contexts.customer(customer):
        for model in apps.get_models():
            columns = {field.column for field in model._meta.concrete_fields}
            if model._meta.managed and ("tenant_id" in columns or _in_schema(model)) and may_read(model):
                found[model._meta.label] = list(model._default_manager.order_by("pk").values())
    return found


def may_read(model: Any) -> bool:
    # Of tables whose every row is the MSP's alone the customers' role may not even ask; others are not there at all.
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(to_regclass(%s)::oid, 'SELECT')", [model._meta.db_table])
        return bool(cursor.fetchone()[0])


def _in_schema(model: Any) -> bool:
    return str(model._meta.app_config.name) in settings.CUSTOMER_APPS
