"""Own host names for consoles and portals: asked for, proven in DNS, used in links, given up."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.db import contexts
from tenants import hosts
from tenants.models import Domain, Msp, OwnHost
from tenants.resolver import DnsUnreachable, resolver

# Names that public DNS never answers for, or that mean this machine.
NOT_PUBLIC = frozenset({"localhost", "local", "internal", "invalid", "arpa", "onion", "home", "lan"})
MOST_WAITING = 50
MOST_A_ROUND = 20
GIVEN_UP_AFTER = timedelta(days=14)


@transaction.atomic
def add_host(own: OwnHost, *, by: Actor) -> OwnHost:
    """Note a host name that an MSP wants; it leads nowhere before `check_host` has seen its TXT record.

    Raises ValidationError with messages meant for the user.
    """
    if own.tenant is not None and own.tenant.msp_id != own.msp_id:
        raise ValidationError({"tenant": _("Choose one of your own customers.")})
    own.host = _usable(own.host)
    if hosts.is_taken(own.host):
        raise ValidationError({"host": _("This host name is in use already.")})
    if OwnHost.objects.filter(msp=own.msp, verified_at=None).count() >= MOST_WAITING:
        raise ValidationError(_("Too many host names wait for DNS. Remove some of them first."))
    own.token = secrets.token_hex(16)
    own.full_clean()
    own.save()
    _record(by, "host.added", own, after={"host": own.host})
    return own


def check_host(own: OwnHost, *, by: Actor) -> OwnHost:
    """Look for the proof in DNS, and open the host where it is found.

    Raises ValidationError that says what is missing.
    """
    if own.verified_at:
        return own
    OwnHost.objects.filter(pk=own.pk).update(checked_at=timezone.now())
    try:
        found = resolver().texts(own.record_name)
    except DnsUnreachable:
        raise ValidationError(_("DNS did not answer. We ask again by ourselves."))
    if own.record_value not in [text.strip() for text in found]:
        raise ValidationError(_("The TXT record is not there yet. New records can take an hour; we keep looking."))
    try:
        return _open(own, by)
    except IntegrityError:
        raise ValidationError({"host": _("This host name is in use already.")})


@transaction.atomic
def _open(own: OwnHost, by: Actor) -> OwnHost:
    stored = OwnHost.objects.select_for_update(of=("self",), no_key=True).get(pk=own.pk)
    if stored.verified_at is None:
        # Rules may have changed since it was asked for: a base domain of somebody lies there now.
        _usable(stored.host)
        kind = Domain.Kind.CUSTOMER if stored.tenant_id else Domain.Kind.MSP
        Domain(domain=stored.host, kind=kind, msp=stored.msp, tenant=stored.tenant, is_primary=False).save()
        stored.verified_at = timezone.now()
        stored.save(update_fields=["verified_at"])
        _record(by, "host.verified", stored, after={"host": stored.host})
        transaction.on_commit(hosts.forget)
    own.verified_at = stored.verified_at
    return own


@transaction.atomic
def use_in_links(own: OwnHost, *, by: Actor) -> None:
    """Let mails and links to the place use this host from now on."""
    if not own.verified_at:
        raise ValidationError(_("This host name still waits for DNS."))
    kind = Domain.Kind.CUSTOMER if own.tenant_id else Domain.Kind.MSP
    here = Domain.objects.filter(msp=own.msp, tenant=own.tenant, kind=kind)
    here.filter(is_primary=True).update(is_primary=False)
    here.filter(domain=own.host).update(is_primary=True)
    _record(by, "host.used_in_links", own, after={"host": own.host})


@transaction.atomic
def remove_host(own: OwnHost, *, by: Actor) -> None:
    """Give a host name up; who was logged in there is logged out, links use the platform's name again."""
    Domain.objects.filter(domain=own.host, msp=own.msp, tenant=own.tenant).delete()
    _record(by, "host.removed", own, before={"host": own.host, "state": own.state})
    own.delete()
    transaction.on_commit(hosts.forget)


def check_waiting(*, now: datetime, by: Actor) -> int:
    """Look for the proofs of all waiting hosts, the longer ago one was asked for the more rarely; count the opened."""
    opened = 0
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            waiting = OwnHost.objects.filter(msp=msp, verified_at=None, added_at__gt=now - GIVEN_UP_AFTER)
            due = [own for own in waiting.select_related("msp", "tenant") if _due(own, now)]
            for own in due[:MOST_A_ROUND]:
                try:
                    check_host(own, by=by)
                except ValidationError:
                    continue  # the page says what is missing
                opened += 1
    return opened


def _due(own: OwnHost, now: datetime) -> bool:
    return own.checked_at is None or now - own.checked_at >= max(timedelta(minutes=1), (now - own.added_at) / 20)


def _usable(typed: str) -> str:
    """Return the host in the form that we store; raises ValidationError for a name that can never be theirs."""
    host = hosts.to_ascii(typed) if len(typed) <= 300 else None
    last = host.rsplit(".", 1)[-1] if host else ""
    if host is None or "." not in host or last.isdigit() or last in NOT_PUBLIC or len(host) > 243:
        raise ValidationError({"host": _("Write a whole host name, like portal.provider.example.")})
    if _is_below(host, settings.PLATFORM_DOMAIN):
        raise ValidationError({"host": _("Names of this platform are given by the platform itself.")})
    if hosts.is_of_sbcs(host):
        raise ValidationError({"host": _("This name belongs to the SBCs. Choose another one.")})
    return host


def _is_below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _record(by: Actor, verb: str, own: OwnHost, **facts: Any) -> None:
    audit.record(by, verb, own, tenant_id=own.tenant_id, msp_id=own.msp_id, **facts)
