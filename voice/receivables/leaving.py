"""Customers that have left: which months still bill them, and what they leave behind (docs/pricing.md §9)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.ui.values import money
from tenants.models import Customer
from voice.plans.bills import Span
from voice.plans.models import Contract
from voice.plans.selectors import days_without_contract
from voice.rating.models import Account
from voice.rating.models.charges import ASIDE
from voice.receivables import selectors
from voice.receivables.again import priced_again
from voice.receivables.models import Invoice
from voice.rerating.models import Adjustment

# Calls with a price, or that wait for one, that are on no bill: those of a time.
_OWING = """
SELECT t.id
  FROM unnest(%(customers)s::bigint[], %(since)s::timestamptz[], %(ends)s::timestamptz[]) AS t(id, since, ends)
 WHERE EXISTS (SELECT FROM public.rating_charge c
                WHERE c.tenant_id = t.id AND c.rated_at >= t.since AND c.invited < t.ends AND c.answered < t.ends
                  AND (c.outcome = ANY(%(aside)s) OR c.micros <> 0 AND NOT EXISTS (
                       SELECT FROM public.receivables_billedcharge b
                        WHERE (b.tenant_id, b.invited, b.id) = (c.tenant_id, c.invited, c.id))))
"""


def left_before(customer: Customer, span: Span) -> bool:
    """Tell whether a customer was closed before a period began."""
    closed = customer.closed_at if customer.state == Customer.State.CLOSED else None
    return closed is not None and closed < span[0]


def still_billed(customers: Sequence[Customer], spans: Mapping[int, Span], begins: date, ends: date) -> set[int]:
    """Return which of some customers that have left a month bills all the same.

    Those whose contract goes on, and those of which something came in, or was priced, that no bill could have yet.
    """
    if not customers:
        return set()
    without = days_without_contract([each.pk for each in customers], begins, ends)
    bound = {each.pk for each in customers if without.get(each.pk) != [(begins, ends)]}
    since = _settled(customers)
    facts: dict[str, Any] = {
        "customers": list(since),
        "since": list(since.values()),
        "ends": [spans[each][1] for each in since],
        "aside": list(ASIDE),
    }
    with connection.cursor() as cursor:
        cursor.execute(_OWING, facts)
        owing = bound | {row[0] for row in cursor.fetchall()}
    entries = Adjustment.objects.filter(tenant__in=since, invoice_id=None).order_by().values_list("tenant")
    again = {tenant for tenant, made_at in entries.annotate(newest=Max("made_at")) if made_at >= since[tenant]}
    for each in customers:
        # What a plan bears as a whole asks nothing, and stays on no bill.
        if each.pk in again - owing and any(one.asked for one in priced_again(each, begins, ends, spans[each.pk][1])):
            owing.add(each.pk)
    return owing


def _settled(customers: Sequence[Customer]) -> dict[int, datetime]:
    """Return since when what comes in of each customer is late: since it was closed, or since its last bill ends.

    Of whom a run never billed here nothing is: what is old of it was billed elsewhere.
    """
    bills = Invoice.objects.issued().filter(tenant__in=customers, source="run", kind=Invoice.Kind.INVOICE)
    last = dict(bills.order_by().values_list("tenant").annotate(ends=Max("ends")))
    # The day before: in some zones the last day of a bill ends as early.
    over = {each: datetime.combine(ends - timedelta(days=1), time(), UTC) for each, ends in last.items()}
    return {each.pk: min(each.closed_at or over[each.pk], over[each.pk]) for each in customers if each.pk in over}


def days_after(customer: Customer, span: Span, without: Sequence[tuple[date, date]], begins: date, ends: date) -> int:
    """Return on how many days of a period a contract holds after its customer has left."""
    if customer.state != Customer.State.CLOSED or customer.closed_at is None or customer.closed_at >= span[1]:
        return 0
    gone = customer.closed_at.astimezone(span[0].tzinfo).date() + timedelta(days=1)
    after = max(begins, gone) if customer.closed_at >= span[0] else begins
    free = sum(max(0, (until - max(since, after)).days) for since, until in without)
    return max(0, (ends - after).days - free)


def left_open(customer: Customer) -> list[str]:
    """Return in words what a customer that is closed leaves open: its contract, its bills, its money."""
    return [*_contracts(customer), *_bills(customer), *_money(customer)]


def _contracts(customer: Customer) -> Iterator[str]:
    today = timezone.localdate()
    for contract in Contract.objects.filter(Q(ends=None) | Q(ends__gt=today), tenant=customer).order_by("starts"):
        if contract.ends is None:
            yield _("Its contract goes on, and is billed, until somebody ends it on its own page.")
        else:
            yield _("Its contract goes on, and is billed, until %(day)s.") % {
                "day": date_format(contract.ends, "j F Y")
            }


def _bills(customer: Customer) -> Iterator[str]:
    owed: dict[str, int] = defaultdict(int)
    for invoice in selectors.with_standing(Invoice.objects.filter(tenant=customer)).filter(left__gt=0):
        owed[invoice.currency] += invoice.left
    for currency, micros in sorted(owed.items()):
        yield _("Bills of %(amount)s are open: they stay owed and are reminded.") % {"amount": money(micros, currency)}


def _money(customer: Customer) -> Iterator[str]:
    prepaid = Account.objects.filter(tenant=customer, kind=Account.Kind.PREPAID, balance_micros__gt=0).first()
    if prepaid is not None:
        words = _(
            "%(amount)s are left of its prepaid account: its last bill settles what is its own, send the rest back."
        )
        yield words % {"amount": money(prepaid.balance_micros, prepaid.currency)}
        return
    ahead: dict[str, int] = defaultdict(int)
    for payment, rest in selectors.payments_with_rest(customer.pk):
        ahead[payment.currency] += rest
    for currency, micros in sorted(ahead.items()):
        yield _("%(amount)s were paid ahead and settle nothing yet: send back what its last bill leaves.") % {
            "amount": money(micros, currency)
        }
