"""What each node is sent: deltas on what it runs, with the secrets put in on the way out."""

import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.timezone import now

from portal.db import contexts
from portal.db.together import Kept, Together
from sbc import protocol
from sbc.compiler import for_node
from sbc.models import Deployment, Node, Revision
from sbc.rows import Row, difference
from sbc.scopes import KINDS, carriers_of, carrying, nodes_of
from sbc.services.compiling import suspend_at_least
from sbc.services.needs import Needs, Progress, untaken_words
from tenants.models import BaseDomain
from voice.carriers.models import Trunk

BATCH = 50
NEWER_AFTER = timedelta(seconds=2)
AGAIN_AFTER = timedelta(seconds=30)
_BLANKS: dict[str, Any] = {
    "newer": datetime.max.replace(tzinfo=UTC),
    "again": datetime.min.replace(tzinfo=UTC),
    "node": -1,
}
_OUTER_FIRST = {kind: place for place, kind in enumerate(KINDS)}


class LineLost(Exception):
    """The connection that asks may not speak for the node any more."""


def revisions_for(node: Node, *, channel: str | None = None, limit: int = BATCH) -> list[protocol.Apply]:
    """Return what the node is to apply next, outer scopes first, and note that it is on its way.

    Raises LineLost where `channel` is not the node's any more: its token was rotated, or it was disabled.
    """
    at = now()
    told = {"newer": at - NEWER_AFTER, "again": at - AGAIN_AFTER, "node": node.pk}
    with contexts.ingest(), transaction.atomic():
        if channel is None:
            due = _due().ask(**told)
        else:
            due = _due_over_a_line().ask(**told, hash=node.token_hash, channel=channel)
        chosen = sorted(due, key=_outer_first)[:limit]
        if not chosen:
            if channel is not None and not _if_its_own(node.pk, node.token_hash, channel).exists():
                raise LineLost
            return []
        revisions = _revisions(chosen)
        needs, bases, carriers = _carried(node, revisions.values(), chosen)
        applies, waiting = [], []
        for deployment in chosen:
            revision = revisions.get((deployment.scope, deployment.wanted))
            if revision is None:
                continue
            running = revisions.get((deployment.scope, deployment.running))
            deployment.state, deployment.sent, deployment.sent_at = Deployment.State.SENT, revision.version, at
            deployment.nonce = secrets.token_urlsafe(9)
            nodes = carriers or _nodes_that_carry(deployment)
            share = partial(_share, region=str(node.region_id), bases=bases, nodes=nodes)
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


@cache
def _due() -> Kept[Deployment]:
    return Kept(_sendable(), **_BLANKS)


@cache
def _due_over_a_line() -> Kept[Deployment]:
    mine = _sendable().filter(node__in=_if_its_own(_BLANKS["node"], "-hash", "-channel"))
    return Kept(mine, **_BLANKS, hash="-hash", channel="-channel")


def _sendable() -> QuerySet[Deployment]:
    # What is on its way is answered first, so that a delta stands on what the node has; but nobody waits for ever.
    newer, again = _BLANKS["newer"], _BLANKS["again"]
    overdue = Q(state="sent") & (Q(wanted__gt=F("sent"), sent_at__lt=newer) | Q(sent_at__lt=again))
    locked = Deployment.objects.select_for_update(skip_locked=True, of=("self",))
    return locked.filter(Q(state="pending") | overdue, node=_BLANKS["node"], wanted__gt=F("running"))


def _nodes_that_carry(deployment: Deployment) -> int:
    kind, _, pk = deployment.scope.partition(":")
    return 1 if kind == "region" else len(carriers_of(KINDS[kind](pk=int(pk))))


def _if_its_own(node: int, token_hash: str, channel: str) -> QuerySet[Node]:
    return Node.objects.enabled().filter(pk=node, token_hash=token_hash, channel=channel)


def _outer_first(deployment: Deployment) -> tuple[int, int]:
    return _OUTER_FIRST[deployment.scope.partition(":")[0]], deployment.pk


def _revisions(deployments: list[Deployment]) -> dict[tuple[str, int], Revision]:
    if len(deployments) == 1:
        only = deployments[0]
        found = _of_one_scope().ask(scope=only.scope, wanted=only.wanted, running=only.running)
        return {(each.scope, each.version): each for each in found}
    wanted = Q(pk__in=[])
    for each in deployments:
        wanted |= Q(scope=each.scope, version__in=[each.wanted, each.running])
    return {(each.scope, each.version): each for each in Revision.objects.filter(wanted)}


@cache
def _of_one_scope() -> Kept[Revision]:
    mine = Revision.objects.filter(scope="-").filter(Q(version=1) | Q(version=2))
    return Kept(mine, scope="-", wanted=1, running=2)


def _carried(
    node: Node, revisions: Iterable[Revision], deployments: list[Deployment]
) -> tuple[Needs, frozenset[str], int]:
    """Return how far this node is with the scopes that the revisions wait for, and its region's base domains.

    Of one alone also how many nodes carry it, else 0.
    """
    named = {key for revision in revisions for key in (*revision.needs, *revision.after)}
    kind, _, pk = deployments[0].scope.partition(":") if len(deployments) == 1 else ("", "", "0")
    read = _on_a_node(kind).ask(node=node.pk, region=node.region_id, named=list(named), id=int(pk))
    carried = {row["scope"]: Progress(row["state"], row["wanted"], row["running"]) for row in read["scopes"]}
    return Needs(carried), frozenset(row["fqdn"] for row in read["bases"]), len(read.get("carriers", ()))


@cache
def _on_a_node(kind: str) -> Together:
    among = RawSQL("SELECT unnest(%s::text[])", ["-"])
    reads: dict[str, Any] = {
        "scopes": Deployment.objects.filter(node=-1, scope__in=among).values("scope", "state", "wanted", "running"),
        "bases": BaseDomain.objects.filter(region=-2).values("fqdn"),
    }
    blanks: dict[str, Any] = {"node": -1, "region": -2, "named": "-"}
    if kind in ("msp", "cust"):
        reads["carriers"], blanks["id"] = nodes_of(carrying(KINDS[kind](pk=-3))).values("pk"), -3
    return Together(reads, **blanks)


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
