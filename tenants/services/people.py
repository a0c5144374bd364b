"""Teams: who is invited, joins, changes role and leaves; each with an audit entry."""

from datetime import timedelta
from functools import partial
from typing import TypedDict

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from portal.db import contexts
from tenants import addresses, mail
from tenants.identity import hash_secret, new_secret
from tenants.models import (
    CUSTOMER_ROLES,
    MSP_ROLES,
    Acting,
    ApiToken,
    Brand,
    Customer,
    Invitation,
    Membership,
    Msp,
    User,
)

INVITED_FOR = timedelta(days=7)
PROFILE = ("name", "language", "time_zone", "theme")
# Whoever manages a team chooses who gets our mail; nobody's post is flooded in our name.
HOUR = timedelta(hours=1)
MOST_AN_HOUR, MOST_TO_ONE = 100, 5


class Whose(TypedDict):
    """Whose row an audit entry is."""

    tenant_id: int | None
    msp_id: int | None


class InvitationRefused(ValidationError):
    """The invitation was used, taken back, is too old or never existed; which of them is not told."""

    def __init__(self) -> None:
        super().__init__(_("This invitation is no longer valid. Ask whoever invited you for a new one."))


@transaction.atomic
def invite(email: str, *, role: str, msp: Msp | None, tenant: Customer | None, by: Actor) -> Invitation:
    """Invite somebody to a team by mail; an older invitation of theirs to the same team ends.

    Raises ValidationError with messages meant for the user.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValidationError({"email": error.messages})
    if role not in (CUSTOMER_ROLES if tenant else MSP_ROLES):
        raise ValidationError({"role": _("Choose a role of the list.")})
    if Membership.objects.filter(msp=msp, tenant=tenant, user__email=email).exists():
        raise ValidationError({"email": _("%(email)s is in this team already.") % {"email": email}})
    now = timezone.now()
    recent = Invitation.objects.filter(msp=msp, tenant=tenant, created_at__gt=now - HOUR)
    if recent.count() >= MOST_AN_HOUR or recent.filter(email=email).count() >= MOST_TO_ONE:
        raise ValidationError(_("These are too many invitations within an hour. Wait a while, then go on."))
    open_ones = Invitation.objects.filter(email=email, msp=msp, tenant=tenant, accepted_at=None, revoked_at=None)
    open_ones.update(revoked_at=now)
    secret = new_secret()
    invitation = Invitation(
        email=email,
        msp=msp,
        tenant=tenant,
        role=role,
        token_hash=hash_secret(secret),
        invited_by_id=by.user_id,
        expires_at=now + INVITED_FOR,
    )
    invitation.full_clean()
    invitation.save()
    audit.record(by, "team.invited", invitation, after={"email": email, "role": role}, **_place(msp, tenant))
    transaction.on_commit(partial(_send, invitation, secret), robust=True)
    return invitation


def invite_again(invitation: Invitation, *, by: Actor) -> Invitation:
    """Mail a fresh link to somebody whose invitation is still open; the old link ends."""
    return invite(invitation.email, role=invitation.role, msp=invitation.msp, tenant=invitation.tenant, by=by)


@transaction.atomic
def revoke_invitation(invitation: Invitation, *, by: Actor) -> None:
    """Take an open invitation back."""
    changed = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(
        revoked_at=timezone.now()
    )
    if changed:
        audit.record(
            by,
            "team.invitation_revoked",
            invitation,
            before={"email": invitation.email, "role": invitation.role},
            **_place(invitation.msp, invitation.tenant),
        )


def peek_invitation(secret: str, *, msp: Msp | None, tenant: Customer | None, lock: bool = False) -> Invitation:
    """Return the invitation that a link stands for, in the place where it was opened; else raise InvitationRefused."""
    rows = Invitation.objects.select_for_update(of=("self",)) if lock else Invitation.objects.all()
    found = rows.filter(
        token_hash=hash_secret(secret),
        msp=None if tenant else msp,
        tenant=tenant,
        accepted_at=None,
        revoked_at=None,
        expires_at__gt=timezone.now(),
    )
    invitation = found.select_related("msp", "tenant").first()
    if invitation is None:
        raise InvitationRefused
    return invitation


@transaction.atomic
def accept_invitation(
    secret: str, *, name: str, password: str, msp: Msp | None, tenant: Customer | None, ip: str = ""
) -> Membership:
    """Let the invited person join; one who has no log-in yet gets one with this name and password.

    Raises InvitationRefused, or ValidationError with messages meant for the user.
    """
    invitation = peek_invitation(secret, msp=msp, tenant=tenant, lock=True)
    user = User.objects.filter(email=invitation.email).first()
    if user is None:
        user = User(email=invitation.email, name=name.strip(), time_zone=tenant.time_zone if tenant else "UTC")
        if not user.name:
            raise ValidationError({"name": _("Tell us your name.")})
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise ValidationError({"password": error.messages})
        user.set_password(password)
        user.full_clean()
        user.save()
    membership = Membership(user=user, msp=invitation.msp, tenant=invitation.tenant, role=invitation.role)
    membership.full_clean()
    membership.save()
    Invitation.objects.filter(pk=invitation.pk).update(accepted_at=timezone.now())
    by = Actor(user_id=user.pk, email=user.email, ip=ip)
    audit.record(by, "team.joined", membership, after=_facts(membership), **_place(invitation.msp, tenant))
    return membership


@transaction.atomic
def change_role(membership: Membership, role: str, *, by: Actor) -> Membership:
    """Give a member of a team another role; a team keeps at least one who may manage it.

    Raises ValidationError, and StaleEdit where somebody else changed the member in between.
    """
    if role not in (CUSTOMER_ROLES if membership.tenant_id else MSP_ROLES):
        raise ValidationError({"role": _("Choose a role of the list.")})
    team = _locked_team(membership)
    if role not in ("owner", "admin"):
        _keep_a_manager(membership, team)
    before = _facts(membership)
    membership.role = role
    membership.row_version += 1
    membership.full_clean()
    membership.save(update_fields=["role", "row_version"])
    audit.record(
        by, "team.role_changed", membership, before=before, after=_facts(membership),
        **_place(membership.msp, membership.tenant),
    )  # fmt: skip
    return membership


@transaction.atomic
def remove_member(membership: Membership, *, by: Actor) -> None:
    """Take somebody out of a team: their tokens end, their sessions end with the next request.

    Raises ValidationError, and StaleEdit where somebody else changed the member in between.
    """
    _keep_a_manager(membership, _locked_team(membership))
    now = timezone.now()
    ApiToken.objects.filter(user=membership.user, msp=membership.msp, tenant=membership.tenant, revoked_at=None).update(
        revoked_at=now
    )
    if membership.msp_id:
        Acting.objects.filter(user=membership.user, msp=membership.msp, ended_at=None).update(ended_at=now)
    audit.record(by, "team.removed", membership, before=_facts(membership), **_place(membership.msp, membership.tenant))
    membership.delete()


@transaction.atomic
def save_profile(user: User, *, by: Actor) -> User:
    """Store a person's own name, language, zone and theme."""
    before = User.objects.values(*PROFILE).get(pk=user.pk)
    user.full_clean(exclude=["password"])
    user.save(update_fields=PROFILE)
    after = {name: getattr(user, name) for name in PROFILE}
    audit.record(by, "profile.changed", user, before=before, after=after)
    return user


def _locked_team(membership: Membership) -> list[Membership]:
    """Return the member's whole team: two who take the last managers away take turns.

    Raises StaleEdit where the member is not as it was read.
    """
    mine = Membership.objects.filter(msp=membership.msp_id, tenant=membership.tenant_id)
    team = list(mine.select_for_update(of=("self",)).order_by("pk"))
    if (membership.pk, membership.row_version) not in {(one.pk, one.row_version) for one in team}:
        raise StaleEdit(membership)
    return team


def _keep_a_manager(membership: Membership, team: list[Membership]) -> None:
    manager = "admin" if membership.tenant_id else "owner"
    if {one.pk for one in team if one.role == manager} == {membership.pk}:
        raise ValidationError(_("The team needs somebody who may manage it: name another first."))


def _facts(membership: Membership) -> dict[str, object]:
    return {"email": membership.user.email, "role": membership.role}


def _place(msp: Msp | None, tenant: Customer | None) -> Whose:
    if tenant is not None:
        return {"tenant_id": tenant.pk, "msp_id": tenant.msp_id}
    return {"tenant_id": None, "msp_id": msp.pk if msp else None}


def _send(invitation: Invitation, secret: str) -> None:
    place: Msp | Customer | None = invitation.tenant or invitation.msp
    msp = invitation.tenant.msp if invitation.tenant else invitation.msp
    assert msp is not None
    # On commit, the context of whoever invited is over.
    with contexts.msp(msp):
        context: dict[str, object] = {
            "invitation": invitation,
            "place": place,
            "url": addresses.url(addresses.primary_host(place), f"/invitations/{secret}/"),
        }
        brand = Brand.objects.filter(msp=msp).first()
        if mail.send("tenants/mail/invitation", invitation.email, context, brand=brand):
            Invitation.objects.filter(pk=invitation.pk).update(sent_at=timezone.now())
