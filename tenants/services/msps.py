"""What the operator does: MSPs, regions, base domains. Each write to an MSP's rows is made as that MSP."""

from ipaddress import ip_address, ip_network
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from portal.db import contexts
from tenants import addresses, hosts
from tenants.models import BaseDomain, Brand, Domain, Invitation, Msp, Region
from tenants.scopes import config_changed
from tenants.services.people import invite

REGION_FACTS = ("name", "allowed_networks", "denied_networks", "microsoft_names", "microsoft_networks")


@transaction.atomic
def create_msp(msp: Msp, *, by: Actor, owner_email: str = "") -> Msp:
    """Create an MSP with its console's host and a plain brand; invite its first owner.

    Raises ValidationError with messages meant for the user.
    """
    if msp.slug in addresses.RESERVED:
        raise ValidationError({"slug": _("“%(slug)s” is reserved; choose another short name.") % {"slug": msp.slug}})
    msp.full_clean()
    host = addresses.msp_host(msp)
    if hosts.is_taken(host):
        raise ValidationError({"slug": _("The address %(host)s is in use.") % {"host": host}})
    msp.save()
    audit.record(by, "msp.created", msp, after={"name": msp.name, "slug": msp.slug})
    with contexts.msp(msp):
        Domain(domain=host, kind=Domain.Kind.MSP, msp=msp).save()
        Brand(msp=msp, name=msp.name, support_email=msp.support_email, support_phone=msp.support_phone).save()
        if owner_email:
            invite(owner_email, role="owner", msp=msp, tenant=None, by=by)
    transaction.on_commit(hosts.forget)
    return msp


def invite_owner(msp: Msp, email: str, *, by: Actor) -> Invitation:
    """Invite an owner to an MSP's team on behalf of the operator."""
    with contexts.msp(msp):
        return invite(email, role="owner", msp=msp, tenant=None, by=by)


@transaction.atomic
def suspend_msp(msp: Msp, *, reason: str, by: Actor) -> Msp:
    """Close an MSP's console; its customers' portals and calls go on."""
    if not reason.strip():
        raise ValidationError({"reason": _("Say why; it is kept in the audit log.")})
    return _set_state(msp, Msp.State.SUSPENDED, by, reason)


@transaction.atomic
def resume_msp(msp: Msp, *, by: Actor) -> Msp:
    """Open a suspended MSP's console again."""
    return _set_state(msp, Msp.State.ACTIVE, by)


def _set_state(msp: Msp, state: str, by: Actor, reason: str = "") -> Msp:
    stored = Msp.objects.select_for_update(no_key=True).get(pk=msp.pk)
    Msp.objects.filter(pk=msp.pk).update(state=state)
    msp.state = state
    _record(by, f"msp.{state}", msp, msp, before={"state": stored.state}, after={"state": state}, reason=reason)
    transaction.on_commit(hosts.forget)
    return msp


@transaction.atomic
def save_region(region: Region, *, by: Actor) -> Region:
    """Store a region's networks and Microsoft's names and send them to its nodes.

    Raises ValidationError, and StaleEdit where somebody else saved in between.
    """
    stored = Region.objects.select_for_update(no_key=True).filter(pk=region.pk).first()
    if stored and stored.config_version != region.config_version:
        raise StaleEdit(stored)
    region.full_clean()
    for name in ("allowed_networks", "denied_networks", "microsoft_networks"):
        setattr(region, name, _networks(name, getattr(region, name)))
    region.microsoft_names = [_microsoft_name(one) for one in region.microsoft_names]
    region.save()
    config_changed(region)
    audit.record(by, "region.saved", region, before=_facts(stored), after=_facts(region))
    return region


@transaction.atomic
def add_base_domain(base: BaseDomain, *, by: Actor) -> BaseDomain:
    """Give an MSP a base domain in a region; customers that it gets from now on have a name below it.

    Raises ValidationError with messages meant for the user.
    """
    base.fqdn = hosts.to_ascii(base.fqdn) or base.fqdn
    with contexts.public():
        if BaseDomain.objects.filter(fqdn=base.fqdn).exists():
            raise ValidationError({"fqdn": _("This base domain is in use already.")})
    # Both would want the same certificate and the same record in DNS, and one of them would go nowhere.
    if portal := hosts.portal_below(base.fqdn):
        words = _("%(host)s is the address of a portal; names of SBCs and of portals must not lie in each other.")
        raise ValidationError({"fqdn": words % {"host": portal}})
    with contexts.msp(base.msp):
        base.full_clean()
        base.save()
        # Regions come before MSPs in the order of locks.
        config_changed(base.region)
        config_changed(base.msp)
    _record(by, "base_domain.added", base, base.msp, after={"fqdn": base.fqdn, "region": base.region.slug})
    return base


def _record(by: Actor, verb: str, obj: Model, msp: Msp, **facts: Any) -> None:
    """Write down what the operator did to an MSP, for both to read."""
    audit.record(by, verb, obj, **facts)
    audit.record(by, verb, obj, msp_id=msp.pk, **facts)


def _networks(name: str, values: list[str]) -> list[str]:
    found = []
    for value in values:
        try:
            found.append(str(ip_network(value.strip())))
        except ValueError:
            raise ValidationError({name: _("“%(value)s” is not a network like 192.0.2.0/24.") % {"value": value}})
    return found


def _microsoft_name(one: Any) -> dict[str, Any]:
    """Return one signalling name in its stored form; raises ValidationError where it is none."""
    try:
        host, address = hosts.normalise(str(one["fqdn"])), one.get("address") or None
        port = int(one.get("port") or 5061)
        if host is None or "." not in host or not 0 < port < 65536 or (address and not ip_address(address)):
            raise ValueError(one)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValidationError(
            {"microsoft_names": _("“%(name)s” is not a host name with a port and an address.") % {"name": one}}
        )
    return {"fqdn": host, "port": port, "address": address}


def _facts(region: Region | None) -> dict[str, object]:
    return {name: getattr(region, name) for name in REGION_FACTS} if region else {}
