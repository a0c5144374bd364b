"""The steps of a call's price in plain words, as the clerk would read them out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.ui import values
from voice.calls.models.cdr import Direction
from voice.rating.decks import Miss
from voice.rating.models.charges import PricedOutcome
from voice.rating.pricing import Charge, Rule

ASIDE_WORDS = {
    PricedOutcome.UNRATED: gettext_lazy("no rate holds for this number, direction and moment"),
    PricedOutcome.BLOCKED: gettext_lazy("numbers that begin like this must not be called"),
    PricedOutcome.NO_NUMBER: gettext_lazy("what was called is not an international number"),
    PricedOutcome.NO_END: gettext_lazy("it is not known when the call ended"),
    PricedOutcome.NO_LENGTH: gettext_lazy("the call ended no later than it was answered"),
    PricedOutcome.TOO_LONG: gettext_lazy("more than a day lies between its answer and its end"),
}
MISSES = {
    Miss.NOT_YET: gettext_lazy("it holds only from a later day"),
    Miss.ENDED: gettext_lazy("it had ended before the call"),
    Miss.CALLER: gettext_lazy("it is for calls from other numbers"),
    Miss.SHORTER: gettext_lazy("a price for a longer part of the number comes first"),
    Miss.BROADER: gettext_lazy("a price for fewer callers comes first"),
}


@dataclass(frozen=True)
class Sight:
    """How many digits of the called and of the caller's number a reader may see."""

    called: int = 15
    caller: int = 15


def told(charge: Charge, sight: Sight) -> list[str]:
    """Return the steps of a charge, each as a sentence; no prefix shows more of a number than the reader may see."""
    return [sentence for step in charge.steps for sentence in _sentences(step.rule, _cut(step.values, sight), charge)]


def price_words(charge: Charge, sight: Sight) -> str:
    """Return the price that decided, such as 0.18 € a minute for Germany; nothing where none did."""
    if charge.rate is None:
        return ""
    facts = {
        "price": values.money(charge.rate.per_minute, charge.currency),
        "prefix": shown(charge.rate.prefix, sight.called), "destination": charge.rate.destination or _("every number"),
    }  # fmt: skip
    return _("%(destination)s (numbers from +%(prefix)s): %(price)s a minute") % facts


def _cut(facts: Mapping[str, Any], sight: Sight) -> Mapping[str, Any]:
    if "prefix" not in facts:
        return facts
    prefixes = {"prefix": shown(facts["prefix"], sight.called), "callers": shown(facts["callers"], sight.caller)}
    return {**facts, **prefixes}


def shown(prefix: str, digits: int) -> str:
    """Return a prefix to somebody who may see so many digits of the number that it begins."""
    return prefix if len(prefix) <= digits else prefix[:digits] + "…"


def _sentences(rule: Rule, facts: Mapping[str, Any], charge: Charge) -> Iterator[str]:
    money = _money(charge.currency)
    if rule is Rule.ANSWERED:
        if facts["seconds"]:
            yield ngettext(
                "The call counts %(n)d second, rounded up.", "The call counts %(n)d seconds, rounded up.",
                facts["seconds"],
            ) % {"n": facts["seconds"]}  # fmt: skip
    elif rule is Rule.DIRECTION:
        name = Direction(str(facts["direction"])).label.lower()
        yield _("Calls of this kind (%(direction)s) are free of charge.") % {"direction": name}
    elif rule is Rule.PREFIX:
        yield _prefix(facts, charge)
    elif rule is Rule.BILLED:
        yield _billed(facts)
    elif rule is Rule.GRACE:
        yield _("Calls of up to %(grace)d s cost nothing.") % {"grace": facts["grace"]}
    elif rule is Rule.PART:
        words = {"seconds": facts["seconds"], "price": money(facts["per_minute"]), "band": facts["band"]}
        if facts["band"]:
            yield _("%(seconds)d s at %(price)s a minute (%(band)s).") % words
        else:
            yield _("%(seconds)d s at %(price)s a minute.") % words
    elif rule is Rule.ROUNDED:
        yield _("Together %(amount)s, rounded to a millionth.") % {"amount": money(facts["micros"])}
    else:
        yield from _amounts(rule, facts, money)


def _amounts(rule: Rule, facts: Mapping[str, Any], money: Any) -> Iterator[str]:
    if rule is Rule.FEE:
        yield _("Connection fee, once a call: %(amount)s.") % {"amount": money(facts["fee"])}
    elif rule is Rule.AT_LEAST:
        yield _("At least %(amount)s is asked for a call.") % {"amount": money(facts["micros"])}
    elif rule is Rule.AT_MOST:
        yield _("At most %(amount)s is asked for a call.") % {"amount": money(facts["micros"])}
    elif rule is Rule.TOTAL:
        yield _("The call costs %(amount)s.") % {"amount": money(facts["micros"])}
    elif rule is Rule.KEPT_ASIDE:
        why = ASIDE_WORDS[PricedOutcome(str(facts["outcome"]))]
        yield _("The call has no price yet: %(why)s.") % {"why": why}


def _prefix(facts: Mapping[str, Any], charge: Charge) -> str:
    words = {
        "prefix": facts["prefix"], "destination": facts["destination"] or _("every number"),
        "callers": facts["callers"],
    }  # fmt: skip
    if "miss" in facts:
        words["why"] = MISSES[Miss(str(facts["miss"]))]
        return _("The price for +%(prefix)s, %(destination)s, does not apply: %(why)s.") % words
    words["price"] = _money(charge.currency)(charge.rate.per_minute if charge.rate else 0)
    if facts["callers"]:
        return _(
            "The number begins with +%(prefix)s, the caller's with +%(callers)s: %(destination)s, %(price)s a minute."
        ) % words  # fmt: skip
    return _("The number begins with +%(prefix)s: %(destination)s, %(price)s a minute.") % words


def _billed(facts: Mapping[str, Any]) -> str:
    words = {"billed": facts["billed"], "minimum": facts["minimum"], "increment": facts["increment"]}
    if facts["minimum"] > 1 or facts["increment"] > 1:
        return _(
            "%(billed)d s are billed: at least %(minimum)d s, then in steps of %(increment)d s."
        ) % words  # fmt: skip
    return _("%(billed)d s are billed, by the second.") % words


def _money(currency: str) -> Any:
    return lambda micros: values.money(int(micros), currency) if currency else str(micros)
