"""Writes that concern the stock alone; giving numbers to customers and taking them back is voice.numbers.allocation."""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.core import audit
from portal.core.audit import Actor
from tenants.models import Customer, Msp
from tenants.services.customers import demand_open
from voice.edits import facts, locked
from voice.inventory.models import StockNumber
from voice.inventory.ranges import folded

State = StockNumber.State
STOCK_FACTS = ("kind", "carrier", "monthly_cost", "state")


@transaction.atomic
def save_stock_number(number: StockNumber, *, by: Actor) -> StockNumber:
    """Store what the MSP notes about a number: kind, carrier, cost."""
    stored = locked(number)
    if stored is None:
        raise ValidationError(_("Numbers come into the stock by import."))
    if number.carrier and number.carrier.msp_id != number.msp_id:
        raise ValidationError({"carrier": _("Choose one of your own carriers.")})
    number.full_clean()
    number.row_version += 1
    number.save(update_fields=["kind", "carrier", "monthly_cost", "row_version"])
    audit.record(by, "stock.saved", number, before=facts(stored, STOCK_FACTS), after=facts(number, STOCK_FACTS))
    return number


@transaction.atomic
def reserve(ids: Sequence[int], *, msp: Msp, customer: Customer | None, by: Actor) -> int:
    """Keep free numbers back, for one customer or for nobody yet."""
    if customer and customer.msp_id != msp.pk:
        raise ValidationError(_("Choose one of your own customers."))
    numbers = lock_numbers(ids, msp)
    refuse_unless(numbers, {State.AVAILABLE}, _("free"))
    if customer:
        demand_open(customer)
    StockNumber.objects.filter(pk__in=[number.pk for number in numbers]).update(state=State.RESERVED, tenant=customer)
    e164s = folded(number.e164 for number in numbers)
    audit.record(by, "stock.reserved", msp, numbers=e164s, customer=customer.name if customer else "")
    return len(numbers)


@transaction.atomic
def unreserve(ids: Sequence[int], *, msp: Msp, by: Actor) -> int:
    """Make reserved numbers free again."""
    numbers = lock_numbers(ids, msp)
    refuse_unless(numbers, {State.RESERVED}, _("reserved"))
    StockNumber.objects.filter(pk__in=[number.pk for number in numbers]).update(state=State.AVAILABLE, tenant=None)
    audit.record(by, "stock.unreserved", msp, numbers=folded(number.e164 for number in numbers))
    return len(numbers)


@transaction.atomic
def close_numbers(ids: Sequence[int], *, msp: Msp, by: Actor) -> int:
    """Take free numbers out of the stock for good: given back to the carrier, or ported away."""
    numbers = lock_numbers(ids, msp)
    refuse_unless(numbers, {State.AVAILABLE, State.COOLING, State.RESERVED}, _("free"))
    StockNumber.objects.filter(pk__in=[number.pk for number in numbers]).update(
        state=State.CLOSED, cooling_until=None, tenant=None
    )
    audit.record(by, "stock.closed", msp, numbers=folded(number.e164 for number in numbers))
    return len(numbers)


@transaction.atomic
def end_cooling(msp: Msp, *, now: datetime) -> int:
    """Make the MSP's numbers free whose cooling time is over."""
    over = StockNumber.objects.filter(msp=msp, state=State.COOLING, cooling_until__lte=now)
    return over.update(state=State.AVAILABLE, cooling_until=None)


def lock_numbers(ids: Sequence[int], msp: Msp) -> list[StockNumber]:
    """Return the MSP's numbers under lock, always in the same order; raises ValidationError when one is not there."""
    rows = StockNumber.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=set(ids), msp=msp)
    numbers = list(rows.order_by("pk"))
    if not ids:
        raise ValidationError(_("Choose at least one number."))
    if len(numbers) != len(set(ids)):
        raise ValidationError(_("Some of these numbers are not in your stock any more. Look at the list again."))
    return numbers


def refuse_unless(numbers: Sequence[StockNumber], states: set[State], word: str) -> None:
    """Raise ValidationError naming the numbers that are in another state."""
    wrong = [number for number in numbers if number.state not in states]
    if wrong:
        shown = ", ".join(f"{number.e164} ({number.get_state_display().lower()})" for number in wrong[:5])
        more = f" … +{len(wrong) - 5}" if len(wrong) > 5 else ""
        words = ngettext(
            "%(count)d number is not %(word)s: %(shown)s.", "%(count)d numbers are not %(word)s: %(shown)s.", len(wrong)
        )
        raise ValidationError(words % {"count": len(wrong), "word": word, "shown": shown + more})
