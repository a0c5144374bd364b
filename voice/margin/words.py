"""How shares and standings read, the same on pages and in exports."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from portal.ui.status import Status
from voice.calls.models.cdr import Direction
from voice.rating.money import UnknownCurrency, to_minor

BELOW_ZERO = Status(_("Below zero"), "bad", "alert-triangle")
BELOW_TARGET = Status(_("Below target"), "wait", "target")
ON_TARGET = Status(_("On target"), "good", "circle-check")
NO_TARGET = Status(_("In profit"), "good", "circle-check")
NOTHING_EARNED = Status(_("Earns nothing"), "calm", "circle")
TWO_CURRENCIES = Status(_("Two currencies"), "calm", "help-circle")
# What a page says of each figure where it first appears.
MEANINGS = {
    "revenue": _(
        "What calls were charged, or what an issued invoice bills for them, and fees and credits of invoices for the"
        " month. Without tax."
    ),
    "expected": _(
        "What contracts ask for the days so far, with discounts and minimums, less what included minutes take off the"
        " charges, and with prices by volume or per call. Part of the revenue until an invoice takes its place."
    ),
    "cost": _("What your carriers ask for these calls, by their price lists here."),
    "margin": _("Revenue less cost: what stays with you. The percentage is its share of revenue."),
    "forecast": _(
        "What calls will have left by the end of the month: days so far as they were, each day to come as the average "
        "of its weekday in the last four weeks. Fees as billed, or as contracts ask for the whole month."
    ),
    "unbilled": _(
        "Charges of the month that are on no issued invoice yet, also of calls that arrived or were decided late."
    ),
    "by_customers": _(
        "What customers do not accept of lines of their bills for the month, without tax, and wait for your answer"
        " about. It is still in the revenue."
    ),
    "with_carriers": _("What carriers asked for more than you counted, where you have disputed their invoice."),
}

COSTLY = {
    Direction.INTERNAL.value: _("Inside the customer"),
    Direction.EMERGENCY.value: _("Emergency calls"),
    Direction.IN.value: _("Incoming calls"),
    Direction.OUT.value: _("Outgoing, free for the customer"),
    "aside": _("Calls that have no price yet"),
}


def percent(per_mille: int | None) -> str:
    """Return thousandths as a percentage with one decimal."""
    if per_mille is None:
        return "–"
    sign, size = ("−" if per_mille < 0 else ""), abs(per_mille)
    return f"{sign}{size // 10}.{size % 10} %"


def coins(micros: int, currency: str) -> int:
    """Return an amount rounded to the currency's smallest coin, to a cent where the currency is not known."""
    try:
        return to_minor(micros, currency)
    except UnknownCurrency:
        return to_minor(micros, "EUR")


def standing(row: Any, wanted: int | None) -> Status:
    """Return how a result stands to what is wanted; `row` has revenue, margin, per_mille and elsewhere."""
    told = row if isinstance(row, dict) else vars(row)
    if told["elsewhere"]:
        return TWO_CURRENCIES
    if told["margin"] < 0:
        return BELOW_ZERO if told["revenue"] > 0 else NOTHING_EARNED
    if told["per_mille"] is None:
        return NOTHING_EARNED
    if wanted is None:
        return NO_TARGET
    return BELOW_TARGET if told["per_mille"] < wanted else ON_TARGET
