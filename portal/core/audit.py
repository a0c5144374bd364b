"""The audit log: one row beside each write, in its transaction."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from portal.db import contexts

from .models import AuditEntry

# Values under these names are said to have changed and never shown.
SECRET_NAMES = ("password", "secret", "token", "private_key", "totp")
HIDDEN = "••••"
RENEWED = f"{HIDDEN} (new)"
NAME_LIMIT = 200
_json = DjangoJSONEncoder()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is behind a write: a person, perhaps on somebody's behalf, a token, or a part of the system."""

    user_id: int | None = None
    email: str = ""
    acting_for: str = ""
    reason: str = ""
    ip: str | None = None
    token_id: int | None = None
    # What they were here when they asked.
    roles: tuple[str, ...] = ()

    @classmethod
    def system(cls, name: str) -> "Actor":
        """Return the actor that stands for one of our own machines."""
        return cls(email=f"system:{name}")


def record(
    by: Any,
    verb: str,
    obj: models.Model | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    tenant_id: int | None = None,
    msp_id: int | None = None,
    **facts: Any,
) -> None:
    """Store who did what; tenant and MSP are those of the database context unless given."""
    actor = as_actor(by)
    context = contexts.current()
    tenant = context.tenant if tenant_id is None else tenant_id
    msp = msp_id if msp_id is not None else context.msp or getattr(connection.tenant, "msp_id", None)  # type: ignore[attr-defined]
    AuditEntry(
        at=now(),
        tenant_id=tenant,
        msp_id=msp,
        user_id=actor.user_id,
        email=actor.email,
        acting_for=actor.acting_for,
        reason=reason or actor.reason,
        ip=actor.ip or None,
        token_id=actor.token_id,
        verb=verb,
        object_type=obj._meta.label_lower if obj is not None else "",
        object_id=str(obj.pk) if obj is not None and obj.pk is not None else "",
        object_name=str(obj)[:NAME_LIMIT] if obj is not None else "",
        before=_plain(before),
        after=_plain(after, before),
        facts=_plain(facts) or {},
    ).save(force_insert=True)


def as_actor(by: Any) -> Actor:
    """Return the actor for whatever a caller has: an actor, a user, or nobody."""
    if isinstance(by, Actor):
        return by
    if by is None:
        return Actor.system("strowger")
    return Actor(user_id=by.pk, email=by.email)


def entries(
    *,
    text: str = "",
    verb: str = "",
    who: str = "",
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    tenant_id: int | None = None,
    obj: models.Model | None = None,
) -> QuerySet[AuditEntry]:
    """Return the entries of the current context that match, newest first; the database decides whose they are."""
    found = narrowed(AuditEntry.objects.order_by("-at", "pk"), text=text, verb=verb, who=who)
    if since:
        found = found.filter(at__gte=since)
    if until:
        found = found.filter(at__lt=until)
    if tenant_id is not None:
        found = found.filter(tenant_id=tenant_id)
    if obj is not None:
        found = found.filter(object_type=obj._meta.label_lower, object_id=str(obj.pk))
    return found


def narrowed(found: QuerySet[AuditEntry], *, text: str = "", verb: str = "", who: str = "") -> QuerySet[AuditEntry]:
    """Return the entries with a text, those whose verb begins so, and those of a person."""
    if text:
        found = found.filter(Q(object_name__icontains=text) | Q(reason__icontains=text) | Q(verb__icontains=text))
    if verb:
        found = found.filter(verb__startswith=verb)
    if who:
        found = found.filter(Q(email__icontains=who) | Q(acting_for__icontains=who))
    return found


def _plain(values: Mapping[str, Any] | None, before: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    if values is None:
        return None
    plain = {name: _value(name, value) for name, value in values.items()}
    renewed = {
        name: RENEWED for name in plain if _is_secret(name) and _is_another(values[name], (before or {}).get(name))
    }
    return plain | renewed


def _is_secret(name: str) -> bool:
    return any(word in name for word in SECRET_NAMES)


def _is_another(secret: Any, before: Any) -> bool:
    return bool(secret and before and secret != before)


def _value(name: str, value: Any) -> Any:
    if _is_secret(name):
        return HIDDEN if value else value
    if isinstance(value, models.Model):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _value(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_value("", item) for item in value]
    try:
        return _json.default(value)
    except TypeError:
        return str(value)
