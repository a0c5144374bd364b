"""What becomes of approved caller IDs once somebody here has the number: calls of others show it no more."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from portal.core.audit import Actor
from portal.db import contexts
from tenants.models import Customer
from voice.numbers.models import ApprovedCallerId
from voice.numbers.services import delete_caller_id


def withdraw_taken(*, by: Actor) -> int:
    """Withdraw the approvals of numbers that another customer was given since, and return how many; safe at any time.

    No revision names such a number from then on. This opens one where nothing else does, so that nodes forget it.
    """
    with contexts.public():
        showing = Customer.objects.filter(foreign_caller_id=True).exclude(state=Customer.State.CLOSED)
        customers = list(showing.select_related("msp").order_by("pk"))
    return sum(_withdraw(customer, by) for customer in customers)


def _withdraw(customer: Customer, by: Actor) -> int:
    count = 0
    with contexts.customer(customer):
        for caller_id in list(ApprovedCallerId.objects.held_by_another().order_by("pk")):
            try:
                # Whose it is stays unsaid.
                delete_caller_id(caller_id, customer=customer, by=by, reason=_("The number is another customer's now."))
            except ValidationError:
                # Somebody is at it: it is looked at again.
                continue
            count += 1
    return count
