"""What is looked at before a month is billed: read once for all customers, told as findings about each."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from tenants.models import Customer
from voice.plans.bills import Span, moments, moments_of
from voice.plans.selectors import days_without_contract
from voice.rating.models import Account, Charge
from voice.rating.models.charges import ASIDE
from voice.receivables import hooks, vat_ids
from voice.receivables.leaving import days_after, left_before
from voice.receivables.models import BillingProfile, Invoice, InvoiceRun, RunFinding
from voice.receivables.services.follow import why_not_counted
from voice.rerating.models import Adjustment

ERROR, WARNING, NOTE = RunFinding.Level.ERROR, RunFinding.Level.WARNING, RunFinding.Level.NOTE
# Beyond this share of the month before, somebody has to look.
SURPRISE = 30
# A call is stored under the day on which it began; none rings for longer than this.
LONGEST_RING = timedelta(days=1)
_UNPRICED = """
SELECT d.tenant_id, count(*) FROM public.calls_cdr d
 WHERE d.msp_id = %(msp)s AND d.tenant_id = ANY(%(customers)s) AND d.invited >= %(ringing)s AND d.invited < %(ends)s
   AND d.answered >= %(begins)s AND d.answered < %(ends)s
   AND NOT EXISTS (SELECT FROM public.rating_charge c
                    WHERE c.tenant_id = d.tenant_id AND c.invited = d.invited AND c.id = d.id)
 GROUP BY d.tenant_id
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; its words are in `voice.receivables.findings`."""

    code: str
    level: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Checks:
    """The state of a month over all customers of an MSP."""

    aside: dict[int, dict[str, int]]
    unpriced: dict[int, int]
    uncounted: dict[int, list[hooks.Uncounted]]
    before: dict[tuple[int, str], int]
    # The days of the month, from and until, for which a customer has no contract; and who has an account.
    without: dict[int, list[tuple[date, date]]]
    accounts: set[int]
    # Why bills and payments would not move an account at whose limit calls stop.
    troubles: dict[int, str]
    # On how many days of the month a customer that has left has a contract all the same.
    bound: dict[int, int]
    # When those were closed that had left before the month began and that no contract binds.
    gone: dict[int, str]
    # Who has entries of calls that were priced again on no bill.
    again: set[int]

    def of_whole(self) -> Iterator[Finding]:
        """Yield what concerns all customers."""
        if self.uncounted:
            hours = {(each.at, each.node) for found in self.uncounted.values() for each in found}
            yield Finding("uncounted", WARNING, {"hours": len(hours), "customers": len(self.uncounted)})

    def of_customer(self, tenant: int) -> Iterator[Finding]:
        """Yield what keeps a customer's invoice back, or has to be looked at, before anything is written."""
        aside = self.aside.get(tenant)
        if aside:
            yield Finding("aside", ERROR, {"calls": sum(aside.values()), "reasons": aside})
        if tenant in self.unpriced:
            yield Finding("unpriced", ERROR, {"calls": self.unpriced[tenant]})
        if tenant in self.uncounted:
            found = self.uncounted[tenant]
            said, kept = sum(each.said for each in found), sum(each.found for each in found)
            yield Finding("uncounted", WARNING, {"hours": len(found), "said": said, "found": kept})

    def of_contract(self, customer: Customer) -> Iterator[Finding]:
        """Yield what no contract asks fees for, and a contract that goes on after its customer has left."""
        spans = self.without.get(customer.pk, ())
        calls = sum(_calls(customer, *span) for span in spans)
        if calls:
            days = sum((ends - begins).days for begins, ends in spans)
            yield Finding("no_contract", WARNING, {"calls": calls, "days": days})
        elif spans and customer.pk in self.accounts:
            yield Finding("no_contract", WARNING, {"calls": 0})
        bound = self.bound.get(customer.pk)
        if bound and customer.closed_at:
            yield Finding("left", WARNING, {"closed": customer.closed_at.date().isoformat(), "days": bound})

    def of_profile(self, profile: BillingProfile) -> Iterator[Finding]:
        """Yield what is wrong with how a customer is billed."""
        if profile.vat_id:
            # What the register said when it was asked last; a run does not ask it for a thousand customers.
            answer = vat_ids.ByShape().check(profile.vat_id)
            if "wrong" in (answer.state, profile.vat_id_state):
                yield Finding("vat_id", ERROR, {"vat_id": profile.vat_id, "words": answer.words})

    def of_account(self, tenant: int) -> Iterator[Finding]:
        """Yield why the bill would not move the account at whose limit the customer's calls stop."""
        if tenant in self.troubles:
            yield Finding("account", WARNING, {"words": self.troubles[tenant]})

    def of_amount(self, invoice: Invoice) -> Iterator[Finding]:
        """Yield what is surprising about a draft beside the month before, by itself, or of a customer that has left."""
        if invoice.tenant_id in self.gone:
            facts = {"net": invoice.net, "currency": invoice.currency, "closed": self.gone[invoice.tenant_id]}
            yield Finding("gone", WARNING, facts)
        before = self.before.get((invoice.tenant_id, invoice.currency))
        limit = invoice.entity.first_bill_limit
        if not before and invoice.net > limit:
            facts = {"net": invoice.net, "before": before, "limit": limit, "currency": invoice.currency}
            yield Finding("first", WARNING, facts)
        elif before and abs(invoice.net - before) * 100 > abs(before) * SURPRISE:
            facts = {"net": invoice.net, "before": before, "currency": invoice.currency}
            yield Finding("change", WARNING, facts | {"percent": round((invoice.net - before) * 100 / abs(before))})


def look(run: InvoiceRun) -> Checks:
    """Read what the checks of a run need, once for all its customers."""
    customers = list(run.customers.values_list("tenant_id", flat=True))
    spans = moments_of(customers, run.begins, run.ends)
    # As many as the zones of the plans: those who share theirs are read together.
    sharing: dict[Span, list[int]] = defaultdict(list)
    for customer, span in spans.items():
        sharing[span].append(customer)
    aside: dict[int, dict[str, int]] = {}
    unpriced: dict[int, int] = {}
    uncounted: dict[int, list[hooks.Uncounted]] = defaultdict(list)
    for span, these in sharing.items():
        aside |= _aside(run.msp_id, these, span)
        unpriced |= _unpriced(run.msp_id, these, span)
        for each in _uncounted(these, span):
            uncounted[each.customer].append(each)
    without = days_without_contract(customers, run.begins, run.ends)
    never = [tenant for tenant, free in without.items() if free == [(run.begins, run.ends)]]
    troubles = why_not_counted(Account.objects.limited().filter(tenant__in=customers))
    closed = list(Customer.objects.filter(pk__in=customers, state=Customer.State.CLOSED))
    bound = {
        each.pk: days_after(each, spans[each.pk], without.get(each.pk, ()), run.begins, run.ends) for each in closed
    }
    gone = {
        each.pk: each.closed_at.date().isoformat()
        for each in closed
        if each.closed_at and left_before(each, spans[each.pk]) and not bound[each.pk]
    }
    accounts = _with_account(never, spans)
    again = set(Adjustment.objects.filter(tenant_id__in=customers, invoice_id=None).values_list("tenant_id", flat=True))
    return Checks(aside, unpriced, dict(uncounted), _before(run), without, accounts, troubles, bound, gone, again)


def _aside(msp: int, customers: Sequence[int], span: Span) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = defaultdict(dict)
    waiting = Charge.objects.filter(msp=msp, tenant__in=customers, outcome__in=ASIDE)
    waiting = waiting.filter(answered__lt=span[1], invited__lt=span[1])
    for tenant, outcome, calls in waiting.values_list("tenant_id", "outcome").annotate(calls=Count("id")):
        found[tenant][outcome] = calls
    return dict(found)


def _unpriced(msp: int, customers: Sequence[int], span: Span) -> dict[int, int]:
    begins, ends = span
    facts = {"begins": begins, "ends": ends, "ringing": begins - LONGEST_RING}
    with connection.cursor() as cursor:
        cursor.execute(_UNPRICED, facts | {"msp": msp, "customers": list(customers)})
        return dict(cursor.fetchall())


def _uncounted(customers: Sequence[int], span: Span) -> list[hooks.Uncounted]:
    # Counts are of whole hours (UTC); where a month begins within one, that hour belongs to it, too.
    begins, ends = (each.astimezone(UTC) for each in span)
    return hooks.uncounted(customers, begins.replace(minute=0), ends)


def _before(run: InvoiceRun) -> dict[tuple[int, str], int]:
    earlier = Invoice.objects.issued().filter(msp=run.msp_id, kind=Invoice.Kind.INVOICE, ends=run.begins)
    rows = earlier.order_by().values_list("tenant_id", "currency").annotate(sum=Sum("net"))
    return {(tenant, currency): int(net) for tenant, currency, net in rows}


def _with_account(customers: Sequence[int], spans: Mapping[int, Span]) -> set[int]:
    """Return those who could make calls that are paid for in the month, though no contract holds on any of its days."""
    active = Customer.objects.filter(pk__in=customers, state=Customer.State.ACTIVE)
    there = [pk for pk, created in active.values_list("pk", "created_at") if created < spans[pk][1]]
    return set(Account.objects.filter(tenant__in=there).values_list("tenant", flat=True))


def _calls(customer: Customer, begins: date, ends: date) -> int:
    since, before = moments(customer.pk, begins, ends)
    made = Charge.objects.filter(tenant=customer, invited__gte=since - LONGEST_RING, invited__lt=before)
    # A call inside or to an emergency number that no deck had to price is nothing to have a contract for.
    return made.filter(answered__gte=since, answered__lt=before).exclude(outcome="free", deck_id=None).count()
