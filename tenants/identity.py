"""Who is calling: by session or by token, with the roles that they have in this place at this moment."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.sessions.backends.base import SessionBase
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from portal.db import contexts
from tenants.models import Acting, ApiToken, Customer, Msp, User
from tenants.permissions import ACTING, ACTING_ROLES, may

ACTING_KEY = "acting"
TOKEN_PREFIX = "stw_"  # noqa: S105 (public: lets secret scanners know one of ours)
ROLES = {
    where: f"SELECT role FROM tenants_membership WHERE user_id = %s AND {where} = %s"  # noqa: S608  names of ours
    for where in ("tenant_id", "msp_id")
}
_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Caller:
    """A person or program in one place, and what they may do there."""

    user: User | None = None
    roles: frozenset[str] = frozenset()
    acting: Acting | None = None
    token: ApiToken | None = None
    scopes: frozenset[str] | None = field(default=None)
    read_only: bool = False

    @property
    def user_id(self) -> int | None:
        return self.user.pk if self.user else None

    @property
    def email(self) -> str:
        return self.user.email if self.user else ""

    def can(self, capability: str) -> bool:
        """Return whether this caller may do what the capability names, here and now."""
        if self.read_only and not capability.endswith((".view", "api.use")):
            return False
        return may(self.roles, capability, self.scopes)


NOBODY = Caller()


def hash_secret(secret: str) -> str:
    """Return what we keep of a secret that we made: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """Return 256 fresh random bits as text."""
    return secrets.token_urlsafe(32)


def roles_in(user: User, place: str, msp: Msp | None, tenant: Customer | None) -> frozenset[str]:
    """Return the user's own roles in a place; runs inside the place's database context."""
    if not user.is_active:
        return frozenset()
    if place == "operator":
        return frozenset({"operator"}) if user.is_operator else frozenset()
    if place == "msp" and msp is not None and msp.state == Msp.State.SUSPENDED:
        return frozenset()
    where, whose = ("tenant_id", tenant) if place == "customer" else ("msp_id", msp)
    if whose is None:
        return frozenset()
    known = user.membership_here
    if known is not None and getattr(known, where) == whose.pk:
        return frozenset({known.role})
    with connection.cursor() as cursor:
        # Every request with a token asks this; Django would take longer to word it than PostgreSQL to answer.
        cursor.execute(ROLES[where], [user.pk, whose.pk])
        return frozenset(role for (role,) in cursor.fetchall())


def may_act(user: User, msp: Msp) -> bool:
    """Return whether somebody's role at the MSP, as it is now, lets them act as its customers."""
    with contexts.msp(msp):
        return bool(roles_in(user, "msp", msp, None) & ACTING_ROLES)


def is_leaving(tenant: Customer | None) -> bool:
    """Return whether a customer is being closed: its people may still look, and change nothing."""
    return tenant is not None and tenant.state == Customer.State.CLOSING


def caller_by_session(
    user: User, session: SessionBase, host: str, place: str, msp: Msp | None, tenant: Customer | None
) -> Caller:
    """Return the logged-in user with the roles that they have here now; none where the session's ground is gone."""
    acting_id, leaving = session.get(ACTING_KEY), is_leaving(tenant)
    if acting_id is None:
        return Caller(user, roles_in(user, place, msp, tenant), read_only=leaving)
    acting = Acting.objects.filter(
        pk=acting_id, user=user, tenant=tenant, host=host, ended_at=None, expires_at__gt=timezone.now()
    ).first()
    if acting is None or msp is None or not may_act(user, msp):
        return Caller(user)
    return Caller(user, frozenset({ACTING}), acting=acting, read_only=leaving)


def caller_by_token(header: str, place: str, msp: Msp | None, tenant: Customer | None) -> Caller:
    """Return the program behind an Authorization header, or nobody."""
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not secret.startswith(TOKEN_PREFIX):
        return NOBODY
    now = timezone.now()
    here = Q(tenant=tenant) if place == "customer" else Q(msp=msp, tenant=None)
    token = (
        ApiToken.objects.select_related("user")
        .filter(here, token_hash=hash_secret(secret), revoked_at=None, expires_at__gt=now)
        .first()
    )
    if token is None:
        return NOBODY
    _note_use(token, now)
    # The token can never do more than its user may do today.
    roles = roles_in(token.user, place, msp, tenant)
    if not roles:
        return NOBODY
    return Caller(token.user, roles, token=token, scopes=frozenset(token.scopes), read_only=is_leaving(tenant))


def _note_use(token: ApiToken, now: datetime) -> None:
    if token.last_used_at is None or now - token.last_used_at > _USED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
