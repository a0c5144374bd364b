"""Events of the books that never moved the account by which calls stop: those of before accounts were told of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial

from django.db import transaction
from django.db.models import F

from portal.core.audit import Actor
from tenants.models import Customer
from voice.payments.models import CardAttempt, Reminder
from voice.rating.models import Account, Movement
from voice.receivables.models import Invoice, Payment, Reversal
from voice.receivables.services import counting, lock_account


@dataclass(frozen=True, slots=True)
class Event:
    """What moves an account by so much, above zero gives, and how that is counted."""

    day: date
    reference: str
    micros: int
    currency: str
    count: Callable[..., None]


def missed(customer: Customer) -> list[Event]:
    """Return the events of a customer's books that its account has not counted, the oldest first. Run as the MSP."""
    events = sorted((each for each in _events(customer) if each.micros), key=lambda each: (each.day, each.reference))
    account = Account.objects.filter(pk=customer.pk).first()
    # An account counts one currency; where there is none yet, the first event opens it.
    currency = account.currency if account else events[0].currency if events else ""
    known = set(Movement.objects.filter(tenant=customer).values_list("reference", flat=True))
    return [each for each in events if each.currency == currency and each.reference not in known]


@transaction.atomic
def count_missed(customer: Customer, *, by: Actor) -> list[Event]:
    """Count what was missed, each event as what it is and under its own reference, and return it. Run as the MSP."""
    lock_account(customer.pk)
    found = missed(customer)
    for each in found:
        each.count(by=by)
    return found


def _events(customer: Customer) -> Iterator[Event]:
    for document in Invoice.objects.issued().filter(tenant=customer, issued_on__isnull=False):
        assert document.issued_on is not None
        yield Event(
            document.issued_on, counting.reference_of(document), counting.asks(document), document.currency,
            partial(counting.count, document),
        )  # fmt: skip
    topped_up = set(
        CardAttempt.objects.filter(tenant=customer, kind=CardAttempt.Kind.TOP_UP).values_list("payment", flat=True)
    )
    for payment in Payment.objects.filter(tenant=customer):
        yield Event(
            payment.received_on, counting.reference_of(payment), payment.amount, payment.currency,
            partial(counting.count_payment, payment, settles=payment.pk not in topped_up),
        )  # fmt: skip
    for reversal in Reversal.objects.filter(tenant=customer).select_related("payment"):
        yield Event(
            reversal.booked_on, counting.reference_of(reversal), -reversal.amount, reversal.payment.currency,
            partial(counting.count_reversal, reversal),
        )  # fmt: skip
    sent = Reminder.objects.filter(tenant=customer, state=Reminder.State.RELEASED, released_on__isnull=False)
    for reminder in sent.annotate(costs=F("fee") + F("interest")):
        told, reference = (customer.pk, reminder.costs, reminder.currency), f"reminder-{reminder.pk}"
        assert reminder.released_on is not None
        yield Event(
            reminder.released_on, reference, -reminder.costs, reminder.currency,
            partial(counting.count_fee, *told, on=reminder.released_on, reference=reference),
        )  # fmt: skip
