"""The lists of invoice runs and of a run's customers."""

from collections import defaultdict
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Sum, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.ui import markup, values
from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from portal.ui.status import Status, status
from voice.currencies.tabs import tabs
from voice.receivables import findings
from voice.receivables.models import Invoice, InvoiceRun, RunCustomer, RunFinding

NEW_RUN = Action(_("Bill a month"), "invoices:run_new", "player-play", "bills.change")
TICK = Action(_("Warnings seen"), "invoices:run_tick_chosen", "list-check", "bills.change")
APPROVE = Action(_("Approve"), "invoices:run_approve", "check", "bills.change")
STATES = RunCustomer.State
TONES = {
    STATES.WAITING: "queued", STATES.NOTHING: "inactive", STATES.LEFT_OUT: "attention", STATES.DRAFTED: "waiting_you",
    STATES.APPROVED: "scheduled", STATES.ISSUED: "done",
}  # fmt: skip


LEADS = {
    STATES.WAITING: _("%(month)s of %(customer)s is not collected yet."),
    STATES.NOTHING: _("%(customer)s has nothing to pay for %(month)s, and gets no invoice."),
    STATES.LEFT_OUT: _("%(customer)s is not billed for %(month)s yet: see what was found."),
    STATES.DRAFTED: _("What %(customer)s would be billed for %(month)s."),
    STATES.APPROVED: _("What %(customer)s will be billed for %(month)s once it is issued."),
    STATES.ISSUED: _("What %(customer)s was billed for %(month)s."),
}


def month_of(run: InvoiceRun) -> str:
    """Return the month as people say it."""
    return date_format(run.begins, "F Y")


def lead_of_run(run: Any) -> str:
    """Return what a run's page shows, by where the run stands."""
    if run.state == InvoiceRun.State.COLLECTING:
        return _now("Calls and fees of every customer become drafts, and are checked.")
    if run.state == InvoiceRun.State.ISSUING:
        return _now("What is approved gets its numbers, and goes to the customers.")
    if run.to_approve:
        return _now("What every customer would be billed. Look at what was found, approve, then issue.")
    if run.approved:
        return _now("What was approved waits to be issued: until then it has no number, and nobody has seen it.")
    if run.issued:
        return _now("What every customer was billed.")
    if run.left_out:
        return _now("Nobody could be billed yet: look at what was found, mend it, and collect again.")
    return _now("Nobody had anything to pay for this month.")


def lead_of_customer(run: InvoiceRun, row: Any) -> str:
    """Return what the page of a run's customer shows, by where the customer stands."""
    return LEADS[STATES(row.standing)] % {"customer": row.tenant, "month": month_of(run)}


def state_of_run(run: Any) -> Status:
    """Return where a run stands."""
    if run.is_working:
        return status("running", word=run.get_state_display())
    if run.to_approve or run.approved:
        return status("waiting_you", word=_("To be approved") if run.to_approve else _("To be issued"))
    return status("done", word=_("Issued")) if run.issued else status("inactive", word=_("Nothing issued"))


def with_figures(runs: QuerySet[InvoiceRun]) -> QuerySet[InvoiceRun]:
    """Add how many of a run's customers stand how."""
    drafted = Q(customers__state=STATES.DRAFTED)
    return runs.annotate(
        to_approve=Count("customers", filter=drafted & Q(customers__invoice__state=Invoice.State.DRAFT)),
        approved=Count("customers", filter=drafted & Q(customers__invoice__state=Invoice.State.APPROVED)),
        issued=Count("customers", filter=drafted & Q(customers__invoice__state=Invoice.State.ISSUED)),
        left_out=Count("customers", filter=Q(customers__state=STATES.LEFT_OUT)),
    )


def with_standing(customers: QuerySet[RunCustomer]) -> QuerySet[RunCustomer]:
    """Add where each customer of a run stands: its draft may be approved, issued or thrown away by now."""
    drafted = {"state": STATES.DRAFTED}
    standing = Case(
        When(**drafted, invoice=None, then=Value(STATES.LEFT_OUT)),
        When(**drafted, invoice__state=Invoice.State.APPROVED, then=Value(STATES.APPROVED)),
        When(**drafted, invoice__state=Invoice.State.ISSUED, then=Value(STATES.ISSUED)),
        default=F("state"),
        output_field=CharField(),
    )
    return customers.select_related("tenant", "invoice").annotate(standing=standing)


def totals_of(customers: QuerySet[RunCustomer]) -> list[dict[str, Any]]:
    """Return what the invoices of a run's customers come to in each currency."""
    rows = customers.filter(invoice__isnull=False).order_by().values("currency")
    return [dict(row) for row in rows.annotate(sum=Sum("net"), customers=Count("pk")).order_by("currency")]


class RunList(ListPage):
    title = _("Invoice runs")
    lead = _("A run bills a month of all customers: collect, look, approve, issue.")
    filters = [Choice("state", _("State"), InvoiceRun.State.choices)]
    default_sort = "-begins"
    export_name = "invoice-runs"
    actions = [NEW_RUN]
    empty = Empty(
        _("No month was billed by a run yet."),
        _("For example last month: nothing is issued before you have looked at it."),
        NEW_RUN,
        "file-text",
    )

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, tabs=tabs(request, "invoices:runs"))

    def queryset(self) -> QuerySet[InvoiceRun]:
        return with_figures(InvoiceRun.objects.filter(msp=self.request.msp))  # type: ignore[attr-defined]

    @cached_property
    def _nets(self) -> dict[int, list[str]]:
        """Return what each run's invoices come to, in each currency."""
        found: dict[int, list[str]] = defaultdict(list)
        mine = RunCustomer.objects.filter(msp=self.request.msp, invoice__isnull=False)  # type: ignore[attr-defined]
        for row in mine.order_by().values("run", "currency").annotate(sum=Sum("net")).order_by("run", "currency"):
            found[row["run"]].append(values.money(row["sum"], row["currency"]))
        return found

    def visible_columns(self) -> list[Column]:
        return [
            Column("standing", _("State"), kind="status", value=state_of_run),
            Column("begins", _("Month"), value=month_of, link="invoices:run", sort=True),
            Column("to_approve", _("To be approved"), kind="count"),
            Column("approved", _("Approved"), kind="count", card=False),
            Column("issued", _("Issued"), kind="count"),
            Column("left_out", _("Left out"), kind="count"),
            Column("net", _("Net"), kind="count", value=lambda run: ", ".join(self._nets[run.pk])),
            Column("created_at", _("First collected"), kind="when", sort=True, card=False),
        ]


def state_of_customer(row: Any) -> Status:
    """Return where a customer of a run stands."""
    return status(TONES[STATES(row.standing)], word=STATES(row.standing).label)


def _by_findings(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    found = RunFinding.objects.filter(customer=OuterRef("pk"))
    wanted = {
        "error": found.filter(level=RunFinding.Level.ERROR),
        "open": found.filter(level=RunFinding.Level.WARNING, ticked_at=None),
        "any": found,
    }
    return rows.filter(Exists(wanted[value]))


class RunCustomerList(ListPage):
    """The customers of one run, with what each is billed, or would be, and what was found about it."""

    search_fields = ["tenant__name", "tenant__label"]
    search_label = _("Search customer")
    default_sort = "tenant__name"
    export_name = "invoice-run"
    template = "voice/receivables/run.html"
    size = 50
    empty = Empty(_("No customers."), icon="building")
    filters = [
        Choice("standing", _("State"), STATES.choices),
        Choice(
            "findings",
            _("Findings"),
            [("open", _("To be looked at")), ("error", _("Left out")), ("any", _("Any"))],
            apply=_by_findings,
        ),
    ]

    def __init__(self, request: HttpRequest, run: InvoiceRun, **context: Any) -> None:
        super().__init__(request, run=run, **context)
        self.run, self.title = run, _("Invoices of %(month)s") % {"month": month_of(run)}

    def queryset(self) -> QuerySet[RunCustomer]:
        return with_standing(RunCustomer.objects.filter(run=self.run))

    @cached_property
    def bulk_buttons(self) -> list[dict[str, Any]]:
        if self.run.is_working or not getattr(self.run, "to_approve", 1):
            return []
        return [{"action": each, "url": reverse(each.url_name, args=[self.run.pk])}
                for each in (TICK, APPROVE) if self.may(each.capability)]  # fmt: skip

    @cached_property
    def _told(self) -> dict[int, list[findings.Told]]:
        found: dict[int, list[findings.Told]] = defaultdict(list)
        for each in RunFinding.objects.filter(run=self.run, customer__isnull=False).select_related("customer"):
            found[each.customer_id or 0].append(findings.told(each))
        return found

    def visible_columns(self) -> list[Column]:
        return [
            Column("standing", _("State"), kind="status", value=state_of_customer),
            Column("tenant__name", _("Customer"), link=self._page, sort=True),
            Column("calls", _("Calls"), kind="count", sort=True, card=False),
            Column("net", _("Net"), kind="money", sort=True),
            Column("before", _("Month before"), kind="money", sort=True, card=False),
            Column("change", _("Change"), kind="money"),
            Column("findings", _("Findings"), value=self._words, draw=self._draw),
        ]

    def _page(self, row: RunCustomer) -> str:
        return reverse("invoices:run_customer", args=[self.run.pk, row.pk])

    def _words(self, row: RunCustomer) -> str:
        return " ".join(each.words for each in self._told.get(row.pk, []))

    def _draw(self, row: RunCustomer) -> str:
        told = self._told.get(row.pk)
        if not told:
            return markup.NONE
        return format_html(
            '<ul class="plain-list">{}</ul>',
            format_html_join("", "<li>{} {}</li>", ((markup.chip(each.state), each.words) for each in told)),
        )
