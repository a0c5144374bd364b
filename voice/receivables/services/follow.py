"""The account by which calls stop, in the currency of the deck that prices them; and why it may count too little."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from portal.core.audit import Actor
from portal.db import contexts
from tenants.models import Msp
from voice.currencies.conversion import NoRate
from voice.currencies.selectors import rate_on
from voice.rating import accounts
from voice.rating.models import Account, CustomerDeck, Movement
from voice.rating.selectors_accounts import doubts
from voice.receivables.models import BillingProfile
from voice.receivables.services.payments import lock_account

CALLS = gettext_lazy(
    "The account is in %(own)s and the customer’s deck in %(deck)s, and no exchange rate of the last week leads there:"
    " calls do not move the account. Enter a rate, and it is converted by itself."
)
BILLS = gettext_lazy(
    "Bills are in %(bills)s and the account is in %(own)s, and no exchange rate of the last week leads there: what is"
    " billed and paid does not move the account, so who pays everything would be stopped at a limit. Enter a rate, or"
    " bill in the currency of the deck."
)

# What was charged in a currency since the account left it, or at all: it moved nothing so far. What stands on an issued
# document was counted there, as a part of its whole total.
_UNCOUNTED = """
SELECT coalesce(sum(micros) FILTER (WHERE NOT billed), 0), coalesce(sum(micros) FILTER (WHERE answered >= %(month)s), 0)
  FROM (
    SELECT c.micros, c.answered, EXISTS (
        SELECT FROM public.receivables_billedcharge b
          JOIN public.receivables_invoiceline l ON l.id = b.line_id
          JOIN public.receivables_invoice i ON i.id = l.invoice_id AND i.state = 'issued'
         WHERE (b.tenant_id, b.invited, b.id) = (c.tenant_id, c.invited, c.id)) AS billed
      FROM public.rating_charge c
     WHERE c.tenant_id = %(tenant)s AND c.currency = %(currency)s
       AND (%(left)s::timestamptz IS NULL OR c.rated_at >= %(left)s)
    UNION ALL
    SELECT a.micros, a.answered, EXISTS (
        SELECT FROM public.receivables_invoice i WHERE i.id = a.invoice_id AND i.state = 'issued') AS billed
      FROM public.rerating_adjustment a
     WHERE a.tenant_id = %(tenant)s AND a.currency = %(currency)s
       AND (%(left)s::timestamptz IS NULL OR a.made_at >= %(left)s)
  ) made
"""


def follow_decks(msp: Msp, at: datetime, *, by: Actor) -> int:
    """Convert the accounts whose customers have got a deck in another currency; return how many.

    One that no rate leads to waits for a rate, and its page says so.
    """
    held = _held(at).filter(msp=msp).exclude(tenant__account__currency=F("deck__currency"))
    rows = held.filter(tenant__account__isnull=False).values_list("tenant", "deck__currency")
    return sum(_follow(tenant, currency, at, by=by) for tenant, currency in rows)


@transaction.atomic
def _follow(tenant_id: int, currency: str, at: datetime, *, by: Actor) -> bool:
    # Whoever issues a bill, and whoever stores a call, waits: what is asked for here is neither's meanwhile.
    lock_account(tenant_id)
    with contexts.ingest():
        account = accounts.opened(tenant_id, currency)
    try:
        way = rate_on(account.currency, currency, at.date())
    except NoRate:
        return False
    if account.currency == currency:
        return False
    left = Movement.objects.filter(tenant=tenant_id, kind=Movement.Kind.CURRENCY, currency=currency)
    facts = {
        "tenant": tenant_id, "currency": currency, "left": left.aggregate(at=Max("at"))["at"],
        "month": at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_UNCOUNTED, facts)
        uncounted, spent = map(int, cursor.fetchone())
    accounts.change_currency(tenant_id, currency, way.exact, uncounted=uncounted, spent=spent, by=by)
    return True


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
