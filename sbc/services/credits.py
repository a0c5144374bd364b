"""What each node is told of its customers' money: a share of what is left, and what calls cost. docs/node-protocol.md.

Nothing is stored here: what is wanted follows from accounts and decks at any moment, and what a node was told is known
to whoever holds its line.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from portal.db import contexts
from portal.db.together import Kept
from sbc import protocol
from sbc.models import Alarm, Node, Spool
from sbc.node import credit
from sbc.rows import Row, difference, parameters
from sbc.scopes import COMPILED_STATES
from sbc.services.alarms import raise_alarm
from tenants.models import Customer, CustomerRegion
from voice.calls.models import LiveCall
from voice.rating.classes import UNKNOWN, Classes, Dearest, classes_of_deck
from voice.rating.models import Account, CustomerDeck

GROUP = "credits"  # of the connections that a changed balance wakes
LONGEST = 12 * 3600
# How much of what is left has to have moved, and how long ago the last word was: in between the node counts itself.
MOVED, REST = 20, timedelta(seconds=10)
CLASSES_KEPT = timedelta(minutes=5)
_NO_SPOOL = UUID(int=0)
# By deck: its row_version, when it was read, and its classes.
_kept: dict[int, tuple[int, datetime, Classes]] = {}


@dataclass(frozen=True)
class Told:
    """What a node was told last of a customer."""

    version: int
    left: int
    rows: tuple[Row, ...]
    classes: Classes
    at: datetime


def credits_for(
    node: Node, spool: UUID, told: Mapping[int, Told], held: Mapping[str, int], at: datetime
) -> list[tuple[protocol.Credit, Told]]:
    """Return what the node has to be told now, each with what it then was told; `held` is what it said it holds."""
    with contexts.ingest():
        accounts = _accounts(node, spool)
        known = _classes(accounts, at)
        shares = _shares(accounts)
    found = []
    for account in accounts:
        left = _left(account, known.get(account.pk), at)
        share = left if left <= 0 else max(1, left // max(1, shares[account.pk]))
        classes, before = known.get(account.pk) or UNKNOWN, told.get(account.pk)
        # Nearly all are as they were: their rows are not even made.
        if before is None or before.classes != classes or _has_moved(before, share, at):
            found.append(_message(account.pk, share, _rows(account, share, classes), classes, before, held, at))
    wanted = {account.pk for account in accounts}
    lifted = {tenant for tenant, last in told.items() if last.rows}
    lifted |= {int(scope.partition(":")[2]) for scope in held} - told.keys()
    found += [_message(tenant, 0, (), UNKNOWN, told.get(tenant), held, at) for tenant in sorted(lifted - wanted)]
    return found


def refused(node: Node, answer: protocol.Nack | protocol.Held, at: datetime) -> None:
    """Raise the alarm that a node holds no spend limit for a customer; it is told again."""
    tenant = int(answer.scope.partition(":")[2])
    words = _("%(node)s did not take a customer’s spend limit: %(reason)s")
    with contexts.ingest():
        owner = Customer.objects.filter(pk=tenant).values_list("msp_id", flat=True).first()
        raise_alarm(
            Alarm.Kind.CALL, words % {"node": node, "reason": answer.reason[:200]}, at=at, node=node, subject="credit",
            tenant_id=tenant if owner else None, msp_id=owner,
        )  # fmt: skip


def _accounts(node: Node, spool: UUID) -> list[Account]:
    """Return the limited accounts of the customers that the node carries, and what of its records they have counted.

    One statement: balance and counted sequence are those of one moment.
    """
    return _limited_accounts().ask(region=node.region_id, spool=spool)


@cache
def _limited_accounts() -> Kept[Account]:
    carried = Customer.objects.filter(state__in=COMPILED_STATES, customer_regions__base_domain__region=-1).values("pk")
    counted = Spool.objects.filter(pk=_NO_SPOOL).values("last_sequence")
    calls = LiveCall.objects.filter(tenant=OuterRef("tenant")).order_by().values("tenant").annotate(n=Count("*"))
    found = Account.objects.limited().filter(tenant__in=carried).order_by("pk")
    calls_now = Coalesce(Subquery(calls.values("n")), 0)
    read = found.annotate(counted=Coalesce(Subquery(counted), 0), open_calls=calls_now)
    return Kept(read, region=-1, spool=_NO_SPOOL)


def _left(account: Account, known: Classes | None, at: datetime) -> int:
    left = account.standing(at).left
    assert left is not None
    # Who pays in advance makes no call whose price nobody knows.
    return min(left, 0) if known is None and account.is_prepaid else left


def _shares(accounts: Iterable[Account]) -> Counter[int]:
    """Return over how many nodes each customer's money is spread."""
    regions = CustomerRegion.objects.filter(customer__in=[account.pk for account in accounts])
    pairs = set(regions.values_list("customer_id", "base_domain__region_id"))
    running = Node.objects.enabled().exclude(boot="").filter(region__in={region for _tenant, region in pairs})
    nodes = Counter(running.values_list("region_id", flat=True))
    found: Counter[int] = Counter()
    for tenant, region in pairs:
        found[tenant] += nodes[region]
    return found


def _classes(accounts: Iterable[Account], at: datetime) -> dict[int, Classes]:
    """Return the classes of the customers that have a deck in their account's currency."""
    currencies = {account.pk: account.currency for account in accounts}
    assigned = CustomerDeck.objects.filter(Q(ends=None) | Q(ends__gt=at), tenant__in=currencies, begins__lte=at)
    found = {}
    for each in assigned.exclude(ends=F("begins")).select_related("deck").defer("deck__mapping"):
        deck = each.deck
        if deck.currency == currencies[each.tenant_id]:
            held = _kept.get(deck.pk)
            if held is None or held[0] != deck.row_version or held[1] < at - CLASSES_KEPT:
                held = _kept[deck.pk] = (deck.row_version, at, classes_of_deck(deck.pk, deck.free, at))
            found[each.tenant_id] = held[2]
    return found


def _rows(account: Any, left: int, known: Classes) -> tuple[Row, ...]:
    """Return the rows that tell a node of an account read by `_accounts`."""
    prices = [credit.Price.read(_price(each)) for each in known.prices]
    # What the next call may last before the node has counted itself: what is left is shared by the open calls.
    share = left // (account.open_calls + 1)
    said = {
        "l": left,
        "q": account.counted,
        "o": known.outgoing,
        "i": known.incoming,
        "n": known.internal,
        "c": credit.longest_calls(share, [], prices, LONGEST),
        "p": ".".join(_price(each) for each in known.prices),
    }
    key = str(account.pk)
    return (
        Row("cr", key, parameters(said)),
        *(Row("cr", f"{key}:{digits}", str(place)) for digits, place in known.prefixes.items()),
    )


def _price(price: Dearest) -> str:
    return ":".join("-" if part is None else str(part) for part in price)


def _has_moved(before: Told, left: int, at: datetime) -> bool:
    if not before.rows or (before.left > 0) != (left > 0):
        return True
    moved = left - before.left
    if moved > abs(before.left) // MOVED:
        return True  # there is more: nobody waits for that
    return abs(moved) > abs(before.left) // MOVED and at - before.at >= REST


def _message(
    tenant: int,
    left: int,
    rows: tuple[Row, ...],
    classes: Classes,
    before: Told | None,
    held: Mapping[str, int],
    at: datetime,
) -> tuple[protocol.Credit, Told]:
    last = before.version if before else held.get(f"credit:{tenant}", 0)
    version = max(int(at.timestamp() * 1000), last + 1)
    delta = difference(before.rows if before else (), rows)
    message = protocol.Credit(
        tenant=tenant,
        version=version,
        nonce=secrets.token_urlsafe(9),
        base=before.version if before else None,
        set=[protocol.Row(row.table, row.key, row.value) for row in delta.set],
        delete=[protocol.RowKey(*key) for key in delta.delete],
    )
    return message, Told(version, left, rows, classes, at)
