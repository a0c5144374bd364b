"""The lists of bank entries, and the tabs that stand beside the payments."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.ui.lists import Action, Choice, Column, Day, Empty, ListPage
from portal.ui.status import Status, status
from voice.payments import selectors
from voice.payments.gaps import Gap
from voice.payments.matching import Books, Suggestion, suggest
from voice.payments.models import BankEntry
from voice.receivables.pages import day, payment_tabs
from voice.receivables.references import grouped

State = BankEntry.State
IMPORT = Action(_("Import a statement"), "payments:import", "upload", "payments.change")


def state_of(entry: BankEntry) -> Status:
    """Return where the entry stands."""
    if entry.state == State.BOOKED:
        return status("done", word=entry.get_state_display())
    if entry.state == State.ASIDE:
        return status("inactive", word=entry.get_state_display())
    return status("waiting_you", word=entry.get_state_display())


def told(suggestion: Suggestion) -> str:
    """Return a suggestion in a few words: who, and for what."""
    if suggestion.payment is not None:
        return _now("%(customer)s, return of the payment of %(day)s") % {
            "customer": suggestion.customer, "day": date_format(suggestion.payment.received_on, "j M Y"),
        }  # fmt: skip
    return ", ".join([suggestion.customer, *(each.number for each in suggestion.invoices)])


def missing(request: HttpRequest) -> list[Gap]:
    """Return where statements are missing: their payments are not known, and would be reminded of."""
    return selectors.bank_gaps(request.msp.pk)  # type: ignore[attr-defined]


class EntryList(ListPage):
    title = _("Bank statements")
    lead = _("What came in and went out by the bank. What is not matched waits here until you say what it is.")
    template = "voice/payments/bank.html"
    search_fields = ["payer", "text", "structured", "payer_iban", "tenant__name"]
    search_label = _("Search payer, text or IBAN")
    default_sort = "-booked_on"
    export_name = "bank-entries"
    actions = [IMPORT]
    empty = Empty(_("No entries yet."), _("Import the CAMT.053 file that your bank offers."), IMPORT, "building")
    filters = [
        Choice("state", _("State"), State.choices),
        Choice("way", _("Way"), [("in", _("In")), ("out", _("Out"))],
               apply=lambda found, way: found.filter(**{"amount__gt" if way == "in" else "amount__lt": 0})),
        Day("from", _("From"), "booked_on"),
        Day("to", _("Until"), "booked_on", "to"),
    ]  # fmt: skip

    def __init__(self, request: HttpRequest) -> None:
        self._books: dict[int, Books] = {}
        super().__init__(
            request,
            tabs=payment_tabs(request, "bank"),
            sure=lambda: self.sure,
            gaps=missing(request),
            can_change=request.can("payments.change"),  # type: ignore[attr-defined]
        )

    @cached_property
    def columns(self) -> Sequence[Column]:  # type: ignore[override]
        return [
            Column("state", _("State"), kind="status", value=state_of),
            Column("booked_on", _("Day"), draw=day("booked_on"), sort=True),
            Column("payer", _("From or to"), value=str, link="payments:entry"),
            Column("text", _("Text"), value=lambda row: row.structured or row.text[:90], card=False),
            Column("is", _("What it is"), value=self.meaning, card=False),
            Column("amount", _("Amount"), kind="money", sort=True),
        ]

    def queryset(self) -> QuerySet[BankEntry]:
        own = BankEntry.objects.filter(msp=self.request.msp)  # type: ignore[attr-defined]
        return own.select_related("tenant", "statement")

    def meaning(self, row: BankEntry) -> str:
        """Return what the entry was booked as, or what it seems to be."""
        if row.state != State.OPEN:
            return row.note or str(row.tenant or "")
        found = self.suggestions(row)
        if not found:
            return _now("Nothing fits")
        words = told(found[0])
        return words if found[0].sure else _now("Perhaps: %(what)s") % {"what": words}

    def suggestions(self, row: BankEntry) -> list[Suggestion]:
        """Return what an entry may be, by books that are read once for the page."""
        if row.entity_id not in self._books:
            self._books[row.entity_id] = selectors.books_of(row.entity_id)
        return suggest(row, self._books[row.entity_id])

    @cached_property
    def sure(self) -> int:
        """Return how many open entries need nobody's eye."""
        open_ones = BankEntry.objects.filter(msp=self.request.msp, state=State.OPEN)[:500]  # type: ignore[attr-defined]
        return sum(bool(found and found[0].sure) for found in map(self.suggestions, open_ones))


def entry_url(entry: BankEntry) -> str:
    return reverse("payments:entry", args=[entry.pk])


def facts_of(entry: BankEntry, found: list[Suggestion]) -> dict[str, Any]:
    """Return what the page of an entry shows."""
    offered = [
        {"words": told(each), "given": each, "invoices": [invoice.pk for invoice in each.invoices]} for each in found
    ]
    return {"entry": entry, "iban": grouped(entry.payer_iban), "state": state_of(entry), "offered": offered}
