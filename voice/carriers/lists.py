"""The MSP's two lists above every customer's policy: emergency trunks and blocked prefixes."""

from collections.abc import Iterable, Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from tenants.models import Customer, Msp
from tenants.scopes import config_changed
from voice.carriers import selectors
from voice.carriers.models import BlockedPrefix, EmergencyCover, EmergencyTrunk, Trunk
from voice.edits import facts, locked

BLOCKED_FACTS = ("prefix", "note")


@transaction.atomic
def set_emergency_trunks(
    msp: Msp, country: str, trunks: Sequence[Trunk], *, by: Actor, seen: Sequence[int] | None = None
) -> None:
    """Make these trunks, in this order, what emergency calls of the MSP's customers in the country try.

    Raises StaleEdit where the list is not the one that was `seen`.
    """
    # Trunks before MSPs, as who saves a trunk locks them. Two that set a list take turns.
    list(Trunk.objects.select_for_update(no_key=True).filter(pk__in=[trunk.pk for trunk in trunks]).order_by("pk"))
    Msp.objects.select_for_update(no_key=True).get(pk=msp.pk)
    lines = list(selectors.emergency_trunks(msp.pk, country))
    if seen is not None and [line.trunk_id for line in lines] != list(seen):
        raise StaleEdit(_("Somebody changed this list meanwhile. Look at it as it is now."))
    if any(trunk.msp_id != msp.pk or trunk.tenant_id or trunk.closed_at for trunk in trunks):
        raise ValidationError(_("Only your own open trunks can carry emergency calls."))
    if len({trunk.pk for trunk in trunks}) < len(trunks):
        raise ValidationError(_("Each trunk can be on the list once."))
    before = [line.trunk.name for line in lines]
    EmergencyTrunk.objects.filter(msp=msp, country=country).delete()
    for position, trunk in enumerate(trunks):
        line = EmergencyTrunk(msp=msp, country=country, trunk=trunk, position=position)
        line.full_clean()
        line.save()
    # The list stands in their emergency rows, so each of them opens a version.
    for customer in selectors.customers_in(msp, country).order_by("pk"):
        config_changed(customer)
    after = [trunk.name for trunk in trunks]
    audit.record(by, "emergency_list.saved", msp, before={"trunks": before}, after={"trunks": after}, country=country)


def note_cover(
    customer: Customer,
    trunks: Mapping[str, Sequence[int]],
    *,
    has_callers: bool,
    kept: Iterable[EmergencyCover] | None = None,
) -> None:
    """Keep by country what carries the customer's emergency calls, as it was compiled. As the role ingest.

    `kept` is what is kept of it so far, where that was read already.
    """
    known = {
        cover.country: cover for cover in (EmergencyCover.objects.filter(tenant=customer) if kept is None else kept)
    }
    for country, ids in trunks.items():
        cover = known.pop(country, None) or EmergencyCover(tenant=customer, msp_id=customer.msp_id, country=country)
        said = {"trunks": list(ids), "has_callers": has_callers}
        if cover.pk is None or said != {name: getattr(cover, name) for name in said}:
            cover.trunks, cover.has_callers = list(ids), has_callers
            cover.save()
    for cover in known.values():
        cover.delete()


@transaction.atomic
def save_blocked_prefix(blocked: BlockedPrefix, *, by: Actor) -> BlockedPrefix:
    """Refuse calls of all the MSP's customers to numbers that start with the prefix."""
    before = facts(locked(blocked), BLOCKED_FACTS)
    blocked.prefix = "".join(letter for letter in blocked.prefix if letter not in " +-()./*")
    blocked.full_clean()
    blocked.row_version += 1
    blocked.save()
    config_changed(blocked.msp)
    audit.record(by, "blocked_prefix.saved", blocked, before=before, after=facts(blocked, BLOCKED_FACTS))
    return blocked


@transaction.atomic
def delete_blocked_prefix(blocked: BlockedPrefix, *, by: Actor) -> None:
    """Let customers' own policies decide about the prefix again."""
    before = facts(locked(blocked), BLOCKED_FACTS)
    config_changed(blocked.msp)
    audit.record(by, "blocked_prefix.deleted", blocked, before=before)
    blocked.delete()
