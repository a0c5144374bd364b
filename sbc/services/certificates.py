"""Certificates that nodes present: checked before they are stored, sent until each node says that it shows them."""

import secrets
from datetime import UTC, date, datetime, timedelta
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.core import audit, nudges
from portal.core.audit import Actor
from portal.db import contexts
from sbc import pem, protocol
from sbc.models import Alarm, Certificate, Node, NodeCertificate
from sbc.services.alarms import close_alarms, raise_alarm
from tenants.models import BaseDomain, Region

SBC = Actor.system("sbc")
# A node that has not answered by then has not got it; one that refused it may have been in trouble of its own.
UNANSWERED, REFUSED = timedelta(seconds=60), timedelta(minutes=10)
WARN_DAYS = (0, 3, 14, 30)


@transaction.atomic
def add_certificate(certificate: Certificate, *, now: datetime, by: Actor) -> Certificate:
    """Store a certificate with its key; the nodes that it is for get it within seconds.

    Raises ValidationError with messages meant for the user.
    """
    try:
        found = pem.read_identity(certificate.chain, certificate.key, now=now)
    except pem.BadPem as error:
        facts = {name: _in_words(value) for name, value in error.facts.items()}
        raise ValidationError({error.part: _(error.reason) % facts}) from None
    if certificate.node is not None and certificate.node.region_id != certificate.region_id:
        raise ValidationError({"node": _("This node is in another region.")})
    missing = pem.not_covered(found.names, bases_of(certificate.region))
    if missing:
        words = _("It does not cover %(names)s: a node shows one certificate for all base domains of its region.")
        raise ValidationError({"chain": words % {"names": ", ".join(missing)}})
    certificate.chain, certificate.key = found.chain, found.key
    certificate.subject, certificate.issuer = found.subject, found.issuer
    certificate.names, certificate.fingerprint = found.names, found.fingerprint
    certificate.not_before, certificate.not_after = found.not_before, found.not_after
    certificate.full_clean()
    certificate.save()
    audit.record(by, "certificate.added", certificate, after=_facts(certificate))
    return certificate


@transaction.atomic
def remove_certificate(certificate: Certificate, *, by: Actor) -> None:
    """Forget a certificate and its key; nodes go back to the newest one that is left for them."""
    audit.record(by, "certificate.removed", certificate, before=_facts(certificate))
    certificate.delete()


def restart_for_certificate(node: Node, *, by: Actor) -> None:
    """Ask the node to start its Kamailio anew, so that it dials with the certificate that it shows."""
    with contexts.ingest(), transaction.atomic():
        shown = NodeCertificate.objects.select_for_update().filter(node=node).first()
        wanted = wanted_certificate(node, at=now())
        if shown is None or wanted is None or not shown.waits_for_restart or shown.served != wanted.fingerprint:
            raise ValidationError(_("This has changed meanwhile. Look at what it says now."))
        shown.restart, shown.error, shown.nonce, shown.sent_at = True, "", "", None
        shown.save(update_fields=["restart", "error", "nonce", "sent_at"])
        audit.record(by, "certificate.restart_wanted", node, fingerprint=shown.served)


def bases_of(region: Region) -> list[str]:
    """Return the base domains that the region's nodes answer for."""
    return list(BaseDomain.objects.filter(region=region).order_by("fqdn").values_list("fqdn", flat=True))


def wanted_certificate(node: Node, *, at: datetime) -> Certificate | None:
    """Return what the node should present: the newest of its own, or else of its region, that is good today."""
    good = Certificate.objects.without_key().filter(region=node.region_id, not_after__gt=at)
    mine = good.filter(Q(node=node) | Q(node=None))
    return max(mine, key=lambda each: (each.node_id is not None, each.pk), default=None)


def certificate_for(node: Node, *, channel: str) -> protocol.Certificate | None:
    """Return what the node is to present next, and note that it is on its way; nothing where it presents it already.

    Nothing, too, for a connection that may not speak for the node any more: this is a key.
    """
    at = now()
    with contexts.ingest(), transaction.atomic():
        # A node that has never said what it presents is too old to be given anything.
        shown = NodeCertificate.objects.select_for_update().filter(node=node).first()
        wanted = wanted_certificate(node, at=at) if shown is not None else None
        if shown is None or wanted is None or not _is_due(shown, wanted.fingerprint, at):
            return None
        speaks = Node.objects.enabled().filter(pk=node.pk, token_hash=node.token_hash, channel=channel)
        if not speaks.exists():
            return None
        shown.sent, shown.sent_at, shown.nonce = wanted.fingerprint, at, secrets.token_urlsafe(9)
        shown.save(update_fields=["sent", "sent_at", "nonce"])
        return protocol.Certificate(
            fingerprint=wanted.fingerprint, chain=wanted.chain, key=wanted.key, nonce=shown.nonce, restart=shown.restart
        )


def told(node: Node, said: protocol.CertificateState) -> None:
    """Note what the node says it presents; an answer to anything but what was sent last settles nothing."""
    at = now()
    with contexts.ingest(), transaction.atomic():
        NodeCertificate.objects.get_or_create(node=node)
        shown = NodeCertificate.objects.select_for_update().get(node=node)
        if said.served != shown.served:
            shown.served_since = at
            # After the commit: of two nodes that change in the same moment the later one sees both.
            transaction.on_commit(partial(warn_of_names, node.region_id), robust=True)
            if shown.served or said.nonce:
                audit.record(SBC, "certificate.served", node, before=_print(shown.served), after=_print(said.served))
            _forget_warnings(node, said.served, at)
        shown.served, shown.dialled = said.served, said.dialled
        shown.served_until = datetime.fromtimestamp(said.until / 1000, UTC) if said.until else None
        if said.nonce and said.nonce == shown.nonce:
            _settle(node, shown, said.reason, at)
        elif not said.nonce:
            # A new connection: what was on its way is lost, and what was refused may be good now.
            shown.nonce, shown.error, shown.sent_at = "", "", None
        if not shown.waits_for_restart:
            shown.restart = False
        shown.save()
        transaction.on_commit(partial(nudges.nudge_group, "operator"), robust=True)


def warn_of_ends() -> None:
    """Raise an alarm 30, 14 and 3 days before what a node presents ends, and when it has; each step once."""
    at = now()
    with contexts.ingest():
        soon = NodeCertificate.objects.filter(served_until__lt=at + timedelta(days=WARN_DAYS[-1]))
        for shown in soon.exclude(node__state=Node.State.DISABLED).select_related("node"):
            assert shown.served_until is not None
            days = (shown.served_until - at).days
            step = next(step for step in WARN_DAYS if days < step or step == WARN_DAYS[-1])
            subject = f"{shown.served[:16]}:{step}"
            if not Alarm.objects.filter(node=shown.node, kind=Alarm.Kind.CERTIFICATE, subject=subject).exists():
                words = _("The certificate that %(node)s shows to Microsoft ends on %(day)s. No call passes then.")
                if step == 0:
                    words = _("The certificate that %(node)s shows to Microsoft ended on %(day)s: no call passes.")
                text = words % {"node": shown.node, "day": shown.served_until.date()}
                _forget_warnings(shown.node, "", at)
                raise_alarm(Alarm.Kind.CERTIFICATE, text, at=at, node=shown.node, subject=subject)


def warn_of_names(region_id: int | None = None) -> None:
    """Raise an alarm for each base domain that nodes show no certificate for; close it once all of them show one."""
    at = now()
    with contexts.ingest():
        names = dict(Certificate.objects.values_list("fingerprint", "names"))
        shown = NodeCertificate.objects.exclude(node__state=Node.State.DISABLED).exclude(served="")
        nodes = list(shown.select_related("node").order_by("node__name"))
        here = BaseDomain.objects.filter(region=region_id) if region_id else BaseDomain.objects.all()
        for base in here.order_by("fqdn"):
            mine = [each for each in nodes if each.node.region_id == base.region_id]
            # What a certificate from a node's disk names is not known here: it neither raises an alarm nor closes one.
            known = [each for each in mine if each.served in names]
            lack = {str(each.node): pem.not_covered(names[each.served], [base.fqdn]) for each in known}
            without = [node for node, missing in lack.items() if missing]
            missing = sorted({name for each in lack.values() for name in each}, key=lambda name: (len(name), name))
            _warn_of_name(base, without, missing, all_known=len(known) == len(mine), at=at)


def _warn_of_name(base: BaseDomain, nodes: list[str], missing: list[str], *, all_known: bool, at: datetime) -> None:
    said = Alarm.objects.filter(node=None, kind=Alarm.Kind.CERTIFICATE, subject=f"lacks:{base.fqdn}")
    if nodes:
        words = _("No certificate for %(names)s at %(nodes)s: Microsoft refuses calls there. Add one that covers them.")
        text = words % {"names": ", ".join(missing), "nodes": ", ".join(nodes)}
        # What a person has settled is quiet until the name was covered in between.
        if not said.filter(Q(until__isnull=False) | Q(text=text)).exists():
            raise_alarm(Alarm.Kind.CERTIFICATE, text, at=at, subject=f"lacks:{base.fqdn}")
    elif all_known:
        said.open().update(until=at)
        said.update(subject=f"lacked:{base.fqdn}")


def lacking(certificate: Certificate) -> list[str]:
    """Return the names that its region's base domains need by now and the certificate has not."""
    return pem.not_covered(certificate.names, bases_of(certificate.region))


def _in_words(value: object) -> object:
    return date_format(value, "j F Y") if isinstance(value, date) else value


def _is_due(shown: NodeCertificate, fingerprint: str, at: datetime) -> bool:
    if shown.served == fingerprint and not (shown.restart and shown.dialled != fingerprint):
        return False
    if shown.sent_at is None or shown.sent != fingerprint:
        return True
    return shown.sent_at < at - (REFUSED if shown.error else UNANSWERED)


def _settle(node: Node, shown: NodeCertificate, reason: str, at: datetime) -> None:
    shown.nonce, shown.error, shown.restart = "", reason[:500], False
    if not reason:
        close_alarms([Alarm.Kind.CERTIFICATE], at=at, node=node, subject="refused")
        return
    text = _("%(node)s does not take the new certificate and goes on with the old one: %(reason)s")
    raise_alarm(
        Alarm.Kind.CERTIFICATE, text % {"node": node, "reason": reason[:300]}, at=at, node=node, subject="refused"
    )


def _forget_warnings(node: Node, served: str, at: datetime) -> None:
    """Close what was said of the end of another certificate, or of an earlier step."""
    warnings = Alarm.objects.open().filter(node=node, kind=Alarm.Kind.CERTIFICATE).exclude(subject="refused")
    (warnings.exclude(subject__startswith=f"{served[:16]}:") if served else warnings).update(until=at)


def _facts(certificate: Certificate) -> dict[str, object]:
    facts = {"names": certificate.names, "not_after": certificate.not_after, "fingerprint": certificate.fingerprint}
    return facts | ({"node": str(certificate.node)} if certificate.node else {})


def _print(fingerprint: str) -> dict[str, str]:
    return {"fingerprint": fingerprint}
