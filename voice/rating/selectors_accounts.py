"""What the pages and the API say of an account."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, Sum

from voice.calls.models import LiveCall, RunningCall
from voice.calls.models.cdr import Direction
from voice.rating.classes import Classes, classes_of_deck
from voice.rating.models import Account, CustomerDeck, LimitWarning, Movement
from voice.rating.prepaid import longest_call
from voice.rating.standing import Mark, Standing

Doubter = Callable[[Iterable[Account]], dict[int, str]]
_doubters: list[Doubter] = []
Asker = Callable[[Iterable[int]], set[int]]
_askers: list[Asker] = []
# Until a node acts on what a call has cost: its record is stored within a second, the node is told within two more,
# looks at its calls each second, and Kamailio's clock ticks by the second.
KNOWS_WITHIN = 5


@dataclass(frozen=True)
class Room:
    """A limit, what is used of it and what it leaves; in micros."""

    mark: Mark
    limit: int
    used: int

    @property
    def left(self) -> int:
        return self.limit - self.used

    @property
    def label(self) -> str:
        return str(LimitWarning.Kind(self.mark).label)

    @property
    def percent(self) -> int:
        """Return how much is used, in per cent, as far as a bar can show it."""
        if self.limit <= 0:
            return 100
        return min(100, max(0, self.used * 100 // self.limit))


@dataclass(frozen=True)
class Sums:
    """Where a balance comes from; in micros."""

    given: int
    taken: int
    calls: int


@dataclass(frozen=True)
class Risk:
    """What can still be lost although calls stop at the limit: open calls, for as long as a node may not know yet."""

    open_calls: int
    per_minute: int
    seconds: int = KNOWS_WITHIN

    @property
    def micros(self) -> int:
        return -(-self.open_calls * self.per_minute * self.seconds // 60)


def knows_plans(ask: Asker) -> Asker:
    """Register who says which customers' plans ask something else for calls than their decks do.

    Accounts count by the deck until the bill, and this layer cannot ask the one above.
    """
    _askers.append(ask)
    return ask


def settled_with_bill(accounts: Iterable[Account]) -> set[int]:
    """Return the customers of those accounts that stop at a limit, but count calls otherwise than their bill will."""
    limited = [account.pk for account in accounts if account.is_limited]
    return {tenant for ask in _askers for tenant in ask(limited)} if limited else set()


def doubts(ask: Doubter) -> Doubter:
    """Register who says why calls or bills do not move an account: rates and bills are of layers above."""
    _doubters.append(ask)
    return ask


def troubles(accounts: Iterable[Account]) -> dict[int, str]:
    """Return by customer why calls or bills do not move its account, without those that they move; run as the MSP."""
    asked = list(accounts)
    return {tenant: words for ask in _doubters for tenant, words in ask(asked).items()}


def trouble(account: Account) -> str:
    """Return why calls or bills do not move an account, nothing where they do; run as the MSP."""
    return troubles([account]).get(account.pk, "")


def rooms(standing: Standing) -> list[Room]:
    """Return the limits that an account has, except a prepaid balance, which is its own."""
    found = []
    if not standing.prepaid and standing.credit_limit is not None:
        found.append(Room(Mark.CREDIT, standing.credit_limit, max(0, -standing.balance)))
    if standing.spend_limit is not None:
        found.append(Room(Mark.SPEND, standing.spend_limit, standing.spent))
    if standing.own_limit is not None:
        found.append(Room(Mark.OWN, standing.own_limit, standing.spent))
    return found


def sums_of(account: Account) -> Sums:
    """Return what movements gave and took; the rest of the balance is what calls took."""
    moved = Movement.objects.filter(tenant_id=account.pk, currency=account.currency).aggregate(
        given=Sum("micros", filter=Q(micros__gt=0)), taken=Sum("micros", filter=Q(micros__lt=0))
    )
    given, taken = moved["given"] or 0, moved["taken"] or 0
    return Sums(given, taken, account.balance_micros - given - taken)


def running_seconds(account: Account) -> int:
    """Return how long the long calls that go on have lasted so far: talk that is not priced yet."""
    return sum(call.seconds for call in RunningCall.objects.filter(tenant=account.pk).only("answered", "seen"))


def open_calls(account: Account) -> int:
    """Return how many calls run that a limit can end."""
    return LiveCall.objects.filter(tenant=account.pk).exclude(direction=Direction.EMERGENCY).count()


def classes_now(account: Account, at: datetime) -> Classes | None:
    """Return what calls cost an account, None where no deck in its currency says so."""
    assigned = CustomerDeck.objects.filter(Q(ends=None) | Q(ends__gt=at), tenant=account.pk, begins__lte=at)
    current = assigned.exclude(ends=F("begins")).select_related("deck").first()
    if current is None or current.deck.currency != account.currency:
        return None
    return classes_of_deck(current.deck_id, current.deck.free, at)


def risk(account: Account, known: Classes | None) -> Risk:
    """Return what can still be lost."""
    return Risk(open_calls(account), known.dearest.per_minute if known else 0)


def longest_next(account: Account, known: Classes | None, calls: int, at: datetime) -> int | None:
    """Return how many seconds the next call to the dearest destination may last; None for no limit."""
    left = account.standing(at).left
    if left is None or known is None:
        return None
    return longest_call(known.dearest.as_rate(), left, calls + 1)
