"""What a node holds: the rows that each scope wants, whose row is in force, and what an apply would change. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sbc.node import rows
from sbc.protocol import Apply, Row, RowKey, RowLeftOut, RowName

LOST_ROWS, LOST_SHARE = 200, 0.10
MOST_TOLD = 50  # rows that are left out of a version: a receipt has to fit into a frame


class Refused(Exception):
    """The apply cannot be carried out as it is: NACK."""

    def __init__(self, reason: str, row: RowName | None = None):
        super().__init__(reason)
        self.reason, self.row = reason, row


class Stopped(Exception):
    """The apply would take away too much: it waits for a person."""


@dataclass
class Holding:
    """One scope on this node: its version, the rows that it wants, and those that go once other scopes are ready."""

    version: int
    rows: dict[RowKey, str] = field(default_factory=dict)
    leaving: dict[RowKey, dict[str, int]] = field(default_factory=dict)
    left_out: dict[RowKey, str] = field(default_factory=dict)  # rows of this version that are not carried, and why


@dataclass(frozen=True)
class Plan:
    """The way from what the node runs to one scope's next version."""

    scope: str
    version: int | None  # None: the scope leaves the node
    wanted: dict[RowKey, str]  # the scope's rows that are new or changed
    gone: tuple[RowKey, ...]  # the scope's rows that it gives up now
    leaving: dict[RowKey, dict[str, int]]  # those that it gives up when these versions are here
    sets: list[Row]  # in force afterwards, in setting order
    deletes: list[RowKey]  # no longer in force, in deleting order
    before: dict[RowKey, str | None]  # the values that `sets` and `deletes` replace
    claims: frozenset[RowKey]  # those of `wanted` that the scope did not want before
    left_out: dict[RowKey, str]  # what is left out of the version, and why

    @property
    def first(self) -> list[Row]:
        return [row for row in self.sets if row.table not in rows.SWITCHES]

    @property
    def switches(self) -> list[Row]:
        return [row for row in self.sets if row.table in rows.SWITCHES]

    @property
    def superseded(self) -> dict[RowKey, None]:
        """Those of `deletes` that nothing reads any more once the switches are set."""
        tenants = {row.key: row.value for row in self.sets if row.table == "tn"}
        return dict.fromkeys(key for key in self.deletes if rows.is_superseded(key, tenants))


class State:
    """The scopes that a node holds. A row that several scopes want is in force as its last claimant wrote it.

    `is_own` says of an address whether it is this machine's own.
    """

    def __init__(self, is_own: Callable[[str], bool] = lambda address: False) -> None:
        self.is_own = is_own
        self.scopes: dict[str, Holding] = {}
        self._claims: dict[RowKey, tuple[str, ...]] = {}

    @property
    def versions(self) -> dict[str, int]:
        return {scope: holding.version for scope, holding in self.scopes.items()}

    def __len__(self) -> int:
        return len(self._claims)

    def value(self, key: RowKey) -> str | None:
        """Give the value in force."""
        claims = self._claims.get(key)
        return self.scopes[claims[-1]].rows[key] if claims else None

    def owner(self, key: RowKey) -> str:
        """Name the scope whose value is in force, or ''."""
        claims = self._claims.get(key)
        return claims[-1] if claims else ""

    def in_force(self) -> Iterator[Row]:
        """Give every row that Kamailio should have, apart from derived ones."""
        for key, claims in self._claims.items():
            yield Row(key.table, key.key, self.scopes[claims[-1]].rows[key])

    def unmet(self, needs: Mapping[str, int]) -> str | None:
        """Say which needed version is not here yet, or None."""
        for scope, version in needs.items():
            holding = self.scopes.get(scope)
            if holding is None or holding.version < version:
                return f"waits for {scope} version {version}"
        return None

    def released(self, after: Mapping[str, int]) -> bool:
        """Tell whether nothing here can still refer to rows that leave after these versions."""
        here = self.scopes
        return all(scope not in here or here[scope].version >= version for scope, version in after.items())

    def left_out(self, scope: str) -> list[RowLeftOut]:
        """Give the rows that the scope's version here is without, as far as they are told."""
        holding = self.scopes.get(scope) or Holding(0)
        told = list(holding.left_out.items())[:MOST_TOLD]
        return [RowLeftOut(table=key.table, key=key.key, reason=reason) for key, reason in told]

    def plan(self, apply: Apply, unfit: Mapping[RowKey, str] = MappingProxyType({})) -> Plan:
        """Work out an apply that is newer than what is held, without the `unfit` rows. Raises Refused or Stopped."""
        held = self.scopes.get(apply.scope) or Holding(0)
        if apply.base is not None and apply.base != held.version:
            raise Refused(f"a change to version {apply.base}, but version {held.version} is held: send the whole state")
        wanted, given_up, left_out = _checked(apply, self.is_own, unfit)
        if apply.base is None:
            given_up = held.rows.keys() - wanted.keys()
        else:
            before = {key: why for key, why in held.left_out.items() if key not in wanted.keys() | given_up}
            # What the row said before is not wanted any more either.
            given_up = (given_up | left_out.keys()) & held.rows.keys()
            left_out = before | left_out
        self._check_accounts(held, wanted, given_up)
        new = {key: value for key, value in wanted.items() if held.rows.get(key) != value or key in held.leaving}
        conditions = {key: _latest(held.leaving.get(key, {}), apply.after) for key in given_up}
        if apply.base is not None:
            conditions |= {key: after for key, after in held.leaving.items() if key not in wanted.keys() | given_up}
        later = {key: after for key, after in conditions.items() if not self._released_by(apply, after)}
        plan = self._plan(apply.scope, apply.version, new, conditions.keys() - later.keys(), later)
        plan = replace(plan, left_out=left_out)
        if not apply.approved:
            left = wanted.keys() if apply.base is None else (held.rows.keys() | wanted.keys()) - conditions.keys()
            if held.rows and not left and not apply.closing:
                raise Stopped(f"{apply.scope} would lose its last row here, and it is not being closed")
            self._stop_if_lost(apply.scope, conditions.keys(), left)
        return plan

    def plan_drop(self, scope: str, *, approved: bool) -> Plan:
        """Work out the scope's removal from this node. Raises Stopped."""
        plan = self._plan(scope, None, {}, self.scopes[scope].rows.keys(), {})
        if not approved:
            self._stop_if_lost(scope, plan.gone, ())
        return plan

    def plan_release(self) -> Iterator[Plan]:
        """Work out the deletes whose time has come."""
        for scope, holding in self.scopes.items():
            ready = [key for key, after in holding.leaving.items() if self.released(after)]
            if ready:
                later = {key: after for key, after in holding.leaving.items() if key not in ready}
                yield self._plan(scope, holding.version, {}, ready, later)

    def commit(self, plan: Plan) -> None:
        """Take the plan over as what the node holds."""
        holding = self.scopes.setdefault(plan.scope, Holding(0))
        for key in plan.gone:
            holding.rows.pop(key, None)
            self._unclaim(key, plan.scope)
        for key, value in plan.wanted.items():
            if key in plan.claims:
                self._unclaim(key, plan.scope)
                self._claims[key] = (*self._claims.get(key, ()), plan.scope)
            holding.rows[key] = value
        holding.leaving, holding.left_out = dict(plan.leaving), dict(plan.left_out)
        if plan.version is None:
            del self.scopes[plan.scope]
        else:
            holding.version = plan.version

    def restore(
        self,
        versions: Mapping[str, int],
        claims: Iterable[tuple[str, Row, dict[str, int] | None]],
        left_out: Iterable[tuple[str, RowKey, str]] = (),
    ) -> None:
        """Take over what a snapshot kept; claims come in the order in which they were made."""
        self.scopes = {scope: Holding(version) for scope, version in versions.items()}
        self._claims = {}
        for scope, row, leaving in claims:
            key = RowKey(row.table, row.key)
            self.scopes[scope].rows[key] = row.value
            self._claims[key] = (*self._claims.get(key, ()), scope)
            if leaving is not None:
                self.scopes[scope].leaving[key] = leaving
        for scope, key, reason in left_out:
            self.scopes[scope].left_out[key] = reason

    def claims(self) -> Iterator[tuple[str, Row, dict[str, int] | None]]:
        """Give what `restore` takes: every claim, those on one row in the order in which they were made."""
        for key, scopes in self._claims.items():
            for scope in scopes:
                holding = self.scopes[scope]
                yield scope, Row(*key, holding.rows[key]), holding.leaving.get(key)

    def _unclaim(self, key: RowKey, scope: str) -> None:
        left = tuple(each for each in self._claims.get(key, ()) if each != scope)
        if left:
            self._claims[key] = left
        else:
            self._claims.pop(key, None)

    def _plan(
        self,
        scope: str,
        version: int | None,
        wanted: dict[RowKey, str],
        gone: Iterable[RowKey],
        leaving: dict[RowKey, dict[str, int]],
    ) -> Plan:
        sets: list[Row] = []
        deletes: list[RowKey] = []
        before: dict[RowKey, str | None] = {}
        held = self.scopes.get(scope) or Holding(0)
        # Only a new claim moves a row to this scope: a late repetition of an old one must not.
        claims = frozenset(key for key in wanted if key not in held.rows or key in held.leaving)
        for key, value in wanted.items():
            if (key in claims or self.owner(key) == scope) and self.value(key) != value:
                sets.append(Row(*key, value))
                before[key] = self.value(key)
        gone = tuple(gone)
        for key in gone:
            if self.owner(key) != scope:
                continue
            others = [each for each in self._claims[key] if each != scope]
            if not others:
                deletes.append(key)
                before[key] = self.value(key)
            elif self.scopes[others[-1]].rows[key] != self.value(key):
                sets.append(Row(*key, self.scopes[others[-1]].rows[key]))
                before[key] = self.value(key)
        sets.sort(key=rows.rank)
        deletes.sort(key=rows.rank, reverse=True)
        return Plan(scope, version, wanted, gone, leaving, sets, deletes, before, claims, held.left_out)

    def _released_by(self, apply: Apply, after: Mapping[str, int]) -> bool:
        own = after.get(apply.scope, 0) <= apply.version
        return own and self.released({scope: version for scope, version in after.items() if scope != apply.scope})

    def _check_accounts(self, held: Holding, wanted: Mapping[RowKey, str], given_up: Collection[RowKey]) -> None:
        for key in wanted:
            if key.table == "au":
                gateway = RowKey("gw", key.key.rpartition(".")[0])
                if gateway not in wanted and (gateway not in held.rows or gateway in given_up):
                    raise Refused("an account of a trunk that is not this scope's", RowName(table="au", key=key.key))

    def _stop_if_lost(self, scope: str, given_up: Collection[RowKey], left: Iterable[RowKey]) -> None:
        if len(given_up) <= LOST_ROWS:
            return
        # A policy under its next generation says the same again: that loses nothing.
        still_said = {rows.without_generation(key) for key in left}
        alone = [key for key in given_up if self._claims[key] == (scope,) and not rows.is_dispensable(key)]
        lost = sum(1 for key in alone if rows.without_generation(key) not in still_said)
        if lost > LOST_ROWS:
            held = sum(1 for key in self._claims if not rows.is_dispensable(key))
            if lost > LOST_SHARE * held:
                raise Stopped(f"{lost} of this node's {held} rows would be lost")


def _checked(
    apply: Apply, is_own: Callable[[str], bool], unfit: Mapping[RowKey, str]
) -> tuple[dict[RowKey, str], set[RowKey], dict[RowKey, str]]:
    wanted: dict[RowKey, str] = {}
    left_out: dict[RowKey, str] = {}
    for row in apply.set:
        key = RowKey(row.table, row.key)
        reason = unfit.get(key) or rows.refusal(apply.scope, row, is_own)
        if reason is not None and row.table in rows.LEFT_OUT:
            left_out[key] = reason
            continue
        if reason is None and wanted.get(key, row.value) != row.value:
            reason = "set twice with different values"
        if reason is not None:
            raise Refused(reason, {"table": row.table, "key": row.key})
        wanted[key] = row.value
    given_up = set(apply.delete)
    for key in wanted.keys() & given_up:
        raise Refused("both set and deleted", {"table": key.table, "key": key.key})
    return wanted, given_up, left_out


def _latest(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {scope: max(one.get(scope, 0), other.get(scope, 0)) for scope in one.keys() | other.keys()}
