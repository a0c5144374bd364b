"""What a customer's home says: what its people should look at, and how far a new customer is from its first call."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import formats
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.ui import values
from portal.ui.parts import Step
from sbc.selectors.home import ToDo, dead_trunks, limits, pressing_first
from sbc.selectors.rollout import deployments_of
from tenants.models import Customer, Membership
from tenants.selectors import open_invitations
from voice.carriers.selectors import trunks_for
from voice.directory.models import CivicAddress, Place
from voice.emergency.selectors import emergency_for
from voice.numbers.models import Number
from voice.numbers.selectors import without_location
from voice.rating import warnings
from voice.rating.limits import account_of
from voice.receivables.selectors import bills
from voice.routing.models import Route, RouteTrunk

May = Callable[[str], bool]


def todos_of_customer(customer: Customer, may: May) -> list[ToDo]:
    """Return what a customer should look at, most pressing first; in the customer's database context.

    What the reader may not open is said without a link, and amounts only to who may see bills.
    """
    money = [*limits("account:home", tenant=customer), *_overdue()] if may("bills.view") else [*_stopped(customer)]
    trunks = dead_trunks(trunks_for(customer), "carriers:list", needs="carriers.view")
    numbers = [*_without_help(customer), *_numbers(customer)]
    found = [*_suspended(customer, may), *trunks, *numbers, *_stuck(customer), *money]
    return pressing_first([todo if may(todo.needs or "dashboard.view") else replace(todo, url="") for todo in found])


def money_of(customer: Customer) -> str:
    """Return in a sentence what this month's calls cost so far, and what is left for more."""
    account, at = account_of(customer), now()
    standing = account.standing(at)
    if not standing.spent and standing.left is None:
        return ""
    words = _("Calls of this month cost %(spent)s so far.")
    if account.is_prepaid:
        words = _("Calls of this month cost %(spent)s so far; %(left)s is left on the prepaid account.")
    elif standing.left is not None:
        words = _("Calls of this month cost %(spent)s so far; %(left)s is left of what is allowed.")
    left = max(standing.left or 0, 0)
    return words % {
        "spent": values.total(standing.spent, account.currency),
        "left": values.total(left, account.currency),
    }


def first_steps(customer: Customer, may: May) -> list[Step]:
    """Return how far a customer is that cannot place its first call yet; nothing once it can."""
    numbers = Number.objects.active().exists()
    lines = RouteTrunk.objects.filter(route__enabled=True, route__action=Route.Action.ROUTE).exists()
    if numbers and lines:
        return []
    steps = [*_help_steps(), *_number_steps(numbers), _routing_step(customer, lines), _team_step(customer)]
    return [step if may(needs) else replace(step, action="", url="") for step, needs in steps]


def _suspended(customer: Customer, may: May) -> Iterable[ToDo]:
    if customer.state == Customer.State.SUSPENDED:
        page = "bills:list" if may("bills.view") else "settings:company"
        words = _("Your provider has suspended your calls: only emergency calls go through.")
        yield ToDo(words, reverse(page), "danger")


def _without_help(customer: Customer) -> Iterable[ToDo]:
    dials = [each.dial for each in emergency_for(customer) if not each.trunks and not each.test]
    if dials and Number.objects.active().exists():
        words = _("No trunk carries emergency calls: %(dials)s would get no answer. Ask your provider now.")
        yield ToDo(words % {"dials": ", ".join(dials)}, reverse("emergency:home"), "danger", needs="emergency.view")


def _numbers(customer: Customer) -> Iterable[ToDo]:
    count = without_location(customer).count()
    if count:
        text = ngettext(
            "%(n)d number has no emergency location: it cannot be used before it has one.",
            "%(n)d numbers have no emergency location: they cannot be used before they have one.",
            count,
        )
        yield ToDo(text % {"n": count}, f"{reverse('numbers:list')}?place=none", needs="numbers.view")


def _stuck(customer: Customer) -> Iterable[ToDo]:
    for each in deployments_of(customer, None).filter(state__in=("refused", "held"))[:3]:
        text = _("%(node)s does not take your last change: %(why)s") % {"node": each.node, "why": each.error[:200]}
        yield ToDo(text, reverse("rollout:detail", args=[each.pk]), "danger", needs="rollout.view")


def _overdue() -> Iterable[ToDo]:
    found: QuerySet[Any] = bills()
    for bill in found.filter(left__gt=0, due_on__lt=localdate()).order_by("due_on", "pk")[:3]:
        amount, day = values.money(bill.left, bill.currency), formats.date_format(bill.due_on, "j M Y")
        words = _("Bill %(bill)s was due on %(day)s: %(amount)s is still to be paid.")
        yield ToDo(words % {"bill": bill, "day": day, "amount": amount}, reverse("bills:detail", args=[bill.pk]))


def _stopped(customer: Customer) -> Iterable[ToDo]:
    if any(warning.share == 100 for warning, _account in warnings.open_warnings(tenant=customer)):
        words = _("Calls that cost something are stopped: a limit is used up. Tell an administrator.")
        yield ToDo(words, "", "danger")


def _help_steps() -> Iterable[tuple[Step, str]]:
    """Return what says where help is sent to: a validated street address, and a place at it."""
    draft = CivicAddress.objects.order_by("validation", "pk").first()
    located = CivicAddress.objects.validated().exists()
    why = _("A street address that an ambulance can be sent to, checked by the portal.")
    address = Step(_("Your address"), "done", why)
    if not located and draft is not None:
        url, words = reverse("directory:address", args=[draft.pk]), _("It is written down, but not validated yet.")
        address = Step(_("Your address"), "todo", words, action=_("Validate it"), url=url)
    elif not located:
        address = Step(
            _("Your address"), "todo", why, action=_("Add your address"), url=reverse("directory:address_new")
        )
    yield address, "people.change"
    place = Step(_("Where exactly"), "done", _("A floor, wing or room at that address: each number names one."))
    if not Place.objects.filter(address__validation=CivicAddress.Validation.VALIDATED).exists():
        place = replace(place, state="todo")
        if located:
            place = replace(place, action=_("Add a place"), url=reverse("directory:place_new"))
    yield place, "people.change"


def _number_steps(active: bool) -> Iterable[tuple[Step, str]]:
    given = active or Number.objects.exists()
    words = _("Your provider gives you numbers; they appear here at once. Ask your provider if there are none.")
    yield Step(_("Telephone numbers"), "done" if given else "waiting", "" if given else words), "numbers.view"
    label, why = _("Numbers in use"), _("Give them their place, then activate them.")
    if active or not given:
        yield Step(label, "done" if active else "todo", why), "numbers.change"
    else:
        yield Step(label, "todo", why, action=_("Choose numbers"), url=reverse("numbers:list")), "numbers.change"


def _routing_step(customer: Customer, leads_out: bool) -> tuple[Step, str]:
    label, needs = _("A way out for calls"), "routing.change"
    if leads_out:
        return Step(label, "done", _("The routing policy sends calls over a trunk, the line to a carrier.")), needs
    if not trunks_for(customer).exists():
        words = _("No trunk, the line to a carrier, is shared with you yet. Ask your provider, or bring your own.")
        return Step(label, "waiting", words, action=_("Trunks"), url=reverse("carriers:list")), needs
    words = _("All calls are blocked until the routing policy sends them over a trunk, the line to a carrier.")
    return Step(label, "todo", words, action=_("Choose a trunk"), url=reverse("routing:default")), needs


def _team_step(customer: Customer) -> tuple[Step, str]:
    label, needs = _("Colleagues"), "team.change"
    several = Membership.objects.filter(tenant=customer)[1:2].exists() or open_invitations(None, customer).exists()
    if several:
        return Step(label, "done"), needs
    words = _("Nobody but you can log in so far. You may leave it so.")
    return Step(label, "todo", words, action=_("Invite somebody"), url=reverse("team:invite")), needs
