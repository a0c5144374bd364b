"""How the accounts of an MSP stand side by side: what they share is read once for a page of them."""

from collections import defaultdict
from datetime import UTC, datetime
from functools import cached_property

from django.db.models import Count, F, Q, QuerySet, TextField
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from portal.ui.status import Status, status
from tenants.models import Customer, Msp
from voice.calls.models import LiveCall
from voice.calls.models.cdr import Direction
from voice.rating import limits, warnings
from voice.rating.classes import Classes, classes_of_deck
from voice.rating.models import Account, CustomerDeck, LimitWarning
from voice.rating.selectors_accounts import longest_next

# What a node lets any call last, where nobody says less.
LONGEST_MINUTES = 720
NO_DECK: tuple[int, list[str], str] = (0, [], "")


def customers_with_accounts(msp: Msp) -> QuerySet[Customer]:
    """Return the customers that can call, with what their accounts hold; one that never moved has none yet."""
    living = Customer.objects.filter(msp=msp).exclude(state__in=[Customer.State.CREATING, Customer.State.CLOSED])
    return living.select_related("account").annotate(
        balance=Coalesce("account__balance_micros", 0),
        currency=Coalesce("account__currency", limits.currency_of_customer(), output_field=TextField()),
    )


def stopped(at: datetime) -> Q:
    """Return what holds for customers of whose limits nothing is left; `account` is the way to the account."""
    this_month = Q(account__month__gte=at.astimezone(UTC).date().replace(day=1))
    credit = Q(account__balance_micros__lte=-F("account__credit_limit_micros"))
    found = Q(account__kind="prepaid", account__balance_micros__lte=0) | credit
    for limit in ("spend_limit_micros", "own_limit_micros"):
        found |= this_month & Q(account__spent_micros__gte=F(f"account__{limit}")) | Q(**{f"account__{limit}": 0})
    return found


def warned() -> Q:
    """Return what holds for customers whose account stands beyond a mark."""
    return Q(pk__in=LimitWarning.objects.filter(until=None).values("tenant_id"))


class Overview:
    """The accounts of one MSP at one moment."""

    def __init__(self, msp: Msp, at: datetime) -> None:
        self.msp, self.at = msp, at
        self._classes: dict[int, Classes] = {}

    def account(self, customer: Customer) -> Account:
        """Return a customer's account, an empty one where it has not moved yet."""
        found = getattr(customer, "account", None)
        if found is None:
            # `customers_with_accounts` knows it of a whole page.
            currency = getattr(customer, "currency", "") or limits.account_of(customer).currency
            month = self.at.astimezone(UTC).date().replace(day=1)
            found = Account(tenant=customer, msp_id=customer.msp_id, month=month, currency=currency)
        return found

    def left(self, account: Account) -> int | None:
        """Return what calls may still cost, None where nothing stops them."""
        return account.standing(self.at).left

    def longest(self, customer: Customer) -> int | None:
        """Return how many seconds the next call to the dearest destination may last, by the balance and the limit.

        None where it is not known what the customer's calls cost.
        """
        minutes = customer.longest_call_minutes or self._everybodys or LONGEST_MINUTES
        account, most = self.account(customer), 60 * minutes
        if self.left(account) is None:
            return most
        known = self._known(account)
        if known is None:
            return 0 if account.is_prepaid else None
        found = longest_next(account, known, self._open_calls.get(account.pk, 0), self.at)
        return most if found is None else min(found, most)

    def warnings(self, account: Account) -> list[str]:
        """Return the marks that the account stands beyond, in words."""
        return self._warnings.get(account.pk, [])

    def state(self, customer: Customer) -> Status:
        """Return whether calls go, go and somebody was warned, or are stopped."""
        account = self.account(customer)
        left = self.left(account)
        if left is not None and left <= 0:
            return status("limited", word=_("Stopped"))
        if self.warnings(account):
            return status("waiting_you", word=_("Warned"))
        if left is None:
            return status("inactive", word=_("No limit"))
        return status("active", word=_("Prepaid") if account.is_prepaid else _("Within limit"))

    def _known(self, account: Account) -> Classes | None:
        deck, free, currency = self._decks.get(account.pk, NO_DECK)
        if not deck or currency != account.currency:
            return None
        if deck not in self._classes:
            self._classes[deck] = classes_of_deck(deck, free, self.at)
        return self._classes[deck]

    @cached_property
    def _decks(self) -> dict[int, tuple[int, list[str], str]]:
        in_force = CustomerDeck.objects.filter(Q(ends=None) | Q(ends__gt=self.at), msp=self.msp, begins__lte=self.at)
        rows = in_force.exclude(ends=F("begins")).order_by("pk")
        return {
            tenant: (deck, free, currency)
            for tenant, deck, free, currency in rows.values_list("tenant_id", "deck_id", "deck__free", "deck__currency")
        }

    @cached_property
    def _everybodys(self) -> int | None:
        return Msp.objects.values_list("longest_call_minutes", flat=True).get(pk=self.msp.pk)

    @cached_property
    def _open_calls(self) -> dict[int, int]:
        running = LiveCall.objects.filter(msp=self.msp).exclude(direction=Direction.EMERGENCY).order_by()
        return dict(running.values_list("tenant_id").annotate(n=Count("pk")))

    @cached_property
    def _warnings(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = defaultdict(list)
        for warning, account in warnings.open_warnings(msp=self.msp):
            found[account.pk].append(warnings.words(account, warning.kind, warning.share, self.at))
        return found
