"""What calls cost on the pages of calls: a column and a filter in lists and exports, a panel on a call's page.

A customer's readers get charges, and only with `bills.view`; costs and margins are the MSP's, with `costs.view`.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from portal.ui import markup, values
from portal.ui.columns import Choice, Column, Filter, Text
from portal.ui.status import Status
from voice.calls.models import Cdr, CdrQuerySet
from voice.carriers.models import Trunk
from voice.rating import pricing
from voice.rating.decks import Direction
from voice.rating.explain import Sight, price_words, told
from voice.rating.loading import deck_around
from voice.rating.models import Charge, Cost, DeckRate, PricedOutcome, RateDeck
from voice.rating.models.charges import ASIDE
from voice.rating.talks import CALLED, talk_of_cdr

KEY = {"tenant_id": OuterRef("tenant_id"), "invited": OuterRef("invited"), "id": OuterRef("id")}
MOST_DIGITS = 15
CHIPS = {each.value: Status(each.label, "wait", "help-circle") for each in PricedOutcome if each.value in ASIDE}


def chip(outcome: str) -> Status:
    """Return the chip of a call that is kept aside."""
    return CHIPS[outcome]


@dataclass(frozen=True)
class Told:
    """A charge or a cost with the steps that led there, for a call's page."""

    amount: str
    steps: list[str]
    price: str
    deck: str = ""
    trunk: str = ""
    waiting: Status | None = None


class CallPrices:
    """Adds what calls cost to the lists and pages of calls."""

    def add_to(self, calls: CdrQuerySet, request: HttpRequest) -> CdrQuerySet:
        """Return the calls with their charges, where the reader may see those."""
        if not _may(request, "bills.view"):
            return calls
        shown = JSONObject(micros="micros", currency="currency", outcome="outcome")
        found: CdrQuerySet = calls.annotate(charge=Subquery(Charge.objects.filter(**KEY).values(shown=shown)))
        return found

    def columns(self, request: HttpRequest) -> list[Column]:
        """Return the column of charges, for those who may see bills."""
        return [ChargeColumn("charge", _("Charge"), kind="money", draw=_draw)] if _may(request, "bills.view") else []

    def filters(self, request: HttpRequest) -> list[Filter]:
        """Return the filters by what became of the charge, and by the destination that it was for."""
        if not _may(request, "bills.view"):
            return []
        offered = [("aside", _("Kept aside: has no price yet")), *PricedOutcome.choices]
        return [
            Choice("charge", _("Charge"), offered, apply=_narrow),
            Text("destination", _("Destination"), apply=_to_destination),
        ]

    def panel(self, request: HttpRequest, call: Cdr, *, is_corrected: bool = False) -> str:
        """Return what a call cost and how that came about; where that was corrected since, as it was posted first."""
        if not _may(request, "bills.view") or call.answered is None:
            return ""
        is_msp = request.tenant is None  # type: ignore[attr-defined]
        sight = sight_of_call(call)
        call = Cdr.objects.get(tenant_id=call.tenant_id, invited=call.invited, id=call.id)
        charge = Charge.objects.filter(tenant_id=call.tenant_id, invited=call.invited, id=call.id).first()
        context: dict[str, Any] = {
            "charge": _told(call, charge, call.direction, sight, deck=is_msp) if charge else None,
            "is_msp": is_msp,
            "is_corrected": is_corrected,
        }
        if is_msp and _may(request, "costs.view"):
            costs = list(Cost.objects.filter(tenant_id=call.tenant_id, invited=call.invited, id=call.id))
            names = dict(Trunk.objects.filter(pk__in=[cost.trunk for cost in costs]).values_list("pk", "name"))
            context["costs"] = [_cost(call, cost, sight, names.get(cost.trunk, "")) for cost in costs]
            context["margin"] = "" if is_corrected else _margin(charge, costs)
        return render_to_string("voice/rating/call_price.html", context, request)


class ChargeColumn(Column):
    """A call's charge; the export says in words why there is none."""

    def text(self, row: Any) -> str:
        found = row.charge
        if not found:
            return ""
        aside = found["outcome"] in ASIDE
        return str(PricedOutcome(found["outcome"]).label) if aside else _amount(found["micros"], found["currency"])


def _draw(row: Any) -> str:
    found = row.charge
    if not found:
        return markup.NONE
    if found["outcome"] in ASIDE:
        return markup.chip(chip(found["outcome"]))
    return format_html('<span class="text-nowrap">{}</span>', _amount(found["micros"], found["currency"]))


def _narrow(calls: QuerySet[Any], value: str) -> QuerySet[Any]:
    outcomes = ASIDE if value == "aside" else (value,)
    return calls.filter(Exists(Charge.objects.filter(**KEY, outcome__in=outcomes)))


def _to_destination(calls: QuerySet[Any], text: str) -> QuerySet[Any]:
    return calls.filter(Exists(Charge.objects.filter(**KEY, destination__iexact=text)))


def _told(call: Cdr, kept: Charge | Cost, direction: str, sight: Sight, *, deck: bool = False, trunk: str = "") -> Told:
    """Return what was stored, with the steps where they lead to the same amount today."""
    talk = talk_of_cdr(call)
    around = deck_around(kept.deck_id, talk.called) if kept.deck_id else None
    steps, price = [], ""
    if around is not None and (trunk or talk.side != CALLED):
        asked = pricing.Call(talk.called, talk.caller, talk.answered, talk.ended, direction)
        found = pricing.price(asked, around)
        if (found.outcome.value, found.micros) == (kept.outcome, kept.micros):
            steps, price = told(found, sight), price_words(found, sight)
    waiting = chip(kept.outcome) if kept.is_kept_aside else None
    return Told(_amount(kept.micros, kept.currency), steps, price, _deck_words(kept) if deck else "", trunk, waiting)


def _deck_words(kept: Charge | Cost) -> str:
    """Return the deck that priced a call, with the version that brought the rate and the day from which it holds."""
    name = RateDeck.objects.filter(pk=kept.deck_id).values_list("name", flat=True).first() if kept.deck_id else None
    rate = DeckRate.objects.filter(pk=kept.rate_id).select_related("version").first() if kept.rate_id else None
    if not name or rate is None or rate.version is None:
        return name or ""
    facts = {"deck": name, "number": rate.version.number, "day": date_format(rate.begins, "j M Y")}
    return str(_("%(deck)s, version %(number)d, a rate since %(day)s") % facts)


def _cost(call: Cdr, cost: Cost, sight: Sight, trunk: str) -> Told:
    came_in = talk_of_cdr(call).ingress == cost.trunk
    if call.direction == Direction.EMERGENCY:
        direction = Direction.EMERGENCY.value
    else:
        direction = Direction.IN.value if came_in else Direction.OUT.value
    return _told(call, cost, direction, sight, deck=True, trunk=trunk or f"g{cost.trunk}")


def sight_of_call(call: Cdr) -> Sight:
    """Return how much of a call's prefixes a reader may see, by the call as it was shown: as far as the numbers."""
    return Sight(_visible(call.called), _visible(call.caller_sent or call.caller))


def _visible(number: str) -> int:
    return len(number.strip("+*")) if number.endswith("*") else MOST_DIGITS


def _margin(charge: Charge | None, costs: list[Cost]) -> str:
    """Return charge less costs, where all are known and in one currency."""
    if charge is None or charge.is_kept_aside or any(cost.is_kept_aside for cost in costs):
        return ""
    currencies = {each.currency for each in (charge, *costs) if each.micros}
    if len(currencies) > 1:
        return ""
    return _amount(charge.micros - sum(cost.micros for cost in costs), next(iter(currencies), charge.currency))


def _amount(micros: int, currency: str) -> str:
    return values.money(micros, currency) if currency else "0"


def _may(request: HttpRequest, capability: str) -> bool:
    can = getattr(request, "can", None)
    return can is not None and bool(can(capability))
