"""From what is wanted to revisions: compiles every scope whose newest version has none yet."""

import hashlib
import json
import logging
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Concat, Now
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.db import contexts
from sbc import facts
from sbc.compiler import compile_customer, compile_msp, compile_region, routing_fingerprint
from sbc.models import Alarm, Deployment, Revision
from sbc.rows import Row, difference
from sbc.scopes import (
    COMPILED_STATES,
    KINDS,
    Scope,
    newest_version,
    nodes_of,
    nudge_node,
    owner_of,
    regions_of,
    scope_key,
    tell_pages,
)
from sbc.services.alarms import close_alarm, raise_alarm
from tenants.models import Customer, Msp, Region

logger = logging.getLogger(__name__)


def compile_revisions() -> int:
    """Compile every scope that is behind, outer scopes first, wake the nodes that carry it, and return how many."""
    with contexts.ingest():
        behind = [scope for kind in KINDS for scope in scopes_behind(kind)]
    done = 0
    for scope in behind:
        try:
            done += compile_revision(scope) is not None
        except Exception as error:
            # One customer's odd configuration must not hold up everybody else's.
            logger.exception("%s cannot be compiled", scope_key(scope))
            _complain(scope, error)
    return done


def scopes_behind(kind: str) -> QuerySet[Any]:
    """Return the scopes of a kind whose newest version has no revision yet."""
    model: Any = KINDS[kind]
    key = Concat(Value(f"{kind}:"), Cast(OuterRef("pk"), TextField()), output_field=TextField())
    compiled = Revision.objects.filter(scope=key, version=OuterRef("config_version"))
    behind = model.objects.filter(config_version__gt=0).exclude(Exists(compiled)).order_by("pk")
    return behind.filter(state__in=COMPILED_STATES) if kind == "cust" else behind


def compile_revision(scope: Scope) -> Revision | None:
    """Compile the scope's newest version, unless somebody else has done so or is at it."""
    with contexts.ingest(), transaction.atomic():
        # An edit or another worker that holds the lock sends a nudge of its own when it is done.
        model: Any = type(scope)
        locked = model.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=scope.pk).first()
        if locked is None:
            return None
        key = scope_key(locked)
        newest = Revision.objects.filter(scope=key).order_by("-version").first()
        if newest is not None and newest.version >= locked.config_version:
            return None
        revision = _compiled(locked, newest)
        # Not save(): its own INSERT … RETURNING would do, but bulk_create says that nothing is ever updated.
        Revision.objects.bulk_create([revision])
        want(locked, revision.version, at=now())
        close_alarm(Alarm.Kind.COMPILE, at=now(), subject=key)
        transaction.on_commit(partial(tell_pages, locked), robust=True)
        return revision


def want(scope: Scope, version: int, *, at: datetime) -> None:
    """Note that each node of the scope should run this version, and wake it on commit."""
    key, owner = scope_key(scope), owner_of(scope)
    nodes = list(nodes_of(scope))
    fresh = [Deployment(node=node, scope=key, wanted=version, wanted_at=at, **owner) for node in nodes]
    Deployment.objects.bulk_create(fresh, ignore_conflicts=True)
    # What is on its way is answered first: only then is it known on what the next delta stands.
    going = Case(When(state="sent", then=Value("sent")), default=Value("pending"))
    behind = Deployment.objects.filter(scope=key, node__in=nodes, wanted__lt=version)
    behind.update(wanted=version, wanted_at=at, state=going, error="", row=None, since=Now())
    for node in nodes:
        transaction.on_commit(partial(nudge_node, node.pk), robust=True)


def _compiled(scope: Scope, newest: Revision | None) -> Revision:
    version, old = scope.config_version, [Row(*row) for row in newest.rows] if newest else []
    generation, fingerprint, closing = 0, "", False
    if isinstance(scope, Region):
        rows = compile_region(facts.region_facts(scope))
    elif isinstance(scope, Msp):
        with contexts.msp(scope):
            rows = compile_msp(facts.msp_facts(scope))
    else:
        generation = newest.generation if newest else version
        closing = scope.state == Customer.State.CLOSING
        rows, generation, fingerprint = _customer_rows(scope, generation, newest)
    delta = difference(old, rows)
    existing = {(row.table, row.key) for row in old}
    changed = sum((row.table, row.key) in existing for row in delta.set)
    return Revision(
        scope=scope_key(scope),
        **owner_of(scope),
        version=version,
        rows=[[row.table, row.key, row.value] for row in rows],
        needs=_needs(scope),
        after=_after(scope) if delta.delete else {},
        generation=generation,
        fingerprint=fingerprint,
        added=len(delta.set) - changed,
        changed=changed,
        removed=len(delta.delete),
        closing=closing,
    )


def _customer_rows(scope: Customer, generation: int, newest: Revision | None) -> tuple[list[Row], int, str]:
    with contexts.customer(scope):
        known = facts.customer_facts(scope)
    rows = compile_customer(known, generation)
    fingerprint = _hash(routing_fingerprint(rows))
    if newest is not None and fingerprint == newest.fingerprint:
        return rows, generation, fingerprint
    # A changed policy is written beside the old one, under a generation of its own.
    return compile_customer(known, scope.config_version), scope.config_version, fingerprint


def _needs(scope: Scope) -> dict[str, int]:
    """Return the outer versions whose additions the scope's rows may name."""
    if isinstance(scope, Region):
        return {}
    outer = [f"region:{pk}" for pk in regions_of(scope)]
    if isinstance(scope, Customer):
        outer.append(f"msp:{scope.msp_id}")
    needs = {key: newest_version(key, additive=True) for key in outer}
    return {key: version for key, version in needs.items() if version}


def _after(scope: Scope) -> dict[str, int]:
    """Return the inner versions that may still have to stop naming what this one takes away."""
    if isinstance(scope, Customer):
        return {}
    inner = Customer.objects.filter(state__in=COMPILED_STATES, config_version__gt=F("live_version"))
    if isinstance(scope, Msp):
        inner = inner.filter(msp=scope)
    else:
        inner = inner.filter(customer_regions__base_domain__region=scope)
    return {f"cust:{pk}": version for pk, version in inner.values_list("pk", "config_version")}


def _hash(rows: Iterable[Row]) -> str:
    text = json.dumps(sorted([row.table, row.key, row.value] for row in rows))
    return hashlib.sha256(text.encode()).hexdigest()


def _complain(scope: Scope, error: Exception) -> None:
    owner = owner_of(scope)
    text = _("The configuration of %(scope)s cannot be compiled: %(error)s") % {"scope": scope, "error": error}
    with contexts.ingest():
        raise_alarm(
            Alarm.Kind.COMPILE, text, at=now(), subject=scope_key(scope), tenant_id=owner["tenant_id"],
            msp_id=owner["msp_id"],
        )  # fmt: skip
