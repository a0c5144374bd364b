"""Every write to what the customer does with its numbers. How it gets and loses them is allocation."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from portal.core.fields import format_number
from tenants.countries import country_name
from tenants.models import Customer
from tenants.scopes import config_changed
from tenants.services import demanded_on_moving
from voice.carriers.selectors import trunks_for
from voice.carriers.services import tells_uses
from voice.directory.countries import location_required
from voice.directory.models import Place
from voice.edits import facts, locked
from voice.inventory.ranges import folded
from voice.inventory.selectors import taken
from voice.numbers import seats, selectors
from voice.numbers.models import ApprovedCallerId, Number

NUMBER_FACTS = ("label", "state", "inbound", "inbound_trunk", "place", "person")
CALLER_ID_FACTS = ("e164", "note", "evidence")
State = Number.State


@transaction.atomic
def save_number(number: Number, *, customer: Customer, by: Actor) -> Number:
    """Store what the customer does with a number and send it on its way to the SBCs.

    Raises ValidationError with messages meant for the user.
    """
    version = config_changed(customer)
    stored = locked(number)
    if stored is None:
        raise ValidationError(_("Numbers come from your provider."))
    # What the number is, and whose, is not the customer's to change.
    number.e164, number.stock_id, number.country = stored.e164, stored.stock_id, stored.country
    if number.inbound != Number.Inbound.TRUNK:
        number.inbound_trunk = None
    number.full_clean()
    if number.inbound_trunk is not None and not trunks_for(customer).filter(pk=number.inbound_trunk).exists():
        raise ValidationError({"inbound_trunk": _("Choose one of your trunks.")})
    if number.state == State.ACTIVE:
        _demand_location([number], customer)
    elif stored.state == State.ACTIVE:
        _keep_default([number], customer)
    number.config_version = version
    number.row_version += 1
    number.save()
    seats.follow([number])
    audit.record(by, "number.saved", number, before=facts(stored, NUMBER_FACTS), after=facts(number, NUMBER_FACTS))
    return number


def activate(number: Number, *, customer: Customer, by: Actor) -> Number:
    """Let calls through to and from the number; the country may demand an emergency location first."""
    number.state = State.ACTIVE
    return save_number(number, customer=customer, by=by)


def suspend(number: Number, *, customer: Customer, by: Actor) -> Number:
    """Stop the number's calls for now; emergency calls go on."""
    number.state = State.SUSPENDED
    return save_number(number, customer=customer, by=by)


def deactivate(number: Number, *, customer: Customer, by: Actor) -> Number:
    """Take the number out of use; its settings stay."""
    number.state = State.INACTIVE
    return save_number(number, customer=customer, by=by)


@transaction.atomic
def set_state(ids: Sequence[int], state: str, *, customer: Customer, by: Actor) -> int:
    """Activate, suspend or deactivate many numbers: all of them, or none."""
    if state not in State.values:
        raise ValidationError(_("Choose what to do with the numbers."))
    version = config_changed(customer)
    chosen = _chosen(ids)
    if state == State.ACTIVE:
        _demand_location(chosen, customer)
    else:
        _keep_default(chosen, customer)
    changed = [number for number in chosen if number.state != state]
    for number in changed:
        number.state, number.config_version, number.row_version = state, version, number.row_version + 1
    Number.objects.bulk_update(changed, ["state", "config_version", "row_version"], batch_size=1000)
    if changed:
        seats.follow(changed)
        audit.record(by, "numbers.state_set", customer, state=state, numbers=folded(number.e164 for number in changed))
    return len(changed)


@transaction.atomic
def set_place(ids: Sequence[int], place: Place | None, *, customer: Customer, by: Actor) -> int:
    """Give many numbers the same emergency location: all of them, or none."""
    version = config_changed(customer)
    chosen = _chosen(ids)
    for number in chosen:
        number.place, number.config_version, number.row_version = place, version, number.row_version + 1
    _demand_location([number for number in chosen if number.state == State.ACTIVE], customer)
    Number.objects.bulk_update(chosen, ["place", "config_version", "row_version"], batch_size=1000)
    numbers = folded(number.e164 for number in chosen)
    audit.record(by, "numbers.place_set", customer, place=str(place) if place else "", numbers=numbers)
    return len(chosen)


@transaction.atomic
def save_caller_id(caller_id: ApprovedCallerId, *, customer: Customer, by: Actor) -> ApprovedCallerId:
    """Approve a foreign number as caller ID; the proof is kept with it."""
    version = config_changed(customer)
    stored = locked(caller_id)
    caller_id.full_clean()
    if not caller_id.evidence.strip():
        raise ValidationError({"evidence": _("Say how it is known that you may show this number.")})
    if Number.objects.filter(e164=caller_id.e164).exists():
        raise ValidationError({"e164": _("This is your own number already: it needs no approval.")})
    if taken([caller_id.e164]):
        # A number of another customer is never shown, whatever is approved; whose it is stays unsaid.
        raise ValidationError({"e164": _("This number cannot be approved. If it is yours, ask your provider.")})
    caller_id.approved_by = by.email
    caller_id.config_version = version
    caller_id.row_version += 1
    caller_id.save()
    after = facts(caller_id, CALLER_ID_FACTS)
    audit.record(by, "caller_id.approved", caller_id, before=facts(stored, CALLER_ID_FACTS), after=after)
    return caller_id


@transaction.atomic
def delete_caller_id(caller_id: ApprovedCallerId, *, customer: Customer, by: Actor, reason: str = "") -> None:
    """Withdraw a foreign caller ID.

    Raises StaleEdit when somebody else changed it since it was read.
    """
    config_changed(customer)
    locked(caller_id)
    audit.record(by, "caller_id.withdrawn", caller_id, before=facts(caller_id, CALLER_ID_FACTS), reason=reason)
    caller_id.delete()


@transaction.atomic
def save_caller_id_policy(
    customer: Customer, *, policy: str, number: str, by: Actor, seen: Sequence[str] | None = None
) -> Customer:
    """Store what is shown when a call's caller ID is not the customer's: its default number, or nothing at all.

    Raises StaleEdit where policy and number are not those that were `seen`.
    """
    config_changed(customer)
    names = ("caller_id_policy", "default_caller_id")
    before = Customer.objects.values(*names).get(pk=customer.pk)
    if seen is not None and [before[name] for name in names] != list(seen):
        raise StaleEdit(_("Somebody changed this meanwhile. Look at it as it is now."))
    if number and not Number.objects.active().filter(e164=number).exists():
        raise ValidationError({"number": _("Choose one of your active numbers.")})
    if policy == Customer.CallerIdPolicy.REPLACE and not number:
        raise ValidationError({"number": _("Choose the number that is shown instead.")})
    customer.caller_id_policy, customer.default_caller_id = policy, number
    customer.full_clean(exclude=["schema_name"])
    customer.save(update_fields=list(names))
    audit.record(by, "caller_id.policy_saved", customer, before=before, after=facts(customer, names))
    return customer


@tells_uses
def uses_of_trunk(trunk_id: int) -> list[str]:
    """Return in words where the current customer's numbers use the trunk."""
    found = list(Number.objects.filter(inbound_trunk=trunk_id).in_number_order().values_list("e164", flat=True))
    if len(found) > 5:
        return [_("calls to %(count)d numbers") % {"count": len(found)}]
    return [_("calls to %(number)s") % {"number": format_number(e164)} for e164 in found]


@demanded_on_moving
def keep_locations(customer: Customer) -> None:
    """Raise ValidationError where a new country demands a location of numbers in use that have none."""
    if not location_required(customer.country):
        return
    missing = Number.objects.active().exclude(selectors.VALIDATED).in_number_order()
    if found := list(missing.values_list("e164", flat=True)):
        words = _(
            "%(country)s demands an emergency location with a validated address for every number in use. These have "
            "none: %(numbers)s. Give them one on the customer’s page Emergency, or take them out of use, and then "
            "change the country."
        )
        raise ValidationError({"country": words % {"country": country_name(customer.country), "numbers": _few(found)}})


def _chosen(ids: Sequence[int]) -> list[Number]:
    rows = Number.objects.select_for_update(of=("self",)).select_related("place__address").filter(pk__in=set(ids))
    chosen = list(rows.order_by("pk"))
    if not ids:
        raise ValidationError(_("Choose at least one number."))
    if len(chosen) != len(set(ids)):
        raise ValidationError(_("Some of these numbers are not yours any more. Look at the list again."))
    return chosen


def _keep_default(numbers: Sequence[Number], customer: Customer) -> None:
    """Raise ValidationError where one of the numbers is what calls show instead of a caller ID that they may not."""
    default = Customer.objects.values_list("default_caller_id", flat=True).get(pk=customer.pk)
    if default in {number.e164 for number in numbers}:
        words = _("%(number)s is your default caller ID. Choose another one on the page Caller ID first.")
        raise ValidationError(words % {"number": format_number(default)})


def _demand_location(numbers: Sequence[Number], customer: Customer) -> None:
    """Raise ValidationError naming each number whose country wants to know where help should go, and cannot."""
    # As it is stored: the customer may have moved to another country since the editor read it.
    home = Customer.objects.values_list("country", flat=True).get(pk=customer.pk)
    demands = {country for country in {home, *(number.country for number in numbers)} if location_required(country)}
    missing = [number for number in numbers if demands & {home, number.country} and not _located(number)]
    if not missing:
        return
    shown = _few([number.e164 for number in missing])
    country = missing[0].country if missing[0].country in demands else home
    words = _(
        "%(numbers)s: numbers in %(country)s must have an emergency location with a validated address before they are "
        "used. Without one, nobody would know where to send help. Choose a location first."
    )
    message = words % {"numbers": shown, "country": country_name(country)}
    raise ValidationError({"place": message} if len(numbers) == 1 else message)


def _few(e164s: Sequence[str]) -> str:
    return ", ".join(map(format_number, e164s[:5])) + (" …" if len(e164s) > 5 else "")


def _located(number: Number) -> bool:
    return number.place is not None and number.place.address.is_validated
