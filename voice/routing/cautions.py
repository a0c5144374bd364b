"""What stands above a policy and would stop a call, or has changed its caller, whatever the lines say."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from portal.core.fields import format_number
from tenants.models import Customer
from voice.numbers.models import Number
from voice.rating.limits import account_of
from voice.routing.choose import Choice, Outcome


def cautions(customer: Customer, choice: Choice, called: str, caller: str, at: datetime) -> list[str]:
    """Return in words what else the current customer's call would meet; numbers as E.164."""
    return [] if choice.outcome is Outcome.EMERGENCY else list(_cautions(customer, choice, called, caller, at))


def _cautions(customer: Customer, choice: Choice, called: str, caller: str, at: datetime) -> Iterator[str]:
    if customer.state == Customer.State.SUSPENDED:
        yield _("Your provider has suspended your calls: until they go on, it is refused.")
    left = account_of(customer).standing(at).left
    if choice.outcome is Outcome.TRUNK and left is not None and left <= 0:
        yield _("Your balance or a limit is used up: now a call that costs something is refused.")
    if choice.outcome is not Outcome.INSIDE and Number.objects.filter(e164=called).exists():
        yield _("This is a number of your own that is not in use. Once it is active, such calls stay inside.")
    if caller and choice.shown and choice.shown != caller.lstrip("+"):
        facts = {"caller": format_number(caller), "shown": format_number(f"+{choice.shown}")}
        yield _("%(caller)s is not an active number of yours: the call shows %(shown)s, and lines go by that.") % facts
