"""MSP staff in a customer's portal: with a reason, for an hour at most, under their own name."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from tenants import addresses
from tenants.identity import hash_secret, may_act, new_secret
from tenants.models import Acting, Customer, Msp, User

TOKEN_LASTS = timedelta(seconds=30)
STAY_LASTS = timedelta(minutes=60)


class ActingRefused(PermissionDenied):
    """The single-use token was used, is too old, or belongs to another host."""


@transaction.atomic
def start_acting(customer: Customer, *, user: User, reason: str, by: Actor) -> tuple[Acting, str]:
    """Open a stay and return it with the single-use secret that begins its session; runs in the MSP's context.

    Raises ValidationError with messages meant for the user.
    """
    reason = " ".join(reason.split())
    if len(reason) < 5:
        raise ValidationError({"reason": _("Say why in a few words, such as the ticket; the customer can read it.")})
    if customer.state not in (Customer.State.ACTIVE, Customer.State.SUSPENDED, Customer.State.CLOSING):
        raise ValidationError(_("%(name)s has no portal any more.") % {"name": customer})
    now = timezone.now()
    secret = new_secret()
    acting = Acting(
        user=user,
        msp=customer.msp,
        tenant=customer,
        host=addresses.primary_host(customer),
        reason=reason[:200],
        token_hash=hash_secret(secret),
        token_expires_at=now + TOKEN_LASTS,
        expires_at=now + STAY_LASTS,
    )
    acting.full_clean()
    acting.save()
    audit.record(by, "acting.started", customer, reason=reason, tenant_id=customer.pk, msp_id=customer.msp_id)
    return acting, secret


@transaction.atomic
def enter(secret: str, *, host: str, customer: Customer, ip: str) -> Acting:
    """Use the single-use secret up and return the stay that it begins; runs in the customer's context."""
    now = timezone.now()
    acting = (
        Acting.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(token_hash=hash_secret(secret), tenant=customer, host=host, used_at=None, ended_at=None)
        .filter(token_expires_at__gt=now)
        .first()
    )
    if acting is None:
        raise ActingRefused
    # The role may have gone in the seconds between.
    if not may_act(acting.user, Msp.objects.get(pk=acting.msp_id)):
        raise ActingRefused
    Acting.objects.filter(pk=acting.pk).update(used_at=now)
    by = Actor(user_id=acting.user_id, email=acting.user.email, acting_for=str(customer), reason=acting.reason, ip=ip)
    audit.record(by, "acting.entered", customer, reason=acting.reason, tenant_id=customer.pk, msp_id=customer.msp_id)
    return acting


@transaction.atomic
def leave(acting: Acting, *, by: Actor) -> None:
    """End a stay: its session is worth nothing from the next request on."""
    if Acting.objects.filter(pk=acting.pk, ended_at=None).update(ended_at=timezone.now()):
        audit.record(by, "acting.left", acting, tenant_id=acting.tenant_id, msp_id=acting.msp_id)
