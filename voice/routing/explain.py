"""A choice in plain words: the sentence above the trace, and why each line did not take the call."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.core.fields import format_number
from voice.routing.choose import Choice, LeftOut, Miss, Order, Outcome

# For the MSP alone: a customer could learn from them what its provider pays.
LEFT_OUT = {
    LeftOut.BLOCKED: gettext_lazy("left out: blocked by the carrier's deck"),
    LeftOut.NO_PRICE: gettext_lazy("left out: no price for this number"),
    LeftOut.BELOW_COST: gettext_lazy("left out: costs more than the customer pays"),
}


@dataclass(frozen=True)
class Explained:
    """`sentence` is the answer, `notes` say more of it; `lines` pair each line's id with its reason, in dial order."""

    sentence: str
    matched: int | None
    lines: tuple[tuple[int, str], ...]
    notes: tuple[str, ...] = ()


def explain(choice: Choice, called: str, names: dict[str, str], typical: str = "") -> Explained:
    """Return the answer in words; `names` maps gateways to the names of trunks, `typical` is the length in words."""
    number = format_number(called) if called.startswith("+") else called
    trunks = _(", then ").join(names.get(gateway, "?") for gateway in choice.trunks)
    sentences = {
        Outcome.EMERGENCY: _(
            "%(number)s is an emergency number. It passes every limit and block and leaves over %(trunks)s."
        )
        if choice.trunks
        else _("%(number)s is an emergency number, and no trunk is set for it. Set one under Emergency now."),
        Outcome.CALLER_REFUSED: _(
            "A call to %(number)s is refused for its caller: that is no active number of yours, "
            "and no other is shown instead."
        ),
        Outcome.INSIDE: _("%(number)s is one of your own numbers. The call stays inside and rings there."),
        Outcome.TRUNK: _("A call to %(number)s leaves over %(trunks)s."),
        Outcome.BLOCKED: _("A call to %(number)s is blocked by this policy."),
        Outcome.BLOCKED_BY_PROVIDER: _("A call to %(number)s is blocked by your provider for all of its customers."),
        Outcome.NOT_OFFERED: _("%(number)s is not offered over the trunks of this line, so the call is refused."),
        Outcome.BELOW_COST: _("%(number)s is not offered over the trunks of this line, so the call is refused."),
        Outcome.NO_LINE: _("No line takes a call to %(number)s, so it is blocked."),
    }
    sentence = sentences[choice.outcome] % {"number": number, "trunks": trunks}
    lines = tuple((step.line.id, _why(step.miss)) for step in choice.trace)
    return Explained(sentence, choice.line.id if choice.line else None, lines, tuple(_notes(choice, names, typical)))


def _notes(choice: Choice, names: dict[str, str], typical: str) -> Iterator[str]:
    if choice.line is not None and choice.line.order is not Order.LISTED and len(choice.trunks) > 1:
        yield _(
            "The cheapest is tried first: the trunk over which a call of %(length)s to this number costs your provider "
            "the least at this moment."
        ) % {"length": typical}
    if choice.trunks and choice.left_out:
        trunks = ", ".join(names.get(gateway, "?") for gateway, _why in choice.left_out)
        yield _("Not offered for this number, so left out: %(trunks)s.") % {"trunks": trunks}


def _why(miss: Miss | None) -> str:
    if miss is None:
        return _("takes the call")
    return {
        Miss.DISABLED: _("is not in use"),
        Miss.NUMBER: _("is for other numbers"),
        Miss.CALLER: _("is for other callers"),
        Miss.CLOSED: _("does not apply at this hour"),
        Miss.LATER: _("was not asked: an earlier line took the call"),
    }[miss]


def hours_in_words(windows: list[dict[str, Any]]) -> list[str]:
    """Return stored windows as lines such as `Mon, Tue: 09:00–17:00`."""
    return [
        f"{', '.join(str(WEEKDAYS_ABBR[day]) for day in window['days'])}: {window['begin']}–{window['until']}"
        for window in windows
    ]
