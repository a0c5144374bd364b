"""From the Host header to a place: the operator console, an MSP's console or a customer's portal."""

import re
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import idna
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils import timezone

from portal.core.joined import Joined
from portal.db import contexts
from tenants.addresses import operator_host
from tenants.models import BaseDomain, Brand, Customer, Domain, Msp
from tenants.sessions import LIVE_SESSION

NO_PORTAL = (Customer.State.CREATING, Customer.State.CLOSED)
SECONDS = 30.0
UNKNOWN_SECONDS = 2.0  # a new customer's host must not stay unknown
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_AUTHORITY = re.compile(r"([^\s:/@?#\\\[\],]{1,253}?)\.?(?::([0-9]{1,5}))?", re.ASCII)


@dataclass(frozen=True)
class Place:
    """Where a host leads: `operator`, `msp` or `customer`, and whose it is."""

    host: str
    kind: str
    msp_id: int | None
    tenant_id: int | None


@dataclass
class Ground:
    """A place with its rows, read afresh for each request, and the session that the request named."""

    place: Place
    msp: Msp | None
    tenant: Customer | None
    session: Session | None = None


def normalise(authority: str) -> str | None:
    """Return the host of a Host header in the one form that we store, or None where it is not a host at all."""
    match = _AUTHORITY.fullmatch(authority.strip(" \t")) if len(authority) <= 260 else None
    if match is None or (match[2] and not 0 < int(match[2]) < 65536):
        return None
    host = match[1].lower()
    if not host.isascii():
        return None
    return host if len(host) <= 253 and _HOST.fullmatch(host) else None


def to_ascii(name: str) -> str | None:
    """Return what somebody typed as a domain name in its ASCII form, or None where it cannot be one."""
    try:
        return normalise(idna.encode(name.strip().rstrip("."), uts46=True).decode())
    except (idna.IDNAError, UnicodeError):
        return None


def origin_matches(origin: str, authority: str) -> bool:
    """Return whether an Origin header names exactly the host and port that the request went to."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return False
    default = {"http": "80", "https": "443"}[parts.scheme]
    return _with_port(parts.netloc, default) == _with_port(authority, default) is not None


def _with_port(authority: str, default: str) -> tuple[str, str] | None:
    host = normalise(authority)
    match = _AUTHORITY.fullmatch(authority.strip(" \t"))
    return (host, match[2] or default) if host and match else None


_BRAND = "LEFT JOIN tenants_brand ON tenants_brand.msp_id = tenants_msp.id"
_SESSION = f"LEFT JOIN django_session ON {LIVE_SESSION}"
_places: dict[str, tuple[float, Place | None]] = {}


def forget() -> None:
    """Drop what this process remembers of hosts; the other processes forget within 30 seconds."""
    _places.clear()


def place_of(authority: str) -> Place | None:
    """Return the place that a Host header leads to, or None for a host that nobody here has, or no more."""
    host = normalise(authority)
    if host is None:
        return None
    now = time.monotonic()
    known = _places.get(host)
    if known and known[0] > now:
        return known[1]
    with contexts.public():
        row: tuple[str, int | None, int | None] | None = (Domain.Kind.OPERATOR.value, None, None)
        if host != operator_host():
            found = Domain.objects.filter(domain=host).exclude(tenant__state__in=NO_PORTAL)
            row = found.values_list("kind", "msp_id", "tenant_id").first()
    place = Place(host, *row) if row else None
    # Strangers choose unknown names, so those must not fill the memory.
    if len(_places) > 10_000:
        _places.clear()
    _places[host] = (now + (SECONDS if place else UNKNOWN_SECONDS), place)
    return place


def is_taken(host: str) -> bool:
    """Return whether anybody has this host already; it is nobody's business who."""
    with contexts.public():
        return host == operator_host() or Domain.objects.filter(domain=host).exists() or is_of_sbcs(host)


def is_of_sbcs(host: str) -> bool:
    """Return whether the host is a base domain or lies below one: such names lead to SBCs, never to a portal."""
    above = [".".join(host.split(".")[at:]) for at in range(host.count(".") + 1)]
    with contexts.public():
        return BaseDomain.objects.filter(fqdn__in=above).exists()


def portal_below(fqdn: str) -> str | None:
    """Return the host of a portal or a console that is this name or lies below it, or None."""
    if f".{operator_host()}".endswith(f".{fqdn}"):
        return operator_host()
    with contexts.public():
        found = Domain.objects.filter(Q(domain=fqdn) | Q(domain__endswith=f".{fqdn}"))
        return found.order_by("domain").values_list("domain", flat=True).first()


def ground_of(place: Place, session_key: str | None = None) -> Ground | None:
    """Return the place's rows as they are now, or None where its customer was closed.

    The session is read along to save a statement, whichever host it began at: who uses it has to compare that.
    """
    session = (session_key, timezone.now())
    with contexts.public():
        if place.tenant_id is not None:
            found = _customer_question().first(*session, place.tenant_id)
            if found is None or found[0].state in NO_PORTAL:
                return None
            tenant, msp, brand, read_along = found
            tenant.msp = _branded(msp, brand)
            return Ground(place, msp, tenant, read_along)
        if place.msp_id is not None:
            found = _msp_question().first(*session, place.msp_id)
            return Ground(place, _branded(*found[:2]), None, found[2]) if found else None
        return Ground(place, None, None)


@cache
def _customer_question() -> Joined:
    return Joined(
        "tenants_customer JOIN tenants_msp ON tenants_msp.id = tenants_customer.msp_id"
        f" {_BRAND} {_SESSION} WHERE tenants_customer.id = %s",
        Customer, Msp, Brand, Session, without={"logo"},
    )  # fmt: skip


@cache
def _msp_question() -> Joined:
    return Joined(f"tenants_msp {_BRAND} {_SESSION} WHERE tenants_msp.id = %s", Msp, Brand, Session, without={"logo"})


def _branded(msp: Msp, brand: Brand | None) -> Msp:
    if brand is not None:
        msp.brand = brand
    return msp


def inside(ground: Ground) -> AbstractContextManager[None]:
    """Return the database context of the place, to be entered for the rest of the request."""
    if ground.tenant is not None:
        return contexts.customer(ground.tenant)
    if ground.msp is not None:
        return contexts.msp(ground.msp)
    return contexts.public()
