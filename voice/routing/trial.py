"""*What would this call cost?*: the trunks that a customer's call would try, what each asks, and what that leaves."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from portal.db import contexts
from tenants.models import Customer, Msp
from voice.carriers.selectors import trunks_for
from voice.rating.typical import in_words
from voice.routing.choose import CallQuery, Choice, choose
from voice.routing.explain import LEFT_OUT, explain
from voice.routing.prices import Priced, priced
from voice.routing.selectors import policy_for


@dataclass(frozen=True)
class Way:
    """One trunk of a line: its place in the order or why it has none, what the call costs and what that leaves."""

    gateway: str
    name: str
    place: int
    why: str
    asks: int | None
    margin: int | None


@dataclass(frozen=True)
class Trial:
    """What would happen, in a sentence and trunk by trunk, compared by what a call of `seconds` costs.

    `pays` is what the customer pays for it, None is unknown; `converted` are the exchange rates that led to `currency`,
    `not_compared` the currencies from which none did.
    """

    outcome: str
    sentence: str
    ways: list[Way]
    seconds: int
    pays: int | None
    protects: bool
    currency: str
    converted: list[str]
    not_compared: list[str]

    @property
    def length(self) -> str:
        """Return the length of the typical call in words."""
        return in_words(self.seconds)


def trial(msp: Msp, customer: Customer, called: str, caller: str, at: datetime) -> Trial:
    """Return what a call of the MSP's customer would do and cost; nothing is called."""
    with contexts.msp(msp, customer):
        names = {trunk.gateway: trunk.name for trunk in trunks_for(customer)}
        found = priced(customer, called.lstrip("+"), at)
        call = CallQuery(called.lstrip("+"), caller.lstrip("+") or None, at)
        choice = choose(policy_for(customer), call, found.quotes)
        return Trial(
            choice.outcome.value, explain(choice, called, names).sentence, _ways(choice, found, names),
            found.by.call.seconds, found.quotes.pays, found.quotes.protects, found.by.call.currency,
            [str(each) for each in found.by.conversions], list(found.by.missing),
        )  # fmt: skip


def _ways(choice: Choice, found: Priced, names: dict[str, str]) -> list[Way]:
    left_out = dict(choice.left_out)
    ways = []
    for place, gateway in enumerate([*choice.trunks, *left_out], 1):
        ask, pays = found.quotes.asks.get(gateway), found.quotes.pays
        why = str(LEFT_OUT[left_out[gateway]]) if gateway in left_out else ""
        if ask is None and not why:
            why = _("the customer's own")
        asks = ask.cost if ask is not None else None
        margin = pays - asks if pays is not None and asks is not None else None
        place = 0 if gateway in left_out else place
        ways.append(Way(gateway, names.get(gateway, gateway), place, why, asks, margin))
    return ways
