"""From what is wanted to revisions: compiles every scope whose newest version has none yet."""

import hashlib
import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.db import contexts
from portal.db.together import Around, Kept, Together
from sbc import facts
from sbc.compiler import (
    CustomerFacts,
    MspFacts,
    compile_customer,
    compile_msp,
    compile_region,
    routing_fingerprint,
    switched_off,
)
from sbc.models import Alarm, Deployment, Revision
from sbc.rows import Row, difference
from sbc.scopes import (
    COMPILED_STATES,
    KINDS,
    Scope,
    carrying,
    nodes_of,
    nudge_node,
    owner_of,
    scope_key,
    tell_pages,
)
from sbc.services.alarms import close_alarms, raise_alarm
from sbc.services.certificates import warn_of_names
from tenants.models import Customer, Msp, Region
from tenants.scopes import config_changed
from voice.carriers.lists import note_cover
from voice.carriers.models import EmergencyCover
from voice.rating.ranking import follow_use, protecting_deck, with_protection

logger = logging.getLogger(__name__)
_Read = dict[str, list[dict[str, Any]]]


# What is live has a revision: nearly every scope is told apart without a look at its revisions.
_BEHIND = " UNION ALL ".join(
    f"""SELECT {place}, '{kind}', s.id FROM {model._meta.db_table} s WHERE s.config_version > s.live_version {condition}
        AND NOT EXISTS (SELECT 1 FROM sbc_revision r WHERE r.scope = '{kind}:' || s.id AND r.version = s.config_version)
    """  # noqa: S608 names of ours
    for place, (kind, model, condition) in enumerate(
        (
            ("region", Region, ""),
            ("msp", Msp, ""),
            ("cust", Customer, "AND s.state IN ({})".format(", ".join(f"'{state}'" for state in COMPILED_STATES))),
        )
    )
)

# What is on its way is answered first: only then is it known on what the next delta stands.
_WANT = """
WITH carriers AS ({read}), told AS (
    UPDATE sbc_deployment d SET wanted = %s, wanted_at = %s, since = %s, error = '', "row" = NULL,
           state = CASE state WHEN 'sent' THEN 'sent' ELSE 'pending' END
      FROM carriers c WHERE d.scope = %s AND d.node_id = c.id AND d.wanted < %s)
SELECT c.id, EXISTS (SELECT FROM sbc_deployment d WHERE d.scope = %s AND d.node_id = c.id) FROM carriers c
"""


def compile_revisions(first: str = "") -> int:
    """Compile every scope that is behind, outer scopes first, wake the nodes that carry it, and return how many.

    The customer `first`, for whom somebody waits, goes before a look at all others, but never before its outer scopes.
    """
    done, behind = int(_compiled_at_once(first)), scopes_behind()
    for kind, pk in behind:
        scope = KINDS[kind](pk=pk)
        try:
            done += compile_revision(scope) is not None
        except Exception as error:
            # One customer's odd configuration must not hold up everybody else's.
            logger.exception("%s:%s cannot be compiled", kind, pk)
            _complain(scope, error)
            if isinstance(scope, Customer):
                done += suspend_at_least(scope.pk) is not None
    if any(kind == "region" for kind, _pk in behind):
        # It may have a base domain more.
        warn_of_names()
    return done


def _compiled_at_once(key: str) -> bool:
    """Compile a customer whose outer scopes are all live; what goes wrong comes again with everything else."""
    kind, _, pk = key.partition(":")
    if kind != "cust":
        return False
    try:
        return compile_revision(Customer(pk=int(pk)), at_once=True) is not None
    except Exception:
        logger.debug("%s is left to the look at everything", key, exc_info=True)
        return False


def recompile(*models: type[Scope]) -> int:
    """Open the next version of every scope, or of all of these kinds, compile it, and return how many there were."""
    count = 0
    with contexts.ingest():
        for model in models or (Region, Msp, Customer):
            for scope in model._default_manager.filter(config_version__gt=0).order_by("pk"):
                config_changed(scope)
                count += 1
    compile_revisions()
    return count


def scopes_behind() -> list[tuple[str, int]]:
    """Return the kind and id of each scope whose newest version has no revision yet, outer scopes first."""
    with contexts.ingest(), connection.cursor() as cursor:
        cursor.execute(f"{_BEHIND} ORDER BY 1, 3")
        return [(kind, pk) for _place, kind, pk in cursor]


def compile_revision(scope: Scope, *, at_once: bool = False) -> Revision | None:
    """Compile the scope's newest version, unless somebody else has done so or is at it.

    `at_once` leaves a customer alone that has no place here, or may name what an outer scope has yet to bring.
    """
    with contexts.ingest(), transaction.atomic():
        # An edit or another worker that holds the lock sends a nudge of its own when it is done.
        key = scope_key(scope)
        locked = next(iter(_to_compile(type(scope)).ask(id=scope.pk, key=key, at=now())), None)
        if locked is None or (at_once and (locked.waits_for_outer or locked.state not in COMPILED_STATES)):
            return None
        # Only under the lock: whoever had it may have compiled this version.
        read = _around(type(scope)).ask(id=scope.pk, key=key, msp=f"msp:{getattr(locked, 'msp_id', None)}")
        newest = Revision(**read["newest"][0]) if read["newest"] else None
        if newest is not None and newest.version >= locked.config_version:
            return None
        revision, left_out = _compiled(locked, newest, read)
        revision.save(force_insert=True)
        want(locked, revision.version, at=now())
        if left_out:
            _complain_of(locked, left_out)
        elif locked.is_complained_of:
            close_alarms([Alarm.Kind.COMPILE], at=now(), subject=key)
        transaction.on_commit(partial(tell_pages, locked), robust=True)
        return revision


def suspend_at_least(customer: int, *, refused: int | None = None) -> Revision | None:
    """Make a version of a suspended customer that differs from what runs by the suspension alone, where that is due.

    It is where the newest version cannot be compiled, or is the one that a node `refused` or holds back: that is so by
    what somebody saved, and who saves it must not keep out of reach by that.
    """
    with contexts.ingest(), transaction.atomic():
        stopped = Customer.objects.filter(pk=customer, state=Customer.State.SUSPENDED)
        locked = stopped.select_for_update(skip_locked=refused is None, no_key=True).first()
        if locked is None:
            return None
        made = Revision.objects.filter(scope=scope_key(locked))
        newest = made.order_by("-version").first()
        last = newest if refused is None else made.filter(version=locked.live_version).first()
        if newest is None or last is None or (newest.version != refused and refused is not None):
            return None
        before = [Row(*row) for row in last.rows]
        rows = switched_off(before)
        # It runs already, or this very version is refused.
        if rows == before or [[row.table, row.key, row.value] for row in rows] == newest.rows:
            return None
        if newest.version >= locked.config_version:
            config_changed(locked)
        revision = Revision(
            scope=scope_key(locked),
            **owner_of(locked),
            version=locked.config_version,
            rows=[[row.table, row.key, row.value] for row in rows],
            unfit=last.unfit,
            needs=last.needs,
            generation=last.generation,
            fingerprint=last.fingerprint,
            changed=1,
        )
        revision.save(force_insert=True)
        want(locked, revision.version, at=now())
        transaction.on_commit(partial(tell_pages, locked), robust=True)
        return revision


def want(scope: Scope, version: int, *, at: datetime) -> None:
    """Note that each node of the scope should run this version, and wake it on commit."""
    key = scope_key(scope)
    nodes = _wanting(type(scope)).ask(version, at, at, key, version, key, id=scope.pk)
    new, owner = [pk for pk, known in nodes if not known], owner_of(scope)
    if new:
        fresh = [Deployment(node_id=pk, scope=key, wanted=version, wanted_at=at, **owner) for pk in new]
        Deployment.objects.bulk_create(fresh, ignore_conflicts=True)
    for pk, _known in nodes:
        transaction.on_commit(partial(nudge_node, pk), robust=True)


@cache
def _wanting(kind: type[Scope]) -> Around:
    return Around(_WANT, nodes_of(carrying(kind(pk=-1))).values("id"), id=-1)


def _compiled(scope: Scope, newest: Revision | None, read: _Read) -> tuple[Revision, tuple[str, ...]]:
    """Return the scope's next revision, and the addresses of its trunks that are left out of it somewhere."""
    version, old = scope.config_version, [Row(*row) for row in newest.rows] if newest else []
    generation, fingerprint, closing = 0, "", False
    known: MspFacts | CustomerFacts | None = None
    if isinstance(scope, Region):
        rows = compile_region(facts.region_facts(scope))
    elif isinstance(scope, Msp):
        with contexts.msp(scope):
            known = facts.msp_facts(scope)
        rows = compile_msp(known)
    else:
        generation = newest.generation if newest else version
        closing = scope.state == Customer.State.CLOSING
        covers = [EmergencyCover(**row) for row in read["covers"]]
        rows, generation, fingerprint, known = _customer_rows(scope, generation, newest, covers)
    delta = difference(old, rows)
    existing = {(row.table, row.key) for row in old}
    changed = sum((row.table, row.key) in existing for row in delta.set)
    revision = Revision(
        scope=scope_key(scope),
        **owner_of(scope),
        version=version,
        rows=[[row.table, row.key, row.value] for row in rows],
        unfit={str(region): list(texts) for region, texts in known.unfit.items()} if known else {},
        needs={row["scope"]: row["newest"] for name in ("of_regions", "of_msp") for row in read.get(name, ())},
        after=_after(scope) if delta.delete else {},
        generation=generation,
        fingerprint=fingerprint,
        added=len(delta.set) - changed,
        changed=changed,
        removed=len(delta.delete),
        closing=closing,
    )
    return revision, known.left_out if known else ()


def _customer_rows(
    scope: Customer, generation: int, newest: Revision | None, covers: list[EmergencyCover]
) -> tuple[list[Row], int, str, CustomerFacts]:
    with contexts.customer(scope):
        known = facts.customer_facts(scope, protected=protecting_deck(scope))
    rows = compile_customer(known, generation)
    carried, has_callers = {} if known.closing else known.cover, any(each.active for each in known.numbers)
    note_cover(scope, carried, has_callers=has_callers, kept=covers)
    uses = any(row.table == "rt" and ";o=" in row.value for row in rows)
    if uses != scope.goes_by_price:  # type: ignore[attr-defined]  # read `with_protection`
        follow_use(scope, uses)
    fingerprint = _hash(routing_fingerprint(rows))
    if newest is not None and fingerprint == newest.fingerprint:
        return rows, generation, fingerprint, known
    # A changed policy is written beside the old one, under a generation of its own.
    return compile_customer(known, scope.config_version), scope.config_version, fingerprint, known


@cache
def _to_compile(kind: type[Scope]) -> Kept[Any]:
    """Return the question for a scope that nobody else has in hand, locked."""
    model: Any = kind
    mine = model.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    at = datetime.max.replace(tzinfo=UTC)
    blanks: dict[str, Any] = {"id": -1, "key": "-"}
    if kind is Customer:
        mine, blanks = with_protection(mine, at).annotate(waits_for_outer=_outer_behind()), blanks | {"at": at}
    complaint = Exists(Alarm.objects.open().filter(kind=Alarm.Kind.COMPILE, subject="-"))
    return Kept(mine.annotate(is_complained_of=complaint).filter(pk=-1), **blanks)


def _outer_behind() -> Any:
    behind = Q(config_version__gt=F("live_version"))
    regions = Region.objects.filter(behind, base_domains__customer_regions__customer=OuterRef("pk"))
    return Exists(Msp.objects.filter(behind, pk=OuterRef("msp"))) | Exists(regions)


@cache
def _around(kind: type[Scope]) -> Together:
    """Return the questions what a scope had last, and what its rows may name: outer versions that added or changed."""
    regions = carrying(kind(pk=-1))
    additive = Revision.objects.exclude(added=0, changed=0).order_by()
    last = Revision.objects.filter(scope="-").order_by("-version")
    reads: dict[str, Any] = {
        "newest": last.values("version", "rows", "generation", "fingerprint")[:1],
    }
    blanks: dict[str, Any] = {"key": "-"}
    if kind is not Region:
        blanks["id"] = -1
        theirs = regions.annotate(key=Concat(Value("region:", TextField()), Cast("region", TextField()))).values("key")
        reads["of_regions"] = additive.filter(scope__in=theirs).values("scope").annotate(newest=Max("version"))
    if kind is Customer:
        reads["of_msp"] = additive.filter(scope="msp:-").values("scope").annotate(newest=Max("version"))
        reads["covers"] = EmergencyCover.objects.filter(tenant=-1).values()
        blanks["msp"] = "msp:-"
    return Together(reads, **blanks)


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
    with contexts.ingest():
        scope.refresh_from_db()
    text = _("The configuration of %(scope)s cannot be compiled: %(error)s") % {"scope": scope, "error": error}
    with contexts.ingest():
        _alarm(scope, text)


def _complain_of(scope: Scope, left_out: Iterable[str]) -> None:
    words = _(
        "Trunks of %(scope)s have addresses that an SBC does not take for a trunk's, IPv6 or its own. They are live "
        "without them: %(addresses)s"
    )
    _alarm(scope, words % {"scope": scope, "addresses": ", ".join(left_out)})


def _alarm(scope: Scope, text: str) -> None:
    owner = owner_of(scope)
    raise_alarm(
        Alarm.Kind.COMPILE, text, at=now(), subject=scope_key(scope), tenant_id=owner["tenant_id"],
        msp_id=owner["msp_id"],
    )  # fmt: skip
