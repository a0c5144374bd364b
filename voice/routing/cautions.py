"""What stands above a policy and would stop a call, or change its caller, whatever the lines say."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from portal.core.fields import format_number
from tenants.models import Customer
from voice.numbers.models import ApprovedCallerId, Number
from voice.rating.limits import account_of
from voice.routing.choose import Outcome


def cautions(customer: Customer, outcome: Outcome, called: str, caller: str, at: datetime) -> list[str]:
    """Return in words what else the current customer's call would meet; numbers as E.164."""
    return [] if outcome is Outcome.EMERGENCY else list(_cautions(customer, outcome, called, caller, at))


def _cautions(customer: Customer, outcome: Outcome, called: str, caller: str, at: datetime) -> Iterator[str]:
    if customer.state == Customer.State.SUSPENDED:
        yield _("Your provider has suspended your calls: until they go on, it is refused.")
    left = account_of(customer).standing(at).left
    if outcome is Outcome.TRUNK and left is not None and left <= 0:
        yield _("Your balance or a limit is used up: now a call that costs something is refused.")
    if outcome is not Outcome.INSIDE and Number.objects.filter(e164=called).exists():
        yield _("This is a number of your own that is not in use. Once it is active, such calls stay inside.")
    if caller and not _may_show(customer, caller):
        shown = customer.default_caller_id
        replaces = customer.caller_id_policy == Customer.CallerIdPolicy.REPLACE
        facts = {"caller": format_number(caller), "shown": format_number(shown) if shown else ""}
        if replaces and shown and _is_active(shown):
            yield _("%(caller)s is not an active number of yours: the call shows %(shown)s instead.") % facts
        else:
            yield _("%(caller)s is not an active number of yours: a call that shows it is refused.") % facts


def _may_show(customer: Customer, caller: str) -> bool:
    approved = customer.foreign_caller_id and ApprovedCallerId.objects.filter(e164=caller).exists()
    return _is_active(caller) or approved


def _is_active(e164: str) -> bool:
    return Number.objects.active().filter(e164=e164).exists()
