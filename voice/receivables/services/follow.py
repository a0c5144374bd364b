"""The account by which calls stop, in the currency of the deck that prices them; and why it may count too little."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from portal.core.audit import Actor
from tenants.models import Msp
from voice.currencies.conversion import NoRate
from voice.currencies.selectors import rate_on
from voice.rating import accounts
from voice.rating.models import Account, CustomerDeck
from voice.rating.selectors_accounts import doubts
from voice.receivables.models import BillingProfile

CALLS = gettext_lazy(
    "The account is in %(own)s and the customer’s deck in %(deck)s, and no exchange rate of the last week leads there:"
    " calls do not move the account. Enter a rate, and it is converted by itself."
)
BILLS = gettext_lazy(
    "Bills are in %(bills)s and the account is in %(own)s, and no exchange rate of the last week leads there: what is"
    " billed and paid does not move the account, so who pays everything would be stopped at a limit. Enter a rate, or"
    " bill in the currency of the deck."
)


def follow_decks(msp: Msp, at: datetime, *, by: Actor) -> int:
    """Convert the accounts whose customers have got a deck in another currency; return how many.

    One that no rate leads to waits for a rate, and its page says so.
    """
    done = 0
    held = _held(at).filter(msp=msp).exclude(tenant__account__currency=F("deck__currency"))
    for each in held.filter(tenant__account__isnull=False).select_related("deck", "tenant__account"):
        try:
            way = rate_on(each.tenant.account.currency, each.deck.currency, at.date())
        except NoRate:
            continue
        accounts.change_currency(each.tenant_id, each.deck.currency, way.exact, since=each.begins, by=by)
        done += 1
    return done


def _held(at: datetime) -> QuerySet[CustomerDeck]:
    running = CustomerDeck.objects.filter(Q(ends=None) | Q(ends__gt=at), begins__lte=at)
    return running.exclude(ends=F("begins")).order_by("tenant")


@doubts
def why_not_counted(asked: Iterable[Account]) -> dict[int, str]:
    """Return by customer why calls or bills do not move its account, in words; nothing where they do."""
    at, asked = timezone.now(), list(asked)
    customers = [account.pk for account in asked]
    decks = dict(_held(at).filter(tenant__in=customers).values_list("tenant", "deck__currency"))
    bills = dict(BillingProfile.objects.filter(tenant__in=customers).values_list("tenant", "currency"))
    found = {}
    for account in asked:
        own, deck, billed = account.currency, decks.get(account.pk), bills.get(account.pk)
        if deck and not _leads(own, deck, at):
            found[account.pk] = str(CALLS % {"own": own, "deck": deck})
        elif billed and not _leads(billed, own, at):
            found[account.pk] = str(BILLS % {"own": own, "bills": billed})
    return found


def _leads(source: str, target: str, at: datetime) -> bool:
    try:
        rate_on(source, target, at.date())
    except NoRate:
        return False
    return True
