"""What the answers of nodes mean: what runs, what was refused, what waits for a person, and when a version is live."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache, partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Exists
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.core import audit, nudges
from portal.core.audit import Actor
from portal.db import contexts
from portal.db.together import Kept
from sbc import protocol
from sbc.models import Alarm, Deployment, Node
from sbc.scopes import KINDS, find_scope, nudge_node
from sbc.services.alarms import close_alarms, raise_alarm
from sbc.services.compiling import suspend_at_least

_Owner = tuple[int | None, int | None]  # customer and MSP
# The least that an enabled node runs; a version that is live somewhere only is live nowhere.
_LIVE = """
UPDATE {table} AS s SET live_version = d.least
FROM (SELECT scope, min(running) AS least FROM sbc_deployment JOIN sbc_node n ON n.id = node_id
       WHERE scope = ANY(%s) AND wanted > 0 AND n.state <> 'disabled' GROUP BY scope) AS d
WHERE d.scope = '{kind}:' || s.id AND s.live_version < d.least AND s.config_version >= d.least
"""
# Nearly every answer: all of the version runs, and nobody has complained before.
_RUNS = """
UPDATE sbc_deployment SET running = %(version)s, took_ms = %(took)s, error = '', "row" = NULL, whole = false,
       nonce = '', since = %(at)s, state = CASE WHEN wanted > %(version)s THEN 'pending' ELSE 'acked' END
 WHERE node_id = %(node)s AND scope = %(scope)s AND state = 'sent' AND nonce = %(nonce)s AND nonce <> ''
   AND NOT EXISTS (SELECT FROM sbc_alarm a WHERE a.until IS NULL AND a.node_id = %(node)s
                      AND a.kind = ANY(%(complaints)s) AND a.subject = %(scope)s)
RETURNING tenant_id, msp_id, state
"""
_ANSWER = ["running", "took_ms", "error", "row", "whole", "approved", "state", "nonce", "since"]

SHOWN, LONGEST = 5, 1000  # rows that are left out, and letters of all that is said of them
_COMPLAINTS = (Alarm.Kind.REFUSED, Alarm.Kind.HELD)


def acked(node: Node, ack: protocol.Ack) -> None:
    """Note that the node runs a version; an answer to anything but what was asked last changes nothing."""
    at = now()
    with contexts.ingest():
        owner = _runs(node, ack, at) or _runs_after_trouble(node, ack, at)
        if owner is None:
            return
        move_live_versions([ack.scope])
    nudges.topic(*owner, "rollout")


def _runs(node: Node, ack: protocol.Ack, at: datetime) -> _Owner | None:
    """Note in one statement that a version runs as it was wanted; None where there is more to say."""
    if ack.left_out:
        return None
    told: dict[str, Any] = {
        "node": node.pk, "scope": ack.scope, "nonce": ack.nonce, "version": ack.version, "took": ack.took_ms, "at": at,
        "complaints": list(_COMPLAINTS),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_RUNS, told)
        row = cursor.fetchone()
    if row is None:
        return None
    tenant, msp, state = row
    if state == Deployment.State.PENDING:
        nudge_node(node.pk)
    return tenant, msp


def _runs_after_trouble(node: Node, ack: protocol.Ack, at: datetime) -> _Owner | None:
    """Note what a node leaves out, and that what it complained of is over."""
    with transaction.atomic():
        deployment = _answered(node, ack.scope, ack.nonce)
        if deployment is None:
            return None
        deployment.running, deployment.took_ms = ack.version, ack.took_ms
        deployment.error, deployment.row, deployment.whole = _without(ack.left_out), None, False
        if ack.left_out:
            deployment.row = {"table": ack.left_out[0]["table"], "key": ack.left_out[0]["key"]}
        _settle(deployment, Deployment.State.ACKED, at, done=deployment.is_live)
        if deployment.is_complained_of:
            over = [Alarm.Kind.HELD] if ack.left_out else _COMPLAINTS
            close_alarms(over, at=at, node=node, subject=ack.scope)
        if ack.left_out:
            words = _("%(node)s runs the configuration of %(scope)s. %(reason)s")
            _alarm(deployment, Alarm.Kind.REFUSED, words, deployment.error, at)
    return deployment.tenant_id, deployment.msp_id


def refused(node: Node, nack: protocol.Nack) -> None:
    """Note that the node refused a version and why; a refused delta is tried once more as the whole state."""
    at = now()
    with contexts.ingest(), transaction.atomic():
        deployment = _answered(node, nack.scope, nack.nonce)
        if deployment is None:
            return
        again = not deployment.whole and deployment.running > 0
        deployment.error, deployment.row, deployment.whole = nack.reason, dict(nack.row) if nack.row else None, again
        _settle(deployment, Deployment.State.REFUSED, at, done=deployment.wanted == nack.version and not again)
        if not again:
            _alarm(deployment, Alarm.Kind.REFUSED, _("%(node)s refused %(scope)s: %(reason)s"), nack.reason, at)
            _send_inner_again(deployment)
    if not again and deployment.tenant_id:
        suspend_at_least(deployment.tenant_id, refused=nack.version)


def held_back(node: Node, held: protocol.Held) -> None:
    """Note that a node will not take a change that removes so much without a person's word."""
    at = now()
    with contexts.ingest(), transaction.atomic():
        deployment = _answered(node, held.scope, held.nonce)
        if deployment is None:
            return
        deployment.error = held.reason
        _settle(deployment, Deployment.State.HELD, at, done=deployment.wanted == held.version)
        words = _("%(node)s holds back %(scope)s until somebody approves it: %(reason)s")
        _alarm(deployment, Alarm.Kind.HELD, words, held.reason, at)
        _send_inner_again(deployment)
    if deployment.tenant_id:
        suspend_at_least(deployment.tenant_id, refused=held.version)


def approve(deployment: Deployment, *, by: Actor) -> Deployment:
    """Release the one version that a node holds back; whatever is wanted next must be looked at again."""
    return _send_again(deployment, Deployment.State.HELD, "rollout.approved", by=by, approved=True)


def try_again(deployment: Deployment, *, by: Actor) -> Deployment:
    """Send a node once more, and whole, what it refused."""
    return _send_again(deployment, Deployment.State.REFUSED, "rollout.retried", by=by, approved=False)


def move_live_versions(scopes: Iterable[str]) -> None:
    """Raise the live version of each scope to what every enabled node runs; runs as the role ingest.

    Only once what nodes run is committed. Whoever compiles has the scope and then its deployments, so nobody may wait
    for the scope who holds one of these; and of two nodes that answer at the same moment, neither would see the other.
    """
    keys = list(scopes)
    with connection.cursor() as cursor:
        for kind in {key.partition(":")[0] for key in keys}:
            cursor.execute(_LIVE.format(table=KINDS[kind]._meta.db_table, kind=kind), [keys])


def _without(left_out: list[protocol.RowLeftOut]) -> str:
    """Return in words what a node runs a version without, or nothing."""
    if not left_out:
        return ""
    rows = "; ".join(f"{_row_name(each)}: {each['reason']}" for each in left_out[:SHOWN])
    return _("Without what it does not take: %(rows)s") % {"rows": rows[:LONGEST]}


def _row_name(row: protocol.RowName) -> str:
    """Return what a person knows the row by: a source address, the account of a trunk."""
    if row["table"] == "ip":
        return row["key"].partition(":")[2]
    if row["table"] == "au":
        return _("account of %(trunk)s") % {"trunk": row["key"].rpartition(".")[0]}
    return f"{row['table']} {row['key']}"


def scope_name(key: str) -> str:
    """Return what a person calls the scope."""
    scope = find_scope(key)
    return str(scope) if scope is not None else key


def _send_again(deployment: Deployment, state: str, verb: str, *, by: Actor, approved: bool) -> Deployment:
    with contexts.ingest(), transaction.atomic():
        mine = Deployment.objects.select_for_update().select_related("node")
        deployment = mine.get(pk=deployment.pk)
        if deployment.state != state:
            raise ValidationError(_("This has changed meanwhile. Look at what it says now."))
        before = deployment.error
        if approved:
            # A drop has no version of its own: what is approved is the loss of the one that runs.
            deployment.approved = deployment.wanted or deployment.running
        else:
            deployment.whole = True
        deployment.error = ""
        _settle(deployment, Deployment.State.PENDING, now(), done=False)
        audit.record(
            by, verb, deployment.node, tenant_id=deployment.tenant_id, msp_id=deployment.msp_id,
            scope=deployment.scope, version=deployment.wanted, why=before,
        )  # fmt: skip
    return deployment


def _answered(node: Node, scope: str, nonce: str) -> Any:
    """Return the deployment that the nonce was made for: a late, repeated or older boot's answer finds none."""
    if not nonce:
        return None
    return next(iter(_waiting_for_an_answer().ask(node=node.pk, scope=scope, nonce=nonce)), None)


@cache
def _waiting_for_an_answer() -> Kept[Deployment]:
    complaint = Exists(Alarm.objects.open().filter(node=-1, kind__in=_COMPLAINTS, subject="-scope"))
    locked = Deployment.objects.select_for_update(of=("self",)).annotate(is_complained_of=complaint)
    waiting = locked.filter(node=-1, scope="-scope", state="sent", nonce="-nonce")
    return Kept(waiting, node=-1, scope="-scope", nonce="-nonce")


def _settle(deployment: Deployment, state: str, at: datetime, *, done: bool) -> None:
    deployment.state = state if done else Deployment.State.PENDING
    deployment.nonce, deployment.since = "", at
    deployment.save(update_fields=_ANSWER)
    if not done:
        transaction.on_commit(partial(nudge_node, deployment.node_id), robust=True)
    tell = partial(nudges.topic, deployment.tenant_id, deployment.msp_id, "rollout")
    transaction.on_commit(tell, robust=True)


def _send_inner_again(deployment: Deployment) -> None:
    """Send the node again what of an MSP's customers may wait there for a version that it has not taken."""
    if deployment.msp_id is None or deployment.tenant_id is not None:
        return
    inner = Deployment.objects.filter(
        node=deployment.node_id, msp=deployment.msp_id, tenant__isnull=False, state="sent"
    )
    # What somebody else has in hand is sent again in half a minute.
    mine = list(inner.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
    if Deployment.objects.filter(pk__in=mine).update(state=Deployment.State.PENDING):
        transaction.on_commit(partial(nudge_node, deployment.node_id), robust=True)


def _alarm(deployment: Deployment, kind: str, words: str, reason: str, at: datetime) -> None:
    text = words % {"node": deployment.node, "scope": scope_name(deployment.scope), "reason": reason}
    raise_alarm(
        kind, text, at=at, node=deployment.node, subject=deployment.scope, tenant_id=deployment.tenant_id,
        msp_id=deployment.msp_id,
    )  # fmt: skip
