"""Nodes: their tokens, and the one connection that may speak for each."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Max
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.core import audit, nudges
from portal.core.audit import Actor
from portal.db import contexts
from sbc import protocol
from sbc.models import Alarm, Deployment, Node, Revision, Spool
from sbc.scopes import find_scope, owner_of, scope_key, scopes_of
from sbc.services import troubles
from sbc.services.addresses import compile_again, note_addresses
from sbc.services.alarms import raise_alarm
from sbc.services.receipts import move_live_versions
from sbc.services.shares import divide_again
from tenants.scopes import config_changed
from voice.calls import live

AWAY_AFTER = timedelta(seconds=60)
# Versions that a portal restored from an older copy may have forgotten; nobody saves so often.
MOST_FORGOTTEN = 1_000_000


@transaction.atomic
def add_node(node: Node, *, by: Actor) -> tuple[Node, str]:
    """Store a new node; return it with its token, which nobody can read again.

    Raises ValidationError with messages meant for the user.
    """
    node.full_clean()
    token = _give_token(node)
    node.save()
    audit.record(by, "node.added", node, after={"region": str(node.region), "name": node.name})
    return node, token


@transaction.atomic
def rotate_token(node: Node, *, by: Actor) -> str:
    """Give the node another token: the old one opens nothing any more, and its connection is cut."""
    token = _give_token(node)
    node.save(update_fields=["token_hash", "token_made"])
    audit.record(by, "node.token_rotated", node)
    transaction.on_commit(partial(nudges.nudge_group, f"node.{node.pk}"), robust=True)
    return token


@transaction.atomic
def disable_node(node: Node, *, by: Actor) -> Node:
    """Take a node out of service: nothing waits for it any more, and its token opens nothing."""
    if not _set_state(node, Node.State.DISABLED, "node.disabled", by):
        return node
    divide_again(node)
    compile_again(node, node.addresses)
    with contexts.ingest():
        move_live_versions(node.deployments.values_list("scope", flat=True))
        live.forget_node(node.name, at=now())
        troubles.note_heard(node, now())
    return node


@transaction.atomic
def enable_node(node: Node, *, by: Actor) -> Node:
    """Take a node back into service; it gets what is wanted when it connects."""
    if _set_state(node, Node.State.AWAY, "node.enabled", by):
        divide_again(node)
        compile_again(node, node.addresses)
    return node


def node_of_token(token: str) -> Node | None:
    """Return the enabled node that the token belongs to."""
    with contexts.ingest():
        return Node.objects.enabled().select_related("region").filter(token_hash=_hash(token)).first()


def take_line(node: Node, channel: str, *, instead_of: str) -> bool:
    """Make this connection the node's, unless another one was quicker."""
    with contexts.ingest():
        free = Node.objects.filter(pk=node.pk, channel=instead_of)
        at = now()
        taken = free.update(channel=channel, state=Node.State.CONNECTED, connected_since=at, last_seen=at)
        if taken:
            troubles.note_heard(node, at)
    if taken:
        nudges.nudge_group("operator")
    return bool(taken)


def leave_line(node: Node, channel: str) -> None:
    """Note that the node's connection is gone; its calls are shown for another minute."""
    with contexts.ingest():
        mine = Node.objects.filter(pk=node.pk, channel=channel)
        if mine.exclude(state=Node.State.DISABLED).update(channel="", state=Node.State.AWAY):
            nudges.nudge_group("operator")
        mine.update(channel="")


def current_channel(node: Node) -> str:
    """Return the channel of the connection that speaks for the node, empty where there is none."""
    with contexts.ingest():
        return Node.objects.values_list("channel", flat=True).get(pk=node.pk)


def token_used_twice(node: Node, address: str) -> None:
    """Raise the alarm that somebody else has the node's token."""
    words = _("A second connection with the token of %(node)s came from %(address)s and was refused. Rotate the token.")
    with contexts.ingest():
        raise_alarm(Alarm.Kind.TOKEN, words % {"node": node, "address": address}, at=now(), node=node)


def misunderstood(node: Node, why: str) -> None:
    """Raise the alarm that the node speaks another protocol than we do."""
    text = _("%(node)s sent a message that is not understood: %(why)s") % {"node": node, "why": why[:300]}
    with contexts.ingest():
        raise_alarm(Alarm.Kind.MESSAGE, text, at=now(), node=node)


def welcome(node: Node, hello: protocol.Hello) -> protocol.Welcome:
    """Note what the node says it is and holds, and return its welcome."""
    at = now()
    with contexts.ingest():
        note_addresses(node, hello.addresses)
        with transaction.atomic():
            spool, fresh = Spool.objects.get_or_create(id=hello.spool, defaults={"node": node})
            _check_spool(node, spool, fresh, hello, at)
            # A copy goes on under an identity of its own: what two nodes number alike would count once.
            is_copy = spool.node_id != node.pk
            last = max(spool.last_sequence, hello.next_sequence) if is_copy else spool.last_sequence
            mine = None if is_copy else spool
            Node.objects.filter(pk=node.pk).update(spool=mine, boot=hello.boot, software=hello.software, last_seen=at)
            carried = reconcile(node, hello.held, at)
            if not node.boot:
                divide_again(node)
        move_live_versions(carried)
    ms = int(at.timestamp() * 1000)
    return protocol.Welcome(last_sequence=last, node=node.name, now=ms)


def reconcile(node: Node, held: Mapping[str, int], at: datetime) -> list[str]:
    """Bring the node's deployments in line with what it carries and what it says it holds; runs as the role ingest.

    Return the scopes of which it holds something.
    """
    wanted = {scope_key(scope): scope for scope in scopes_of(node)}
    existing = {each.scope: each for each in node.deployments.select_for_update()}
    # Only under the lock: a revision that is stored meanwhile waits for it, and is wanted after.
    newest = dict(Revision.objects.filter(scope__in=wanted).values_list("scope").annotate(Max("version")))
    changed = []
    for key, scope in wanted.items():
        running, version = held.get(key, 0), newest.get(key, 0)
        if running > scope.config_version + MOST_FORGOTTEN:
            # Believed, it would leave no number for what anybody saves from now on.
            words = _("%(node)s says that it holds version %(version)s of %(scope)s, which never was.")
            text = words % {"node": node, "version": running, "scope": key}
            raise_alarm(Alarm.Kind.MESSAGE, text, at=at, node=node, subject=key)
            running = 0
        if running > version and running >= scope.config_version:
            # The portal was restored from an older copy: what is wanted has to be newer than what the node has seen.
            type(scope)._default_manager.filter(pk=scope.pk).update(config_version=running)
            config_changed(scope)
        deployment = existing.pop(key, None) or Deployment(node=node, scope=key, **owner_of(scope))
        state = Deployment.State.ACKED if running and running >= version else Deployment.State.PENDING
        if (deployment.state, deployment.running) != (state, running):
            # What it runs a version without stands until it says otherwise.
            deployment.error, deployment.row = "", None
        # A node that comes back asks for everything again, also for what it refused or held back before.
        deployment.wanted, deployment.running, deployment.state = version, running, state
        deployment.leaving = False
        deployment.nonce, deployment.since = "", at
        changed.append(deployment)
    for key in held.keys() - wanted.keys():
        fresh = Deployment(node=node, scope=key, **_former_owner(node, key))
        deployment = existing.pop(key, fresh)
        if not deployment.leaving:
            # A person's word for a version is none for the scope's removal.
            deployment.approved = 0
        deployment.leaving, deployment.wanted, deployment.running = True, 0, held[key]
        deployment.state = Deployment.State.PENDING
        deployment.nonce, deployment.error, deployment.row, deployment.since = "", "", None, at
        changed.append(deployment)
    fields = ["wanted", "running", "state", "nonce", "error", "row", "since", "approved", "leaving"]
    Deployment.objects.bulk_update([each for each in changed if each.pk], fields, batch_size=500)
    Deployment.objects.bulk_create([each for each in changed if not each.pk], batch_size=500)
    node.deployments.filter(pk__in=[each.pk for each in existing.values()]).delete()
    return [key for key in wanted if held.get(key)]


def expire_nodes() -> int:
    """Note as away every node that has fallen silent, raise its alarm, and take its calls off the dashboards."""
    at = now()
    with contexts.ingest():
        silent = Node.objects.enabled().filter(last_seen__lt=at - AWAY_AFTER)
        for node in silent.filter(gauges__has_key="at"):
            live.forget_node(node.name, at=at)
            # Once for each silence: somebody who has seen the alarm need not see it again.
            if Node.objects.filter(pk=node.pk, last_seen=node.last_seen).update(gauges={}):
                troubles.note_away(node, at)
        troubles.close_full(at)
        return silent.exclude(state=Node.State.AWAY).update(state=Node.State.AWAY)


def _former_owner(node: Node, key: str) -> dict[str, int | None]:
    scope = find_scope(key)
    return owner_of(scope) if scope is not None else {"region_id": node.region_id}


def _check_spool(node: Node, spool: Spool, fresh: bool, hello: protocol.Hello, at: datetime) -> None:
    if spool.node_id != node.pk:
        words = _(
            "%(node)s brought the records of another node: its folder was copied. It goes on with records of its own. "
            "Where both carry calls, give it an empty folder."
        )
        raise_alarm(Alarm.Kind.SPOOL, words % {"node": node}, at=at, node=node, subject="copied")
    if fresh and node.spool_id is not None:
        words = _("%(node)s has a new record store. Records that were still in the old one did not arrive.")
        raise_alarm(Alarm.Kind.SPOOL, words % {"node": node}, at=at, node=node, subject="replaced")
    if hello.next_sequence <= spool.last_sequence:
        words = _("The record store of %(node)s is older than what has been received: it was restored from a copy.")
        raise_alarm(Alarm.Kind.SPOOL, words % {"node": node}, at=at, node=node, subject="older")


def _set_state(node: Node, state: str, verb: str, by: Actor) -> bool:
    """Disable or enable the node and tell whether that was still to be done."""
    before = Node.objects.select_for_update(no_key=True).values_list("state", flat=True).get(pk=node.pk)
    if (before == Node.State.DISABLED) == (state == Node.State.DISABLED):
        # A program that makes sure of a state must not cut off a node that is connected.
        node.state = before
        return False
    node.state = state
    node.save(update_fields=["state"])
    audit.record(by, verb, node, before={"state": before}, after={"state": state})
    transaction.on_commit(partial(nudges.nudge_group, f"node.{node.pk}"), robust=True)
    return True


def _give_token(node: Node) -> str:
    token = "node_" + secrets.token_urlsafe(32)
    node.token_hash, node.token_made = _hash(token), now()
    return token


def _hash(token: str) -> str:
    # 256 random bits need no salt and no stretching.
    return hashlib.sha256(token.encode()).hexdigest()
