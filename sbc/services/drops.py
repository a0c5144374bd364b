"""Scopes that are no node's any more: taken off it, and where that takes much, only with a person's word."""

import secrets
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.core import nudges
from portal.db import contexts
from sbc import protocol
from sbc.models import Alarm, Deployment, Node
from sbc.services.alarms import close_alarms, raise_alarm
from sbc.services.receipts import scope_name

UNANSWERED = timedelta(seconds=30)


def drops_for(node: Node) -> list[protocol.Drop]:
    """Return what the node is to forget next, and note that it is on its way."""
    at = now()
    with contexts.ingest(), transaction.atomic():
        leaving = node.deployments.select_for_update(skip_locked=True).filter(leaving=True, wanted=0)
        due = list(leaving.filter(Q(state="pending") | Q(state="sent", sent_at__lt=at - UNANSWERED)))
        for each in due:
            each.state, each.sent_at, each.nonce = Deployment.State.SENT, at, secrets.token_urlsafe(9)
        Deployment.objects.bulk_update(due, ["state", "sent_at", "nonce"])
    return [protocol.Drop(scope=each.scope, nonce=each.nonce, approved=each.approved == each.running) for each in due]


def answered(node: Node, said: protocol.Ack | protocol.Nack | protocol.Held) -> None:
    """Note that a scope has left the node, or why it has not; a late or repeated answer changes nothing."""
    at = now()
    with contexts.ingest(), transaction.atomic():
        leaving = node.deployments.select_for_update().filter(leaving=True, wanted=0, state="sent")
        deployment = leaving.filter(scope=said.scope, nonce=said.nonce).first()
        if deployment is None:
            return
        if isinstance(said, protocol.Ack):
            deployment.delete()
            close_alarms((Alarm.Kind.REFUSED, Alarm.Kind.HELD), at=at, node=node, subject=said.scope)
        else:
            _keep(node, deployment, said)
        tell = partial(nudges.topic, deployment.tenant_id, deployment.msp_id, "rollout")
        transaction.on_commit(tell, robust=True)


def _keep(node: Node, deployment: Deployment, said: protocol.Nack | protocol.Held) -> None:
    at = now()
    row = said.row if isinstance(said, protocol.Nack) else None
    deployment.state = Deployment.State.HELD if isinstance(said, protocol.Held) else Deployment.State.REFUSED
    deployment.error, deployment.row, deployment.nonce, deployment.since = said.reason, dict(row or {}) or None, "", at
    deployment.save(update_fields=["state", "error", "row", "nonce", "since"])
    words = {
        Deployment.State.HELD: _("%(node)s does not forget %(scope)s until somebody approves it: %(reason)s"),
        Deployment.State.REFUSED: _("%(node)s cannot forget %(scope)s: %(reason)s"),
    }[deployment.state]
    kind = Alarm.Kind.HELD if deployment.state == Deployment.State.HELD else Alarm.Kind.REFUSED
    text = words % {"node": node, "scope": scope_name(said.scope), "reason": said.reason}
    raise_alarm(
        kind, text, at=at, node=node, subject=said.scope, tenant_id=deployment.tenant_id, msp_id=deployment.msp_id
    )
