"""How long what is kept: the operator's rules, the MSP's holds, what the erasure took, and all of it in plain words."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, F, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.core import jobs
from portal.core.access import requires
from portal.ui import values
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from portal.ui.lists import Action, Choice, Column, Day, Empty, ListPage
from portal.ui.status import Status, status
from tenants import services
from tenants.countries import country_name
from tenants.forms.retention import HoldForm, RuleForm
from tenants.models import DataClass, Erasure, ErasureLine, LegalHold, RetentionRule
from tenants.services.retention import rules_for

NEW_RULE = Action(gettext_lazy("New rule"), "retention:new", "plus", "retention.change")
NEW_HOLD = Action(gettext_lazy("Place a hold"), "retention:hold", "lock", "holds.change")
RUNS = Action(gettext_lazy("What was erased"), "retention:runs", "history", "retention.view")
HOLDS = Action(gettext_lazy("Legal holds"), "retention:holds", "lock", "holds.view")
YEAR, MONTH = 365, 30.44


def length(days: int) -> str:
    """Return a number of days as people say it."""
    if days >= 2 * YEAR:
        years = round(days / YEAR)
        return ngettext("%(n)d year", "%(n)d years", years) % {"n": years}
    if days > 2 * MONTH:
        months = round(days / MONTH)
        return ngettext("%(n)d month", "%(n)d months", months) % {"n": months}
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def _where(row: RetentionRule | ErasureLine) -> str:
    return country_name(row.country) if row.country else _("All others")


def _rule_url(rule: RetentionRule) -> str:
    return reverse("retention:rule", args=[rule.pk])


class RuleList(ListPage):
    title = gettext_lazy("Retention")
    lead = gettext_lazy(
        "How long what is kept, and why. Once a month everything older is erased, unless a hold keeps it. The country"
        " is the customer's; of books, their vouchers and letters it is that of the company that bills."
    )
    columns = [
        Column("data_class", gettext_lazy("What"), value=lambda rule: rule.get_data_class_display(), sort=True,
               link=_rule_url, link_needs="retention.change"),
        Column("country", gettext_lazy("Country"), value=_where),
        Column("length", gettext_lazy("Kept for"), value=lambda rule: length(rule.days)),
        Column("days", gettext_lazy("Days"), kind="count", sort=True, card=False),
        Column("reason", gettext_lazy("Why so long"), card=False),
        Column("source", gettext_lazy("Source"), card=False),
    ]  # fmt: skip
    search_fields = ["reason", "source", "country"]
    filters = [Choice("class", gettext_lazy("What"), DataClass.choices, field="data_class")]
    default_sort = "data_class"
    size = 50
    export_name = "retention"
    actions = [RUNS, HOLDS, NEW_RULE]
    empty = Empty(gettext_lazy("No rule: everything is kept for ever."), "", NEW_RULE)

    def queryset(self) -> QuerySet[RetentionRule]:
        return RetentionRule.objects.all()


class HoldList(ListPage):
    title = gettext_lazy("Legal holds")
    lead = gettext_lazy(
        "A hold keeps a customer's data, or one call, beyond its time: for a dispute or an order of a court."
    )
    columns = [
        Column("released_at", gettext_lazy("State"), kind="status", value=lambda hold: _hold_chip(hold)),
        Column("case", gettext_lazy("Case"), sort=True),
        Column("tenant__name", gettext_lazy("Customer"), sort=True),
        Column("call", gettext_lazy("Holds"), value=lambda hold: _held(hold)),
        Column("review", gettext_lazy("Look at it again"), sort=True),
        Column("reason", gettext_lazy("Reason"), card=False),
        Column("placed_at", gettext_lazy("Placed"), kind="when", sort=True, card=False),
        Column("release", "", value=lambda hold: _("Release") if hold.released_at is None else "", export=False,
               link=lambda hold: reverse("retention:release", args=[hold.pk]), link_needs="holds.change",
               shown_to="holds.change"),
    ]  # fmt: skip
    search_fields = ["case", "reason", "tenant__name"]
    filters = [
        Choice("state", gettext_lazy("State"), [("held", gettext_lazy("In force")), ("over", gettext_lazy("Released"))],
               apply=lambda holds, value: holds.filter(released_at__isnull=value == "held")),
    ]  # fmt: skip
    default_sort = "-placed_at"
    export_name = "legal-holds"
    actions = [NEW_HOLD]
    empty = Empty(
        gettext_lazy("No hold."),
        gettext_lazy("For example case “2026-114”, a disputed invoice."),
        NEW_HOLD,
        icon="lock",
    )

    def queryset(self) -> QuerySet[LegalHold]:
        return LegalHold.objects.filter(msp=self.request.msp).select_related("tenant")  # type: ignore[attr-defined]


class RunList(ListPage):
    title = gettext_lazy("What was erased")
    lead = gettext_lazy("Each run of the erasure, with what was counted before and after it.")
    columns = [
        Column("finished_at", gettext_lazy("State"), kind="status", value=lambda run: run_chip(run)),
        Column("started_at", gettext_lazy("When"), kind="when", sort=True,
               link=lambda run: reverse("retention:run", args=[run.pk])),
        Column("removed", gettext_lazy("Rows erased"), kind="count"),
        Column("held", gettext_lazy("Kept by holds"), kind="count"),
        Column("asked_by", gettext_lazy("Asked for by"), shown_to="retention.change", card=False),
    ]  # fmt: skip
    filters = [
        Day("from", gettext_lazy("From day"), "started_at"),
        Day("to", gettext_lazy("To day"), "started_at", bound="to"),
    ]
    default_sort = "-started_at"
    export_name = "erasures"
    empty = Empty(
        gettext_lazy("Nothing was erased so far."), gettext_lazy("The first run is this month."), icon="trash"
    )

    def queryset(self) -> QuerySet[Erasure]:
        return runs()


class LineList(ListPage):
    lead = gettext_lazy("Rows older than their time, before and after. What is left is what a hold keeps.")
    columns = [
        Column("state", gettext_lazy("State"), kind="status", value=lambda line: line_chip(line)),
        Column("data_class", gettext_lazy("What"), value=lambda line: line.get_data_class_display(), sort=True),
        Column("country", gettext_lazy("Country"), value=_where),
        Column("msp__name", gettext_lazy("MSP"), shown_to="retention.change"),
        Column("before", gettext_lazy("Older than"), kind="when", sort=True),
        Column("rows_before", gettext_lazy("Found"), kind="count", sort=True),
        Column("rows_removed", gettext_lazy("Erased"), kind="count", sort=True),
        Column("rows_held", gettext_lazy("Held"), kind="count", sort=True),
        Column("rows_after", gettext_lazy("Left"), kind="count", sort=True),
        Column("table", gettext_lazy("Table"), kind="code", card=False, shown_to="retention.change"),
    ]
    search_fields = ["table", "country", "msp__name"]
    filters = [Choice("class", gettext_lazy("What"), DataClass.choices, field="data_class")]
    default_sort = "data_class"
    size = 100
    export_name = "erasure"
    empty = Empty(gettext_lazy("This run found nothing of yours."), icon="trash")

    def __init__(self, request: HttpRequest, run: Erasure) -> None:
        super().__init__(request)
        self.run = run
        self.title = _("Erasure of %(when)s") % {"when": values.short_moment(localtime(run.started_at))}

    def queryset(self) -> QuerySet[ErasureLine]:
        return self.run.lines.select_related("msp")


def runs() -> QuerySet[Erasure]:
    """Return the erasures, each with what it took and left of what the reader may see."""
    wrong = Count("lines", filter=Q(lines__rows_after__gt=F("lines__rows_held")))
    return Erasure.objects.annotate(removed=Sum("lines__rows_removed"), held=Sum("lines__rows_held"), unproven=wrong)


def run_chip(run: Any) -> Status:
    """Return the chip of a run: proven where nothing is left but what a hold keeps."""
    if run.error:
        return status("failed")
    if run.finished_at is None:
        return status("running")
    return status("attention", word=_("Something is left")) if run.unproven else status("done", word=_("Proven"))


def line_chip(line: ErasureLine) -> Status:
    """Return the chip of one line of a run."""
    if not line.is_proven:
        return status("attention", word=_("Something is left"))
    return status("held", word=_("Held")) if line.rows_held else status("done", word=_("Proven"))


@requires("retention.view")
def retention_list(request: HttpRequest) -> HttpResponse:
    """Show the rules to who keeps the data, and what they mean to the customer whose data it is."""
    if request.tenant is None:  # type: ignore[attr-defined]
        return RuleList(request).response()
    rules = rules_for(request.tenant)  # type: ignore[attr-defined]
    kept = [(label, length(rules[name].days), rules[name]) for name, label in DataClass.choices if name in rules]
    last = Erasure.objects.filter(finished_at__isnull=False).order_by("-finished_at").first()
    country = country_name(request.tenant.country)  # type: ignore[attr-defined]
    context = {"kept": kept, "last": last.finished_at if last else None, "country": country}
    return TemplateResponse(request, "tenants/retention.html", context)


@requires("retention.change")
def rule_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    rule = get_object_or_404(RetentionRule, pk=pk) if pk else RetentionRule()
    name = str(rule) if pk else ""
    form = RuleForm(request.POST or None, instance=rule)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_rule(form.instance, by=request.actor)  # type: ignore[attr-defined]
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved. The next erasure goes by it."))
            return redirect("retention:list")
    return TemplateResponse(request, "tenants/retention_rule.html", {"form": form, "rule": rule, "name": name})


@requires("retention.change")
def rule_remove(request: HttpRequest, pk: int) -> HttpResponse:
    rule = get_object_or_404(RetentionRule, pk=pk)
    question = Question(
        _("Remove the rule for %(what)s in %(where)s?")
        % {"what": rule.get_data_class_display(), "where": _where(rule)},
        [_("The rule for all countries holds there from now on.")],
        _("Remove"),
        about=rule,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=_rule_url(rule))
    try:
        services.remove_rule(rule, by=request.actor)  # type: ignore[attr-defined]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(_rule_url(rule))
    messages.success(request, _("Removed."))
    return redirect("retention:list")


@requires("retention.view")
def run_list(request: HttpRequest) -> HttpResponse:
    found = RunList(request)
    if request.can("retention.change"):  # type: ignore[attr-defined]
        found.actions = [Action(gettext_lazy("Erase now"), "retention:erase", "trash", "retention.change")]
    return found.response()


@requires("retention.view")
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return LineList(request, get_object_or_404(Erasure, pk=pk)).response()


@requires("retention.change")
def erase_now(request: HttpRequest) -> HttpResponse:
    """Start an erasure out of its turn."""
    question = Question(
        _("Erase everything now whose time is over?"),
        [
            _("The rules as they stand at this moment decide, for every MSP and customer."),
            _("What a legal hold keeps stays. What is erased comes back only from a backup."),
        ],
        _("Erase"),
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("retention:runs"))
    job = jobs.start("retention.erase", {}, by=request.actor)  # type: ignore[attr-defined]
    return redirect("jobs:detail", job.pk)


@requires("holds.view")
def hold_list(request: HttpRequest) -> HttpResponse:
    return HoldList(request).response()


@requires("holds.change")
def hold_new(request: HttpRequest) -> HttpResponse:
    asked = {name: request.GET[name] for name in ("tenant", "call") if name in request.GET}
    hold = LegalHold(msp=request.msp)  # type: ignore[attr-defined]
    form = HoldForm(request.POST or None, instance=hold, msp=request.msp, initial=asked)  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        try:
            services.place_hold(form.instance, by=request.actor)  # type: ignore[attr-defined]
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Held. No erasure takes it until you release it."))
            return redirect("retention:holds")
    return TemplateResponse(request, "tenants/retention_hold.html", {"form": form})


@requires("holds.change")
def hold_release(request: HttpRequest, pk: int) -> HttpResponse:
    mine = LegalHold.objects.select_related("tenant").filter(msp=request.msp, released_at=None)  # type: ignore[attr-defined]
    hold = get_object_or_404(mine, pk=pk)
    question = Question(
        _("Release %(case)s?") % {"case": hold},
        [_("What is over by then goes with the next erasure: %(what)s of %(name)s.")
         % {"what": _held(hold), "name": hold.tenant}],
        _("Release"),
        reason=True,
    )  # fmt: skip
    cancel = reverse("retention:holds")
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=cancel)
    try:
        services.release_hold(hold, reason=request.POST.get("reason", ""), by=request.actor)  # type: ignore[attr-defined]
    except ValidationError as error:
        return confirm_page(request, question, cancel=cancel, error=" ".join(error.messages))
    messages.success(request, _("Released."))
    return redirect(cancel)


def _hold_chip(hold: LegalHold) -> Status:
    return status("held", word=_("In force")) if hold.released_at is None else status("closed", word=_("Released"))


def _held(hold: LegalHold) -> str:
    return _("call %(id)s") % {"id": _short(hold.call)} if hold.call else _("all data")


def _short(call: UUID) -> str:
    return str(call)[:8]
