"""Filling a board from the database: live calls, the last hour's counts, trunks and customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Sum

from portal.db import contexts
from tenants.models import Customer, Msp
from voice.calls import hooks
from voice.calls.board import MINUTE, MINUTES_SHOWN, Board, Hour, Trunk
from voice.calls.masking import Sight, hidden_from
from voice.calls.models import FailureRollup, Grain, LiveCall, Rollup


@dataclass(frozen=True)
class Watch:
    """Whose calls a dashboard shows: one customer's, or those of an MSP's customers; and how much of their numbers."""

    msp: int
    tenant: int | None = None
    sight: Sight = Sight.SHORT

    def wants(self, tenant: int, msp: int) -> bool:
        return msp == self.msp and self.tenant in (None, tenant)


def board_for(watch: Watch, now: datetime) -> Board:
    """Return a board with everything that the database knows at this moment."""
    msp = Msp.objects.get(pk=watch.msp)
    if watch.tenant is not None:
        customer = Customer.objects.get(pk=watch.tenant)
        with contexts.customer(customer):
            board = Board(by_customer=False, hidden=hidden_from(watch.sight, customer, msp))
            return _filled(board, msp, customer, now)
    with contexts.msp(msp):
        board = Board(by_customer=True, hidden=hidden_from(watch.sight, None, msp))
        board.customers = dict(msp.customers.exclude(state__in=("creating", "closed")).values_list("pk", "name"))
        return _filled(board, msp, None, now)


def refresh(board: Board, watch: Watch) -> None:
    """Bring trunks' names and health, and customers' names, up to date."""
    msp = Msp.objects.get(pk=watch.msp)
    customer = Customer.objects.get(pk=watch.tenant) if watch.tenant is not None else None
    with contexts.customer(customer) if customer else contexts.msp(msp):
        facts = hooks.trunks(msp, customer)
        customers = msp.customers.exclude(state__in=("creating", "closed")).values_list("pk", "name")
        board.customers = {} if customer else dict(customers)
        board.hide(hidden_from(watch.sight, customer, msp))
    hours = {gateway: trunk.hour for gateway, trunk in board.trunks.items()}
    board.trunks = {each.gateway: Trunk(each.name, each.health, hours.get(each.gateway, Hour())) for each in facts}
    board.dirty = True


def _filled(board: Board, msp: Msp, customer: Customer | None, now: datetime) -> Board:
    board.trunks = {each.gateway: Trunk(each.name, each.health) for each in hooks.trunks(msp, customer)}
    mine = {"tenant": customer} if customer else {"msp": msp}
    for call in LiveCall.objects.filter(**mine).order_by("-started")[:20_000]:
        row = {
            "direction": call.direction,
            "caller": call.caller,
            "called": call.called,
            "trunk": call.trunk,
            "state": call.state,
            "since": _ms(call.answered or call.started),
        }
        board.seed_call(call.tenant_id, str(call.call), row)
        if call.started > now - timedelta(minutes=1):
            board.attempts.append(_ms(call.started))
    _seed_counts(board, mine, now)
    board.attempts = type(board.attempts)(sorted(board.attempts))
    return board


def _seed_counts(board: Board, mine: Mapping[str, Customer | Msp], now: datetime) -> None:
    this_minute = _ms(now) - _ms(now) % MINUTE
    first = this_minute - (MINUTES_SHOWN - 1) * MINUTE
    minutes = {first + step * MINUTE: [0, 0] for step in range(MINUTES_SHOWN)}
    since = datetime.fromtimestamp(first / 1000, UTC)
    counts = Rollup.objects.filter(**mine, grain=Grain.MINUTE, at__gte=since)
    for tenant, at, trunk, attempts, answered, peak in counts.values_list(
        "tenant_id", "at", "trunk", "attempts", "answered", "peak"
    ):
        ms = _ms(at)
        if trunk:
            if trunk in board.trunks:
                board.trunks[trunk].hour.add(ms, attempts, answered)
            continue
        board.hour.add(ms, attempts, answered)
        if board.by_customer:
            board.customer_hours.setdefault(tenant, Hour()).add(ms, attempts, answered)
        if ms in minutes:
            minutes[ms][0] += peak
            minutes[ms][1] += attempts
        if ms == this_minute:
            # Where in its minute an attempt fell is not known: as late as it may be.
            board.attempts.extend([_ms(now)] * attempts)
    for ms, (peak, attempts) in minutes.items():
        board.series.append([ms, peak, attempts])
    board.series[-1][1] = max(board.series[-1][1], len(board.live))
    failures = FailureRollup.objects.filter(**mine, grain=Grain.MINUTE, at__gte=since)
    for at, code, count in failures.values_list("at", "code").annotate(Sum("count")):
        board.failures.add(_ms(at), code, count)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
