"""How a line of a bill comes to its amount, step by step in plain words, as the clerk would read them out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Sum
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.ui import values
from voice.billing.models import Bill
from voice.plans.facts import CALL, COMMITMENT, DISCOUNT, MINUTES, TIERS
from voice.receivables.models import BilledCharge, Invoice


@dataclass(frozen=True, slots=True)
class Figures:
    """What the calls of a line came to: their charges, and what each allowance took off."""

    calls: int = 0
    micros: int = 0
    off: Sequence[tuple[str, int, int, int]] = ()


def figures_of(document: Invoice | Bill, position: int) -> Figures:
    """Return what the calls of a line came to."""
    calls = BilledCharge.objects.filter(line__invoice=document.pk, line__position=position)
    whole = calls.aggregate(calls=Count("id"), micros=Sum("micros"))
    covered = calls.exclude(allowance="").order_by().values_list("allowance")
    off = covered.annotate(n=Count("id"), seconds=Sum("covered"), micros=Sum("off")).order_by("allowance")
    return Figures(whole["calls"], int(whole["micros"] or 0), [(name, n, int(s), int(m)) for name, n, s, m in off])


def steps_of(line: Any, currency: str, figures: Figures) -> list[str]:
    """Return how a line comes to its net amount; `line` is one of the register or of the customer's copy."""
    return list(_steps(line, currency, figures))


def _steps(line: Any, currency: str, figures: Figures) -> Iterator[str]:
    foreign = line.basis.get("currency", "")
    if figures.calls:
        yield from _calls(figures, foreign or currency)
    if line.basis.get("rule") == "again":
        yield ngettext(
            "%(n)d call was priced again; this is the difference to what was posted for it before.",
            "%(n)d calls were priced again; this is the difference to what was posted for them before.",
            line.basis["entries"],
        ) % {"n": line.basis["entries"]}
        yield from _again(line.basis, foreign or currency)
    for basis in line.basis.get("parts", [line.basis]):
        yield from _asked(basis, currency)
    if foreign:
        words = {"amount": values.money(line.basis["micros"], foreign), "rate": line.basis["rate"]}
        yield _("%(amount)s are converted as one sum, by the stored rate %(rate)s.") % words
    if line.corrects:
        # Steps above are those of the invoice's line: of its amount a credit note may take back a part.
        words = {"n": line.corrects, "net": values.money(line.net, currency)}
        yield _("Of line %(n)d of the invoice, %(net)s are taken back, net.") % words
    elif line.exact != line.net:
        words = {"exact": values.money(line.exact, currency), "net": values.money(line.net, currency)}
        yield _("%(exact)s are rounded once, to %(net)s.") % words
    else:
        yield _("Together %(net)s, net.") % {"net": values.money(line.net, currency)}
    if line.per_million:
        rate = f"{line.per_million / 10_000:g}"
        if line.corrects:
            yield _("%(rate)s %% tax goes back with it.") % {"rate": rate}
        else:
            yield _("%(rate)s %% tax is added once, to the sum of all lines with this rate.") % {"rate": rate}


def _calls(figures: Figures, currency: str) -> Iterator[str]:
    words = {"calls": figures.calls, "amount": values.money(figures.micros, currency)}
    yield ngettext(
        "%(calls)d call is charged %(amount)s.", "%(calls)d calls are charged %(amount)s together.", figures.calls
    ) % words  # fmt: skip
    for allowance, calls, seconds, micros in figures.off:
        words = {
            "allowance": allowance, "calls": calls, "time": values.duration(seconds),
            "amount": values.money(micros, currency),
        }  # fmt: skip
        yield ngettext(
            "“%(allowance)s” covers %(time)s of %(calls)d call: %(amount)s less.",
            "“%(allowance)s” covers %(time)s of %(calls)d calls: %(amount)s less.",
            calls,
        ) % words  # fmt: skip


def _again(basis: Mapping[str, Any], currency: str) -> Iterator[str]:
    """Yield what of a difference is not asked."""
    said = {
        name: values.money(basis.get(name, 0), currency) for name in ("difference", "borne", "discount", "credited")
    }
    if basis.get("borne"):
        yield _("Of %(difference)s, included minutes and prices by volume bear %(borne)s.") % said
    if basis.get("discount"):
        yield _("%(discount)s of it are the discounts on calls of the bills that these calls are on.") % said
    if basis.get("credited"):
        yield _("%(credited)s of it were credited before.") % said


def _asked(basis: Mapping[str, Any], currency: str) -> Iterator[str]:
    """Yield how a plan's own rule comes to what it asks or gives."""
    rule = basis.get("rule", "")
    if {"each", "count", "days", "of"} <= basis.keys():
        yield from _fee(basis, currency)
    elif {"each", "count"} <= basis.keys():
        words = {"count": basis["count"], "each": values.money(basis["each"], currency)}
        if rule == CALL:
            yield ngettext("%(count)d call × %(each)s.", "%(count)d calls × %(each)s.", basis["count"]) % words
        else:
            yield _("%(count)d × %(each)s, once.") % words
    elif rule == TIERS:
        words = {
            "time": values.minutes(basis["seconds"]), "price": values.money(basis["per_minute"], currency),
            "destinations": ", ".join(basis.get("destinations", ())) or _("all destinations"),
        }  # fmt: skip
        yield _("%(time)s minutes × %(price)s a minute.") % words
        yield (
            _("All minutes of the month to %(destinations)s count together; their calls have lines of their own.")
            % words
        )
    elif rule == MINUTES and "users" in basis:
        words = {"used": values.minutes(basis["used"]), "users": basis["users"], "empty": basis["empty"]}
        yield ngettext(
            "%(used)s minutes were used by %(users)d user, of minutes that nobody shares.",
            "%(used)s minutes were used by %(users)d users, each of minutes that nobody shares.",
            basis["users"],
        ) % words  # fmt: skip
        if basis["empty"]:
            yield ngettext(
                "%(empty)d user has none left at the month's end.",
                "%(empty)d users have none left at the month's end.",
                basis["empty"],
            ) % words  # fmt: skip
        yield _("A call draws from the minutes of whoever had the number when it was dialled.")
    elif rule == MINUTES:
        words = {name: values.minutes(basis[name]) for name in ("used", "left")}
        yield _("%(used)s minutes were used, %(left)s are left at the month's end.") % words
    elif rule == DISCOUNT:
        words = {
            "percent": f"{basis['per_million'] / 10_000:g}", "net": values.money(basis["net"], currency),
            "what": {"fees": _("fees"), "calls": _("calls")}.get(basis["on"], _("fees and calls")),
        }  # fmt: skip
        yield _("%(percent)s %% of %(net)s, the lines of %(what)s together.") % words
    elif rule == COMMITMENT:
        words = {name: values.money(basis[name], currency) for name in ("committed", "lines")}
        yield _("%(committed)s are agreed at least; the lines that count towards it come to %(lines)s.") % words


def _fee(basis: Mapping[str, Any], currency: str) -> Iterator[str]:
    words = {
        "count": basis["count"], "each": values.money(basis["each"], currency), "days": basis["days"],
        "of": basis["of"], "begins": _day(basis.get("begins") or basis.get("first")), "ends": _day(basis.get("ends")),
    }  # fmt: skip
    yield _("%(count)s × %(each)s a month.") % words
    if basis["days"] != basis["of"]:
        yield _("For %(days)s of the month's %(of)s days, from %(begins)s up to %(ends)s: that share of it.") % words


def _day(text: Any) -> str:
    day = parse_date(str(text)) if text else None
    return date_format(day, "j M Y") if day else "–"
