"""Writes of what the MSP wants to earn."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from tenants.models import Customer, Msp
from voice.margin.models import Target


@transaction.atomic
def set_target(msp: Msp, customer: Customer | None, per_mille: int | None, *, by: Actor) -> Target | None:
    """Set the margin wanted of a customer, or of all without one of their own; None takes it away.

    Raises ValidationError.
    """
    if customer is not None and customer.msp_id != msp.pk:
        raise ValidationError(_("You have no such customer."))
    known = Target.objects.select_for_update().filter(msp=msp, tenant=customer).first()
    before = known.per_mille if known else None
    if before == per_mille:
        return known
    subject = customer or msp
    if per_mille is None:
        assert known is not None
        known.delete()
        audit.record(
            by,
            "margin.target_removed",
            subject,
            msp_id=msp.pk,
            before={"target": known.per_mille},
            after={"target": None},
        )
        return None
    target = known or Target(msp=msp, tenant=customer)
    target.per_mille = per_mille
    target.row_version += 1
    target.full_clean()
    target.save()
    audit.record(
        by, "margin.target_set", subject, msp_id=msp.pk, before={"target": before}, after={"target": per_mille}
    )
    return target
