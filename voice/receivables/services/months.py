"""One customer's month: its calls and what its contract adds, as a draft with the calls on its lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from portal.core.audit import Actor
from tenants.models import Customer
from voice.currencies.selectors import rate_on
from voice.languages import language_of
from voice.plans import words
from voice.plans.bills import USAGE, PlanBill, PlanItem, moments, plan_bill
from voice.plans.counting import numbers_held
from voice.plans.ordering import closes_days, forget_draws, keep_draws
from voice.plans.selectors import days_without_contract
from voice.rating.money import to_minor
from voice.receivables.again import Again, priced_again
from voice.receivables.composer import Item, Taxed
from voice.receivables.models import BillingProfile, Invoice
from voice.receivables.services.invoices import draft, drawn_by
from voice.receivables.usage import Moved, Unbilled, put_on_lines, unbilled
from voice.rerating.selectors import unbilled_sums
from voice.rerating.services import take

SOURCE = "run"
ATTEMPTS = 3
Key = tuple[str, str, str]


@dataclass(slots=True)
class Month:
    """Where the items of a month's invoice come from: what the plan makes of the calls, each taxed by its class."""

    profile: BillingProfile
    wanted: Sequence[PlanItem]
    at: date
    name: str = SOURCE

    def items(self, begins: date, ends: date, taxed: Taxed) -> Iterator[Item]:
        """Yield the items in the order of the bill; raises ValidationError for a tax that nobody entered."""
        for item in self.wanted:
            yield self._item(item, taxed)

    def _item(self, item: PlanItem, taxed: Taxed) -> Item:
        micros, basis = item.micros, dict(item.basis)
        if item.currency:
            # Rounded here, once, straight from the exact product: a line of whole coins stays as it is.
            rate = rate_on(item.currency, self.profile.currency, self.at)
            micros = to_minor(rate.exact(item.micros), self.profile.currency)
            basis |= {"currency": item.currency, "micros": item.micros, "rate": str(rate)}
        return Item(
            item.kind, group_of(item), item.text, micros, taxed(item.tax_class), quantity=item.quantity,
            seconds=item.seconds, basis=basis,
        )  # fmt: skip


def group_of(item: PlanItem) -> str:
    """Return the group of an item's line: amounts that are converted stand by themselves."""
    return f"{item.group} {item.currency}" if item.currency else item.group


def draft_month(profile: BillingProfile, begins: date, ends: date, *, by: Actor) -> tuple[Invoice | None, Unbilled]:
    """Write the draft of a customer's month with the calls on its lines; None where nothing was asked or given.

    Raises ValidationError and NoRate in words. A call that comes in meanwhile makes us look again.
    """
    for _attempt in range(ATTEMPTS - 1):
        try:
            return _draft(profile, begins, ends, by)
        except Moved:
            continue
    return _draft(profile, begins, ends, by)


def asked_of(customer: Customer, begins: date, ends: date) -> tuple[int, bool]:
    """Return how many calls a customer's month has, and whether these or its contract ask for an invoice."""
    _wait_for_changes(customer.pk)
    since, before = moments(customer.pk, begins, ends)
    found = unbilled(customer.pk, customer.msp_id, since, before)
    return found.count, _asks(*_reckon(customer, begins, ends, "", found))


def close_without_invoice(customer: Customer, begins: date, ends: date) -> None:
    """Close the days of a month that asked for nothing, where it had a contract: no later change makes them ask."""
    if days_without_contract([customer.pk], begins, ends).get(customer.pk) != [(begins, ends)]:
        keep_draws(customer, begins, ends, (), _without_invoice(begins))


def is_closed_without_invoice(customer: Customer, begins: date) -> bool:
    """Tell whether a month's days are closed so."""
    return closes_days(customer, _without_invoice(begins))


def open_without_invoice(customer: Customer, begins: date) -> None:
    """Open the days again that were closed so."""
    forget_draws(customer, _without_invoice(begins))


def _without_invoice(begins: date) -> str:
    return f"nothing {begins:%Y-%m}"


def _reckon(
    customer: Customer, begins: date, ends: date, currency: str, found: Unbilled
) -> tuple[PlanBill, list[Again]]:
    """Return what the plan makes of a period's calls, and what those ask that were priced again."""
    facts = (customer.pk, begins, ends, currency, found.sums, found.calls, found.oldest)
    plan = plan_bill(*facts)
    again = priced_again(customer, begins, ends, found.before, plan.covers)
    if again:
        # What is missing to a commitment is known only now.
        plan = plan_bill(*facts, [asked for each in again for asked in each.by_day()])
    return plan, again


def _asks(plan: PlanBill, again: Sequence[Again]) -> bool:
    # Calls that included minutes bear have a price and took something: a bill shows them, also over nothing.
    return bool(plan.covers) or any(item.micros for item in plan.items) or any(each.asked for each in again)


def _wait_for_changes(customer: int) -> None:
    """Let whoever changes the customer's contract wait until its days are closed, or have changed it before we look."""
    Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=customer)


@transaction.atomic
def _draft(profile: BillingProfile, begins: date, ends: date, by: Actor) -> tuple[Invoice | None, Unbilled]:
    _wait_for_changes(profile.tenant_id)
    since, before = moments(profile.tenant_id, begins, ends)
    found = unbilled(profile.tenant_id, profile.msp_id, since, before)
    open_ = unbilled_sums(profile.tenant_id, before)
    with words.in_language(language_of(profile.language, profile.country)):
        plan, again = _reckon(profile.tenant, begins, ends, profile.currency, found)
        items = [*plan.items, *(each.item(profile.currency) for each in again)]
    if not _asks(plan, again):
        return None, found
    month = Month(profile, items, ends - timedelta(days=1))
    numbers = numbers_held(profile.tenant, begins, ends, before.tzinfo or UTC)
    invoice = draft(profile, month, begins=begins, ends=ends, by=by, numbers=numbers)
    put_on_lines(found, _lines(invoice, plan, found), plan.covers)
    if take(profile.tenant_id, before, invoice.pk) != open_:
        raise Moved
    # What these days cost and give is billed, also where that is calls alone: contracts and changes come too late.
    keep_draws(profile.tenant, begins, ends, plan.draws, drawn_by(invoice))
    return invoice, found


def _lines(invoice: Invoice, plan: PlanBill, found: Unbilled) -> dict[Key, int]:
    """Return the line of each sum: the one that names its destination, or else its direction, or else the first."""
    lines = list(invoice.lines.order_by("position"))
    places = {(line.group, line.text): line.pk for line in lines if line.kind == USAGE}
    exact: dict[tuple[Any, ...], int] = {}
    for item in plan.items:
        if item.kind == USAGE:
            for destination in item.basis.get("destinations", [item.basis.get("destination")]):
                key = (item.basis.get("direction"), destination, item.currency)
                exact.setdefault(key, places[group_of(item), item.text])
    by_direction = {line.basis.get("direction"): line.pk for line in reversed(lines) if line.kind == USAGE}
    return {
        (each.direction, each.destination, each.currency): exact.get(
            (each.direction, each.destination, "" if each.currency in ("", invoice.currency) else each.currency),
            by_direction.get(each.direction, lines[0].pk),
        )
        for each in found.sums
    }


def words_of_refusal(error: Exception) -> str:
    """Return a refusal as one text."""
    return " ".join(getattr(error, "messages", None) or [str(error) or _("It could not be worked out.")])
