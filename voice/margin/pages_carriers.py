"""The lists of carriers' invoices, of their calls, and of lines that could not be read."""

from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from portal.core import jobs
from portal.ui import values
from portal.ui.lists import EXPORT_AT_ONCE, Action, Choice, Column, Empty, ListPage
from portal.ui.status import Status, status
from voice.calls.masking import hidden_in, sight_of
from voice.carriers.models import Carrier
from voice.margin.models import CarrierCall, CarrierFault, CarrierInvoice

NEW = Action(_("Check a carrier's invoice"), "margin:carrier_invoice_new", "upload", "margin.change")
TOTALS = Action(_("Check amounts without calls"), "margin:carrier_totals_new", "file-text", "margin.change")
KINDS = {
    "same": Status(_("Agrees"), "good", "check"),
    "price": Status(_("Other price"), "wait", "arrows-exchange"),
    "duration": Status(_("Other duration"), "wait", "clock"),
    "theirs": Status(_("Only theirs"), "bad", "alert-triangle"),
    "ours": Status(_("Only ours"), "calm", "help-circle"),
}
STATES = {
    "open": status("waiting_you", word=_("Open")),
    "disputed": status("attention", word=_("Disputed")),
    "accepted": status("done", word=_("Accepted")),
}


def state_of(invoice: CarrierInvoice) -> Status:
    """Return where an invoice stands: on its way in, or what was decided."""
    if invoice.stage == CarrierInvoice.Stage.CHECKED:
        return STATES[invoice.state]
    word = invoice.get_stage_display()
    names = {"asking": "waiting_you", "checking": "running", "failed": "attention"}
    return status(names[invoice.stage], word=word)


def _carriers(request: HttpRequest) -> list[tuple[int, str]]:
    return list(Carrier.objects.filter(msp=request.msp).order_by("name").values_list("pk", "name"))  # type: ignore[attr-defined]


def _period(row: CarrierInvoice) -> str:
    return f"{date_format(row.begins, 'j M Y')} – {date_format(row.ends, 'j M Y')}"


class CarrierInvoiceList(ListPage):
    title = _("Carrier invoices")
    lead = _(
        "What carriers bill you, held call by call, or by destination, against what their trunks cost by your"
        " price lists."
    )
    columns = [
        Column("state", _("State"), kind="status", value=state_of),
        Column("carrier__name", _("Carrier"), sort=True, link="margin:carrier_invoice"),
        Column("number", _("Invoice"), sort=True, value=lambda row: row.number or row.name),
        Column("begins", _("Period"), sort=True, draw=_period, value=_period),
        Column(
            "total", _("Lines"), kind="count", sort=True, card=False,
            help=_("Calls, or destinations where the invoice names no calls."),
        ),
        Column(
            "difference", _("Asked beyond your costs"), kind="total", sort=True,
            help=_("What the carrier asks less what these calls cost by your price lists."),
        ),
        Column("created_at", _("Checked"), kind="when", sort=True, card=False),
    ]  # fmt: skip
    search_fields = ["carrier__name", "number", "name", "note"]
    filters = [
        Choice("state", _("State"), CarrierInvoice.State.choices),
        Choice("carrier", _("Carrier"), _carriers, field="carrier"),
    ]
    default_sort, export_name = "-pk", "carrier-invoices"
    actions = [NEW, TOTALS]
    empty = Empty(
        _("No carrier's invoice yet."),
        _("For example the call records of Carrier A for October, as CSV or XLSX."),
        NEW,
        "file-text",
    )

    def queryset(self) -> QuerySet[CarrierInvoice]:
        found = CarrierInvoice.objects.filter(msp=self.request.msp)  # type: ignore[attr-defined]
        return found.select_related("carrier").defer("content")


def _both(theirs: int | None, ours: int | None) -> str:
    return " / ".join("–" if each is None else str(each) for each in (theirs, ours))


def _asked(row: Any) -> str:
    return f"{values.money(row.micros, row.currency)} / {values.money(row.our_micros, row.currency)}"


def _call(row: CarrierCall) -> str:
    return reverse("calls:detail", args=[row.record]) if row.record else ""


class CarrierCallList(ListPage):
    """The calls of one invoice, the dearest difference first."""

    columns = [
        Column("kind", _("Result"), kind="status", value=lambda row: KINDS[row.kind]),
        Column("row", _("Line"), kind="count", sort=True, card=False),
        Column("at", _("When"), kind="when", sort=True),
        Column("called", _("To"), kind="phone", link=_call),
        Column("destination", _("Destination"), sort=True),
        Column(
            "talked",
            _("Seconds"),
            value=lambda row: _both(row.seconds, row.our_seconds),
            help=_("Theirs / yours."),
        ),
        Column("asked", _("Asked / counted"), value=_asked, help=_("What they ask / what you counted.")),
        Column("seconds", _("Their seconds")),
        Column("our_seconds", _("Our seconds")),
        Column("micros", _("They ask"), kind="money", sort=True),
        Column("our_micros", _("You counted"), kind="money", sort=True),
        Column("difference", _("Difference"), kind="money", sort=True),
    ]
    search_fields = ["destination"]
    search_label = _("Destination")
    filters = [
        Choice("kind", _("Result"), [(name, each.word) for name, each in KINDS.items()]),
    ]
    default_sort, tie = "-difference", "pk"
    export_name, export_job = "carrier-differences", "margin.export"
    empty = Empty(_("No calls."))

    def __init__(self, request: HttpRequest, invoice: CarrierInvoice, sight: str = "", **context: Any) -> None:
        super().__init__(request, invoice=invoice, **context)
        self.invoice, self.template = invoice, "voice/margin/carrier_invoice.html"
        self.title = str(invoice)
        # Set by the job that writes the list into a file, which shows what who asked for it may see.
        self.in_file = bool(sight) or request.GET.get("export") == "csv"
        if sight:
            request.sight = sight  # type: ignore[attr-defined]

    def visible_columns(self) -> list[Column]:
        # The page has no room for what a file has.
        only_here, only_there = {"talked", "asked"}, {"row", "seconds", "our_seconds", "micros", "our_micros"}
        left_out = only_here if self.in_file else only_there
        if self.invoice.options.get("totals"):
            # Where no calls are named there is room for both amounts.
            kept = {"micros", "our_micros"}
            left_out = left_out - kept | {"at", "called", "talked", "seconds", "our_seconds", "asked"}
        return [column for column in self.columns if column.name not in left_out]

    def queryset(self) -> QuerySet[CarrierCall]:
        calls = CarrierCall.objects.filter(invoice=self.invoice).shown_to(hidden_in(self.request))
        return calls.annotate(currency=F("invoice__currency"))

    def export(self) -> HttpResponse:
        """Answer with the calls as CSV; the job of a long export cuts numbers as this page does."""
        if not self.found[EXPORT_AT_ONCE : EXPORT_AT_ONCE + 1].exists():
            return super().export()
        query = self.request.GET.copy()
        query.pop("export", None)
        sight = sight_of(self.request.roles)  # type: ignore[attr-defined]
        params = {"query": query.urlencode(), "invoice": self.invoice.pk, "sight": sight}
        job = jobs.start(self.export_job, params, by=self.request.actor)  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))


class FaultList(ListPage):
    title = _("Lines that could not be read")
    template = "voice/margin/carrier_faults.html"
    columns = [
        Column("row", _("Line"), kind="count", sort=True),
        Column("column", _("Column")),
        Column("value", _("What stands there"), kind="code"),
        Column("words", _("What is wrong")),
    ]
    search_fields = ["value", "words"]
    default_sort, export_name = "row", "carrier-faults"
    empty = Empty(_("Every line could be read."), icon="checks")

    def __init__(self, request: HttpRequest, invoice: CarrierInvoice) -> None:
        super().__init__(request, invoice=invoice)
        self.invoice = invoice

    def queryset(self) -> QuerySet[CarrierFault]:
        return self.invoice.faults.all()


def words_of(finding: dict[str, Any], currency: str) -> str:
    """Return in words what most calls of a file differ in alike."""
    told = dict(finding)
    told["money"] = values.money(finding["micros"], currency) if "micros" in finding else ""
    if finding["kind"] == "shift":
        hours = finding["minutes"] / 60
        told["hours"] = f"{abs(hours):g}"
        ahead = _("%(share)s %% of the calls begin %(hours)s h later in their file than here.") % told
        behind = _("%(share)s %% of the calls begin %(hours)s h earlier in their file than here.") % told
        zone = _("The file is probably written in another time zone. Calls were matched nevertheless.")
        return f"{ahead if hours > 0 else behind} {zone}"
    if finding["kind"] == "seconds":
        told["n"] = abs(finding["seconds"])
        if finding["seconds"] > 0:
            words = _(
                "They count %(n)s s more on %(share)s %% of the calls: as if from another moment, ringing included."
            )
        else:
            words = _("They count %(n)s s less on %(share)s %% of the calls.")
        return f"{words % told} {_('It makes %(money)s.') % told}"
    if finding["kind"] == "minutes":
        words = _(
            "They bill whole minutes, which your price list does not: %(share)s %% of their durations are such."
            " It makes %(money)s."
        )
        return str(words % told)
    if finding["kind"] == "factor":
        words = _(
            "Their prices are %(factor)s times yours on %(share)s %% of the calls: another currency, or a price list"
            " that is not the one you have. It makes %(money)s."
        )
        return str(words % told)
    told["coin"] = values.money(finding["unit"], currency)
    ways = {
        "up": _("They round each call up to %(coin)s"),
        "down": _("They round each call down to %(coin)s"),
        "near": _("They round each call to %(coin)s"),
    }
    rest = _("on %(calls)s calls; such calls count as agreeing. It makes %(money)s.") % told
    return f"{ways[finding['way']] % told} {rest}"
