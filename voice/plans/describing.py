"""What a plan is made of, in sentences: on the MSP's pages, on the customer's, in previews."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.ui import values
from voice.plans.facts import CALL, COMMITMENT, DISCOUNT, EMERGENCY, MINUTES, MONTHLY, ONCE, TIERS, Clause
from voice.plans.models import Component

PER = dict(Component.Per.choices)
SHOWN_DESTINATIONS = 6


def described(clause: Clause, currency: str) -> str:
    """Return one sentence that says what the clause asks for or gives."""
    words = {"amount": values.money(clause.amount, currency), "each": str(PER.get(clause.per, clause.per))}
    if clause.kind in (MONTHLY, EMERGENCY):
        return _monthly(clause, words)
    if clause.kind == ONCE:
        return _once(clause, words)
    if clause.kind == CALL:
        return _("%(amount)s for each call%(to)s.") % (words | {"to": _to(clause)})
    if clause.kind == MINUTES:
        return _minutes(clause)
    if clause.kind == TIERS:
        return _tiers(clause, currency)
    if clause.kind == COMMITMENT:
        return _("At least %(amount)s a month for %(on)s.") % (words | {"on": _on(clause)})
    return _discount(clause) if clause.kind == DISCOUNT else ""


def _monthly(clause: Clause, words: dict[str, str]) -> str:
    if clause.optional:
        return _("%(amount)s a month for each that is ordered.") % words
    if clause.per == "contract":
        return _("%(amount)s a month.") % words
    return _("%(amount)s a month for each %(each)s.") % words


def _once(clause: Clause, words: dict[str, str]) -> str:
    if clause.optional:
        return _("%(amount)s once for each that is ordered.") % words
    if clause.per == "number":
        return _("%(amount)s once for each new phone number.") % words
    return _("%(amount)s once, when the contract starts.") % words


def _minutes(clause: Clause) -> str:
    words = {"minutes": f"{clause.minutes:,}", "to": _to(clause)}
    sentence = {
        "shared": _("%(minutes)s minutes a month%(to)s, shared by all."),
        "seat": _("%(minutes)s minutes a month for each user%(to)s, shared by all."),
        "own": _("%(minutes)s minutes a month for each user%(to)s, not shared."),
    }[clause.pool] % words
    if not clause.roll_over:
        return sentence
    more = ngettext(
        "What is left can be used for %(count)d month more.",
        "What is left can be used for %(count)d months more.",
        clause.roll_over,
    )
    return f"{sentence} {more % {'count': clause.roll_over}}"


def _tiers(clause: Clause, currency: str) -> str:
    parts = []
    for tier in clause.tiers:
        words = {"price": values.money(tier.per_minute, currency), "limit": f"{tier.up_to or 0:,}"}
        form = _("%(price)s a minute up to %(limit)s minutes") if tier.up_to else _("then %(price)s")
        parts.append(form % words)
    return _("By the minutes of the month%(to)s: %(tiers)s.") % {"to": _to(clause), "tiers": ", ".join(parts)}


def _discount(clause: Clause) -> str:
    words = {"percent": f"{clause.per_million / 10_000:g}", "on": _on(clause)}
    if clause.months is None:
        return _("%(percent)s %% off %(on)s.") % words
    months = ngettext("for %(count)d month", "for %(count)d months", clause.months) % {"count": clause.months}
    return _("%(percent)s %% off %(on)s, %(months)s.") % (words | {"months": months})


def _on(clause: Clause) -> str:
    return {"all": _("fees and calls"), "fees": _("fees"), "calls": _("calls")}[clause.scope]


def _to(clause: Clause) -> str:
    if not clause.destinations:
        return ""
    names = sorted(clause.destinations)
    shown = ", ".join(names[:SHOWN_DESTINATIONS])
    if len(names) > SHOWN_DESTINATIONS:
        return _(" to %(names)s and %(more)d more") % {"names": shown, "more": len(names) - SHOWN_DESTINATIONS}
    return _(" to %(names)s") % {"names": shown}
