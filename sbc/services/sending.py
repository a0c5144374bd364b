"""What each node is sent: deltas on what it runs, with the secrets put in on the way out."""

import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, Q, QuerySet, TextField, Value
from django.utils.timezone import now

from portal.db import contexts
from sbc import protocol
from sbc.compiler import for_node
from sbc.models import Deployment, Node, Revision
from sbc.rows import Row, difference
from sbc.scopes import KINDS, count_nodes_of
from sbc.services.compiling import suspend_at_least
from sbc.services.needs import Needs, Progress, untaken_words
from tenants.models import BaseDomain
from voice.carriers.models import Trunk

BATCH = 50
NEWER_AFTER = timedelta(seconds=2)
AGAIN_AFTER = timedelta(seconds=30)
_OUTER_FIRST = {kind: place for place, kind in enumerate(KINDS)}


class LineLost(Exception):
    """The connection that asks may not speak for the node any more."""


def revisions_for(node: Node, *, channel: str | None = None, limit: int = BATCH) -> list[protocol.Apply]:
    """Return what the node is to apply next, outer scopes first, and note that it is on its way.

    Raises LineLost where `channel` is not the node's any more: its token was rotated, or it was disabled.
    """
    at = now()
    # What is on its way is answered first, so that a delta stands on what the node has; but nobody waits for ever.
    overdue = Q(state="sent") & (
        Q(wanted__gt=F("sent"), sent_at__lt=at - NEWER_AFTER) | Q(sent_at__lt=at - AGAIN_AFTER)
    )
    with contexts.ingest(), transaction.atomic():
        locked = Deployment.objects.select_for_update(skip_locked=True, of=("self",))
        due = locked.filter(Q(state="pending") | overdue, node=node, wanted__gt=F("running"))
        if channel is not None:
            due = due.filter(node__in=_if_its_own(node, channel))
        chosen = sorted(due, key=_outer_first)[:limit]
        if not chosen:
            if channel is not None and not _if_its_own(node, channel).exists():
                raise LineLost
            return []
        revisions = _revisions(chosen)
        needs, bases = _carried(node, revisions.values())
        applies, waiting = [], []
        for deployment in chosen:
            revision = revisions.get((deployment.scope, deployment.wanted))
            if revision is None:
                continue
            running = revisions.get((deployment.scope, deployment.running))
            deployment.state, deployment.sent, deployment.sent_at = Deployment.State.SENT, revision.version, at
            deployment.nonce = secrets.token_urlsafe(9)
            share = partial(_share, region=str(node.region_id), bases=bases, nodes=_nodes_that_carry(deployment))
            needed, untaken = needs.of(revision, running, share)
            if untaken and deployment.tenant_id:
                deployment.error = untaken_words(untaken)
                waiting.append((deployment.tenant_id, revision.version))
            apply = _apply(deployment, revision, None if deployment.whole else running, share)
            apply = replace(apply, needs=needed, after=needs.only(revision.after))
            applies.append(_with_secrets(apply, deployment))
        fields = ["state", "sent", "sent_at", "nonce", "error"]
        if len(chosen) == 1:
            chosen[0].save(update_fields=fields)
        else:
            Deployment.objects.bulk_update(chosen, fields)
    for customer, version in waiting:
        # A suspension waits for nothing.
        suspend_at_least(customer, refused=version)
    return applies


def _nodes_that_carry(deployment: Deployment) -> int:
    kind, _, pk = deployment.scope.partition(":")
    return 1 if kind == "region" else count_nodes_of(KINDS[kind](pk=int(pk)))


def _if_its_own(node: Node, channel: str) -> QuerySet[Node]:
    return Node.objects.enabled().filter(pk=node.pk, token_hash=node.token_hash, channel=channel)


def _outer_first(deployment: Deployment) -> tuple[int, int]:
    return _OUTER_FIRST[deployment.scope.partition(":")[0]], deployment.pk


def _revisions(deployments: Iterable[Deployment]) -> dict[tuple[str, int], Revision]:
    wanted = Q(pk__in=[])
    for each in deployments:
        wanted |= Q(scope=each.scope, version__in=[each.wanted, each.running])
    return {(each.scope, each.version): each for each in Revision.objects.filter(wanted)}


def _carried(node: Node, revisions: Iterable[Revision]) -> tuple[Needs, frozenset[str]]:
    """Return how far this node is with the scopes that the revisions wait for, and its region's base domains."""
    named = {key for revision in revisions for key in (*revision.needs, *revision.after)}
    scopes = node.deployments.filter(scope__in=named).values_list("scope", "state", "wanted", "running")
    nothing = Value("", TextField()), Value(0), Value(0)
    bases = BaseDomain.objects.filter(region=node.region_id).values_list("fqdn", *nothing)
    found = list(bases.union(scopes, all=True))
    carried = {name: Progress(state, wanted, running) for name, state, wanted, running in found if state}
    return Needs(carried), frozenset(name for name, state, *_rest in found if not state)


def _apply(
    deployment: Deployment, revision: Revision, base: Revision | None, share: Callable[[Revision], list[Row]]
) -> protocol.Apply:
    delta = difference(share(base) if base else [], share(revision))
    return protocol.Apply(
        scope=revision.scope,
        version=revision.version,
        nonce=deployment.nonce,
        needs={},
        after={},
        base=base.version if base else None,
        set=[protocol.Row(row.table, row.key, row.value) for row in delta.set],
        delete=[protocol.RowKey(*key) for key in delta.delete],
        closing=revision.closing,
        approved=deployment.approved == revision.version,
    )


def _share(revision: Revision, region: str, bases: Collection[str], nodes: int) -> list[Row]:
    return for_node((Row(*row) for row in revision.rows), bases, nodes, revision.unfit.get(region, ()))


def _with_secrets(apply: protocol.Apply, deployment: Deployment) -> protocol.Apply:
    """Return the apply with each password in place of its reference."""
    # By key and not by value: the user name and the realm beside it are whatever somebody typed.
    trunks = {row.key: int(row.key[1:-2]) for row in apply.set if row.table == "au" and row.key.endswith(".p")}
    if not trunks:
        return apply
    # Only what belongs to the scope itself: a reference to somebody else's trunk yields nothing.
    mine = Trunk.objects.filter(pk__in=trunks.values(), msp=deployment.msp_id, tenant=deployment.tenant_id)
    passwords = dict(mine.values_list("pk", "password"))
    return replace(apply, set=[_with_password(row, trunks, passwords) for row in apply.set])


def _with_password(row: protocol.Row, trunks: dict[str, int], passwords: dict[int, str]) -> protocol.Row:
    trunk = trunks.get(row.key) if row.table == "au" else None
    return row._replace(value=passwords.get(trunk, row.value)) if trunk else row
