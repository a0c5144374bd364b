"""Every write to the customer's own emergency list."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from tenants.models import Customer
from tenants.scopes import config_changed
from voice.carriers.selectors import trunks_for
from voice.carriers.services import tells_uses
from voice.emergency import selectors
from voice.emergency.models import EmergencyTrunkChoice

MOST_TRUNKS = 8


@transaction.atomic
def set_emergency_trunks(
    trunk_ids: Sequence[int], *, customer: Customer, by: Actor, seen: Sequence[int] | None = None
) -> None:
    """Make these trunks, in this order, what emergency calls try before the provider's list.

    Raises StaleEdit where the list is not the one that was `seen`.
    """
    config_changed(customer)
    before = list(selectors.choices().values_list("trunk_id", flat=True))
    if seen is not None and before != list(seen):
        raise StaleEdit(_("Somebody changed this list meanwhile. Look at it as it is now."))
    usable = dict(trunks_for(customer).values_list("pk", "name"))
    if len(set(trunk_ids)) < len(trunk_ids):
        raise ValidationError(_("Each trunk can be on the list once."))
    if len(trunk_ids) > MOST_TRUNKS:
        raise ValidationError(_("At most %(most)d trunks can be on the list.") % {"most": MOST_TRUNKS})
    if set(trunk_ids) - set(usable):
        raise ValidationError(_("One of the trunks is not there any more. Choose another."))
    EmergencyTrunkChoice.objects.all().delete()
    EmergencyTrunkChoice.objects.bulk_create(
        EmergencyTrunkChoice(trunk_id=trunk_id, position=position) for position, trunk_id in enumerate(trunk_ids)
    )
    audit.record(
        by,
        "emergency_trunks.saved",
        customer,
        before={"trunks": [usable.get(pk, "?") for pk in before]},
        after={"trunks": [usable[pk] for pk in trunk_ids]},
    )


@tells_uses
def uses_of_trunk(trunk_id: int) -> list[str]:
    """Return in words whether the current customer's emergency list uses the trunk."""
    return [_("the emergency list")] if selectors.choices().filter(trunk_id=trunk_id).exists() else []
