"""What a run's checks found, in words: what it is, and what to do next."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.ui import values
from portal.ui.status import Status, status
from voice.rating.models import PricedOutcome
from voice.receivables.models import Invoice, RunFinding

Facts = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """A finding as people read it: a sentence, and the page where it is mended."""

    finding: RunFinding
    words: str
    step: str
    url: str
    state: Status


def _aside(facts: Facts) -> str:
    reasons = ", ".join(
        f"{PricedOutcome(outcome).label} ({count})" for outcome, count in sorted(facts["reasons"].items())
    )
    return ngettext(
        "%(calls)d answered call has no price: %(reasons)s.",
        "%(calls)d answered calls have no price: %(reasons)s.",
        facts["calls"],
    ) % {"calls": facts["calls"], "reasons": reasons}


def _unpriced(facts: Facts) -> str:
    return ngettext(
        "%(calls)d answered call was never priced.", "%(calls)d answered calls were never priced.", facts["calls"]
    ) % {"calls": facts["calls"]}


def _uncounted(facts: Facts) -> str:
    if "customers" in facts:
        whose = ngettext("%(n)d customer", "%(n)d customers", facts["customers"]) % {"n": facts["customers"]}
        return ngettext(
            "In %(hours)d hour the SBCs counted other calls than are on record, for %(whose)s: a record may still be on"
            " its way.",
            "In %(hours)d hours the SBCs counted other calls than are on record, for %(whose)s: records may still be on"
            " their way.",
            facts["hours"],
        ) % {"hours": facts["hours"], "whose": whose}  # fmt: skip
    return ngettext(
        "In %(hours)d hour the SBCs counted %(said)d calls of this customer, %(found)d are on record: bill now, or wait"
        " for the rest.",
        "In %(hours)d hours the SBCs counted %(said)d calls of this customer, %(found)d are on record: bill now, or"
        " wait for the rest.",
        facts["hours"],
    ) % facts  # fmt: skip


def _change(facts: Facts) -> str:
    words = {
        "net": values.money(facts["net"], facts["currency"]),
        "before": values.money(facts["before"], facts["currency"]),
        "percent": f"{facts['percent']:+d}",
    }
    return _("%(net)s net, %(percent)s %% against %(before)s the month before.") % words


def _first(facts: Facts) -> str:
    words = {name: values.money(facts[name], facts["currency"]) for name in ("net", "limit")}
    if facts["before"] is None:
        return (
            _("%(net)s net, and no bill of the month before to hold it against: above %(limit)s it is looked at.")
            % words
        )
    return _("%(net)s net, after a month of nothing: above %(limit)s it is looked at.") % words


def _late(facts: Facts) -> str:
    day = parse_date(facts["oldest"])
    return ngettext(
        "%(calls)d call of an earlier month is on it, answered %(day)s.",
        "%(calls)d calls of earlier months are on it, the oldest answered %(day)s.",
        facts["calls"],
    ) % {"calls": facts["calls"], "day": date_format(day, "j M Y") if day else ""}


def _month(facts: Facts) -> str:
    return date_format(parse_date(facts["month"]) or "", "F Y")


def _kept(facts: Facts) -> str:
    words = {"month": _month(facts), "state": Invoice.State(facts["state"]).label.lower()}
    return _(
        "%(month)s counts on what this month left of included minutes and is %(state)s: the draft stays as it is."
    ) % words  # fmt: skip


def _taken_back(facts: Facts) -> str:
    return _(
        "Its draft counted on what %(month)s left of included minutes, and that month was collected again: collect this"
        " one again, too."
    ) % {"month": _month(facts)}  # fmt: skip


def _no_profile(facts: Facts) -> str:
    if not facts.get("calls"):
        return _("Its contract asks for money, and it is not set how it is billed.")
    return ngettext(
        "It has %(calls)d call to be billed, and it is not set how it is billed.",
        "It has %(calls)d calls to be billed, and it is not set how it is billed.",
        facts["calls"],
    ) % {"calls": facts["calls"]}


def _no_contract(facts: Facts) -> str:
    if not facts["calls"]:
        return _("It has an account and no contract: nothing asks it for fees.")
    return (
        ngettext(
            "%(calls)d call was made on days without a contract (%(days)d of this month): only its deck prices it."
            " For a contract of these days, throw its draft away first.",
            "%(calls)d calls were made on days without a contract (%(days)d of this month): only its deck prices them."
            " For a contract of these days, throw its draft away first.",
            facts["calls"],
        )
        % facts
    )


def _left(facts: Facts) -> str:
    day = parse_date(facts["closed"])
    return ngettext(
        "It was closed on %(day)s, and its contract goes on for %(days)d day of this month: end it, or bill that.",
        "It was closed on %(day)s, and its contract goes on for %(days)d days of this month: end it, or bill them.",
        facts["days"],
    ) % {"day": date_format(day, "j M Y") if day else "", "days": facts["days"]}


def _gone(facts: Facts) -> str:
    day = parse_date(facts["closed"])
    return _("It was closed on %(day)s, and this bills %(net)s net for what came in, or was priced, later.") % {
        "day": date_format(day, "j M Y") if day else "", "net": values.money(facts["net"], facts["currency"]),
    }  # fmt: skip


WORDS: dict[str, Callable[[Facts], str]] = {
    "aside": _aside,
    "unpriced": _unpriced,
    "uncounted": _uncounted,
    "change": _change,
    "first": _first,
    "late": _late,
    "no_profile": _no_profile,
    "no_contract": _no_contract,
    "left": _left,
    "gone": _gone,
    "again_less": lambda facts: _(
        "Calls that were priced again to less come to more than the month: write the credit notes, then collect again."
    ),
    "kept": _kept,
    "taken_back": _taken_back,
    "opened": lambda facts: _("Its days were opened again: collect the month again once its contract is right."),
    "vat_id": lambda facts: _("Its VAT id %(vat_id)s is wrong. %(words)s") % facts,
    "no_rate": lambda facts: str(facts["words"]),
    "account": lambda facts: str(facts["words"]),
    "refused": lambda facts: str(facts["words"]),
    "not_issued": lambda facts: _("It was not issued. %(words)s") % facts,
    "failed": lambda facts: _("Its month could not be worked out; the operator's log says why."),
}


def told(finding: RunFinding) -> Told:
    """Return a finding as people read it."""
    step, url = _step(finding)
    return Told(finding, WORDS[finding.code](finding.facts), step, url, state_of(finding))


def state_of(finding: RunFinding) -> Status:
    """Return the chip of a finding: an error, a warning to be ticked, or one that somebody ticked."""
    if finding.level == RunFinding.Level.ERROR:
        return status("attention", word=RunFinding.Level.ERROR.label)
    if finding.level == RunFinding.Level.NOTE:
        return status("inactive", word=RunFinding.Level.NOTE.label)
    return (
        status("waiting_you", word=RunFinding.Level.WARNING.label)
        if finding.is_open
        else status("done", word=_("Seen"))
    )


def _step(finding: RunFinding) -> tuple[str, str]:
    tenant = finding.customer.tenant_id if finding.customer else None
    if finding.code in ("aside", "unpriced"):
        return _("Give them a price"), reverse("unrated:list") + (f"?customer={tenant}" if tenant else "")
    if finding.code in ("no_profile", "vat_id", "refused") and tenant:
        return _("Set how it is billed"), reverse("invoices:profile", args=[tenant])
    if finding.code in ("no_rate", "account"):
        return _("Enter a rate"), reverse("currencies:new")
    if finding.code == "no_contract" and tenant:
        return _("Make its contract"), reverse("plans:contract_new") + f"?customer={tenant}"
    if finding.code == "left" and tenant:
        return _("End its contract"), reverse("plans:of_customer", args=[tenant])
    if finding.code in ("change", "first", "gone") and finding.customer and finding.customer.invoice_id:
        return _("Look at the draft"), reverse("invoices:detail", args=[finding.customer.invoice_id])
    return "", ""
