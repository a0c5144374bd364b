"""Every write to carriers and trunks."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit, nudges
from portal.core.audit import Actor
from portal.db import contexts
from tenants.models import Customer, Region
from tenants.scopes import config_changed
from tenants.services.customers import demand_open
from voice.carriers import selectors
from voice.carriers.models import Carrier, Trunk, TrunkGrant
from voice.carriers.networks import Address, address_refusal, addresses_of, as_address, name_refusal, normal_host
from voice.edits import facts, locked

Uses = Callable[[int], list[str]]
_uses: list[Uses] = []
OwnAddresses = Callable[[int], Iterable[str]]
_own: list[OwnAddresses] = []
UNSPEAKABLE = re.compile(r'["\\\x00-\x1f\x7f-\x9f]')
CARRIER_FACTS = ("name", "contact")
TRUNK_FACTS = (
    "name", "carrier_id", "host", "port", "transport", "auth", "username", "password", "realm", "source_addresses",
    "channels", "cps", "forwarded_caller", "enabled", "approved",
)  # fmt: skip


def tells_uses(ask: Uses) -> Uses:
    """Register who says, in words, where the current customer uses a trunk: this layer cannot ask the ones above."""
    _uses.append(ask)
    return ask


def tells_own_addresses(ask: OwnAddresses) -> OwnAddresses:
    """Register who says, of a region, which addresses its SBCs listen at: this layer does not know them."""
    _own.append(ask)
    return ask


@transaction.atomic
def save_carrier(carrier: Carrier, *, by: Actor) -> Carrier:
    """Store a new or changed carrier."""
    before = facts(locked(carrier), CARRIER_FACTS)
    carrier.full_clean()
    carrier.row_version += 1
    carrier.save()
    audit.record(by, "carrier.saved", carrier, before=before, after=facts(carrier, CARRIER_FACTS))
    return carrier


@transaction.atomic
def delete_carrier(carrier: Carrier, *, by: Actor) -> None:
    """Remove a carrier that no trunk and no number refers to."""
    audit.record(by, "carrier.deleted", carrier, before=facts(locked(carrier), CARRIER_FACTS))
    try:
        carrier.delete()
    except ProtectedError:
        raise ValidationError(
            _("%(carrier)s still has trunks or numbers. Move them to another carrier first.") % {"carrier": carrier}
        )


@transaction.atomic
def save_trunk(trunk: Trunk, *, by: Actor) -> Trunk:
    """Store a new or changed trunk and send it on its way to the SBCs.

    Raises ValidationError with messages meant for the user.
    """
    # Locks are taken in this order everywhere: trunk, MSP, customers.
    stored = locked(trunk)
    _normalise(trunk)
    # Our own checks speak at the field that is wrong; a constraint speaks for the whole trunk.
    trunk.full_clean(validate_constraints=False)
    _check_owner(trunk)
    _check_addresses(trunk)
    trunk.validate_constraints()
    if trunk.tenant_id:
        # Approval is for these addresses: a change of them asks again.
        kept = stored is not None and stored.approved and _addresses(stored) >= _addresses(trunk)
        trunk.approved = kept or not selectors.used_elsewhere(trunk.tenant_id, _addresses(trunk))
    if trunk.password != (stored.password if stored else ""):
        trunk.password_version += 1
    trunk.row_version += 1
    trunk.config_version = config_changed(trunk.tenant or trunk.msp)
    trunk.save()
    if stored and _told_to_customers(stored) != _told_to_customers(trunk):
        for customer in selectors.customers_with(Trunk.objects.filter(pk=trunk.pk)).order_by("pk"):
            config_changed(customer)
    audit.record(by, "trunk.saved", trunk, before=facts(stored, TRUNK_FACTS), after=facts(trunk, TRUNK_FACTS))
    if not trunk.approved:
        transaction.on_commit(partial(nudges.topic, None, trunk.msp_id, "trunks"), robust=True)
    return trunk


def _told_to_customers(trunk: Trunk) -> tuple[set[str], bool]:
    """Return what of a shared trunk stands in its customers' own rows: its sources, unless its host is IPv6."""
    return set(trunk.source_addresses), ":" in trunk.host


def _normalise(trunk: Trunk) -> None:
    trunk.name = " ".join(trunk.name.split())
    trunk.host = normal_host(trunk.host)
    addresses = [normal_host(str(text)) for text in trunk.source_addresses if str(text).strip()]
    if not addresses and as_address(trunk.host):
        addresses = [trunk.host]
    trunk.source_addresses = list(dict.fromkeys(addresses))
    if trunk.auth == Trunk.Auth.IP:
        trunk.username = trunk.password = trunk.realm = ""


def _check_owner(trunk: Trunk) -> None:
    if trunk.carrier and (trunk.tenant_id or trunk.carrier.msp_id != trunk.msp_id):
        raise ValidationError({"carrier": _("Choose one of your own carriers.")})
    if trunk.tenant and trunk.tenant.msp_id != trunk.msp_id:
        raise ValidationError(_("This customer belongs to nobody here."))
    for name in ("username", "password", "realm"):
        if UNSPEAKABLE.search(getattr(trunk, name)):
            words = _("Quotes, backslashes, line breaks and other control characters cannot be used here.")
            raise ValidationError({name: words})
    if trunk.auth == Trunk.Auth.DIGEST and not trunk.username:
        raise ValidationError({"username": _("Enter the user name that the carrier gave you.")})
    if trunk.auth == Trunk.Auth.DIGEST and not trunk.password:
        raise ValidationError({"password": _("Enter the password that the carrier gave you.")})


def _check_addresses(trunk: Trunk) -> None:
    """Refuse a trunk at the SBC itself or outside the region's networks; the SBC checks again at each call."""
    host = as_address(trunk.host)
    errors: dict[str, list[str]] = {"host": [], "source_addresses": []}
    targets = [host] if host else []
    if host is None:
        refusal = name_refusal(trunk.host)
        found = [] if refusal else addresses_of(trunk.host)
        # A node asks for these and no others.
        targets = [address for address in found if address.version == 4]
        if found and not targets:
            refusal = _("%(host)s has no IPv4 address. SBCs reach trunks by IPv4 only.") % {"host": trunk.host}
        errors["host"] = [refusal] if refusal else []
    sources = [(text, as_address(text)) for text in trunk.source_addresses]
    errors["source_addresses"] += [
        _("%(text)s is not an IP address.") % {"text": text} for text, address in sources if not address
    ]
    if trunk.auth == Trunk.Auth.IP and not sources:
        errors["source_addresses"].append(_("Enter the addresses that the carrier's calls come from."))
    regions = selectors.regions_of(trunk)
    for address in targets:
        errors["host"] += _refusals(address, regions)
    if host is None and trunk.tenant_id:
        errors["host"] += _led_elsewhere(trunk, targets)
    for _text, source in sources:
        if source and source not in targets:
            errors["source_addresses"] += _refusals(source, regions)
    if any(errors.values()):
        raise ValidationError({field: list(dict.fromkeys(words)) for field, words in errors.items() if words})


def _led_elsewhere(trunk: Trunk, found: Iterable[Address]) -> list[str]:
    """Return why a name cannot be that of a customer's trunk: it would lead past the approval of its address."""
    unnamed = [str(address) for address in found if str(address) not in trunk.source_addresses]
    if not unnamed or not selectors.used_elsewhere(trunk.tenant_id, unnamed):
        return []
    words = _(
        "%(host)s leads to %(addresses)s, which somebody else's trunk has, too. Enter the address among those that "
        "calls come from: your provider is then asked to approve it."
    )
    return [words % {"host": trunk.host, "addresses": ", ".join(unnamed)}]


def _refusals(address: Address, regions: list[Region]) -> list[str]:
    """Return why SBCs must not take the address for a trunk's: in each of the regions that carry it, or else in any."""
    if regions:
        return [refusal for region in regions if (refusal := _refusal(address, region))]
    # No SBC carries the trunk yet: it has to be fit for some that may.
    refusals = [_refusal(address, region) for region in selectors.all_regions()]
    return [] if "" in refusals else refusals[:1]


def _refusal(address: Address, region: Region) -> str:
    own = {each for ask in _own for each in ask(region.pk)} if region.pk else ()
    return address_refusal(address, region, own)


def _addresses(trunk: Trunk) -> set[str]:
    return {trunk.host, *trunk.source_addresses}


@transaction.atomic
def delete_trunk(trunk: Trunk, *, by: Actor) -> None:
    """Close a trunk that nothing uses any more; the row stays, because call records name it."""
    stored = locked(trunk)
    if stored is None or stored.closed_at:
        return
    where = [use for ask in _uses for use in ask(trunk.pk)] if trunk.tenant_id else _uses_of_shared(trunk)
    if where:
        raise ValidationError(
            _("%(trunk)s is still in use: %(where)s. Take it out there first.")
            % {"trunk": trunk.name, "where": ", ".join(where)}
        )
    _close(trunk, by)


def _close(trunk: Trunk, by: Actor) -> None:
    before = facts(trunk, TRUNK_FACTS)
    trunk.enabled = False
    trunk.closed_at = timezone.now()
    trunk.row_version += 1
    trunk.password = ""
    trunk.config_version = config_changed(trunk.tenant or trunk.msp)
    trunk.save()
    audit.record(by, "trunk.closed", trunk, tenant_id=trunk.tenant_id, before=before)


def _uses_of_shared(trunk: Trunk) -> list[str]:
    customers = [grant.tenant.name for grant in trunk.grants.open().select_related("tenant").order_by("tenant__name")]
    countries = trunk.emergency_lines.order_by("country").values_list("country", flat=True)
    return customers + [_("the emergency list of %(country)s") % {"country": country} for country in countries]


@transaction.atomic
def grant_trunk(trunk: Trunk, customer: Customer, *, by: Actor) -> TrunkGrant:
    """Let a customer use one of the MSP's shared trunks."""
    if trunk.tenant_id or trunk.closed_at:
        raise ValidationError(_("Only an open shared trunk can be given to customers."))
    if customer.msp_id != trunk.msp_id:
        raise ValidationError(_("Choose one of your own customers."))
    # The trunk first: who changes it meanwhile sees whose it is.
    Trunk.objects.select_for_update(no_key=True).get(pk=trunk.pk)
    demand_open(customer)  # two that give it at once take turns from here on
    last = TrunkGrant.objects.filter(trunk=trunk, tenant=customer).last_of_each("trunk").first()
    if last is not None and last.until is None:
        return last
    now = timezone.now()
    since = last.next(now) if last else now
    grant = TrunkGrant.objects.create(msp=trunk.msp, trunk=trunk, tenant=customer, since=since)
    config_changed(customer)
    audit.record(by, "trunk.granted", trunk, tenant_id=customer.pk, customer=customer.name)
    return grant


@transaction.atomic
def revoke_trunk(trunk: Trunk, customer: Customer, *, by: Actor) -> None:
    """Take a shared trunk from one customer; its routes go on with their next trunk, nobody else notices."""
    if TrunkGrant.objects.filter(trunk=trunk, tenant=customer).end(timezone.now()):
        config_changed(customer)
        audit.record(by, "trunk.revoked", trunk, tenant_id=customer.pk, customer=customer.name)


@transaction.atomic
def take_trunks(customer: Customer, *, by: Actor) -> None:
    """Take every shared trunk from a customer that was closed, and close the trunks that it brought."""
    for trunk in Trunk.objects.filter(grants__tenant=customer, grants__until=None).order_by("pk"):
        revoke_trunk(trunk, customer, by=by)
    for trunk in Trunk.objects.open().filter(tenant=customer).order_by("pk"):
        _close(trunk, by)


def uses_at(trunk: Trunk, customer: Customer) -> list[str]:
    """Return in words where a customer uses the trunk."""
    with contexts.customer(customer):
        return [use for ask in _uses for use in ask(trunk.pk)]


@transaction.atomic
def approve_trunk(trunk: Trunk, *, by: Actor) -> Trunk:
    """Let a customer's own trunk use an address that somebody else uses too."""
    stored = locked(trunk)
    if stored is None or stored.approved or not trunk.tenant:
        return trunk
    trunk.approved = True
    trunk.row_version += 1
    trunk.config_version = config_changed(trunk.tenant)
    trunk.save(update_fields=["approved", "row_version", "config_version"])
    audit.record(by, "trunk.approved", trunk, tenant_id=trunk.tenant_id, host=trunk.host)
    transaction.on_commit(partial(nudges.topic, trunk.tenant_id, trunk.msp_id, "trunks"), robust=True)
    return trunk


def record_health(trunk_id: int, *, up: bool, code: int | None, since: datetime, checked: datetime) -> None:
    """Store a node's last OPTIONS answer from a trunk, and tell open pages when it went up or down."""
    wanted = Trunk.Health.UP if up else Trunk.Health.DOWN
    trunk = Trunk.objects.filter(pk=trunk_id).values("health", "health_since", "tenant_id", "msp_id").first()
    if trunk is None:
        return
    changed = trunk["health"] != wanted
    Trunk.objects.filter(pk=trunk_id).update(
        health=wanted,
        health_code=code,
        health_checked=checked,
        health_since=since if changed else trunk["health_since"],
    )
    if changed:
        nudges.topic(trunk["tenant_id"], trunk["msp_id"], "trunks")
