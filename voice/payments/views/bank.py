"""The MSP's bank statements: import, look, book."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.ui.forms import refuse
from voice.payments import selectors, services, tasks  # noqa: F401  registers the jobs
from voice.payments.forms import AsideForm, PayerForm, ReturnForm, StatementForm
from voice.payments.matching import suggest
from voice.payments.models import BankEntry, BankStatement
from voice.payments.pages import EntryList, facts_of
from voice.receivables.models import LegalEntity
from voice.selection import refusal_words


@requires("payments.view")
def entry_list(request: HttpRequest) -> HttpResponse:
    return EntryList(request).response()


@requires("payments.change")
def import_statement(request: HttpRequest) -> HttpResponse:
    form = StatementForm(request.POST or None, request.FILES or None, msp=request.msp)
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            job = services.start_import(given["entity"], given["file"].name, given["file"].read(), by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect("jobs:detail", job.pk)
    has_company = LegalEntity.objects.filter(msp=request.msp).exists()
    return TemplateResponse(request, "voice/payments/import.html", {"form": form, "has_company": has_company})


def _entry(request: HttpRequest, pk: int) -> BankEntry:
    found = BankEntry.objects.filter(msp=request.msp).select_related("statement", "entity", "tenant", "payment")
    return get_object_or_404(found, pk=pk)


@requires("payments.view")
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    row = _entry(request, pk)
    return _page(request, row, *_forms(row, None))


def _forms(row: BankEntry, data: Any) -> tuple[Any, Any]:
    if row.amount < 0:
        return ReturnForm(data, entry=row), AsideForm()
    invoices = [each.pk for each in selectors.open_invoices(row.entity_id) if each.currency == row.currency]
    return PayerForm(data, entry=row, invoices=invoices), AsideForm()


def _page(request: HttpRequest, row: BankEntry, form: Any, aside: Any) -> HttpResponse:
    is_open = row.state == BankEntry.State.OPEN
    found = suggest(row, selectors.books_of(row.entity_id)) if is_open else []
    context = facts_of(row, found) | {"form": form, "aside": aside, "can_change": request.can("payments.change")}
    return TemplateResponse(request, "voice/payments/entry.html", context)


@require_POST
@requires("payments.change")
def book(request: HttpRequest, pk: int) -> HttpResponse:
    """Book an entry as the reader says."""
    row = _entry(request, pk)
    form, aside = _forms(row, request.POST)
    if not form.is_valid():
        return _page(request, row, form, aside)
    given = form.cleaned_data

    def act() -> object:
        if row.amount < 0:
            return services.book_out(row, given["payment"], by=request.actor)
        named = [given["invoice"]] if given["invoice"] else []
        return services.book_in(row, given["customer"], invoices=named, by=request.actor)

    return _done(request, row, act, _("Booked."))


@require_POST
@requires("payments.change")
def book_suggestion(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Book an entry as was suggested, where that still is what would be suggested."""
    row = _entry(request, pk)
    found = suggest(row, selectors.books_of(row.entity_id))
    chosen = found[number - 1] if 0 < number <= len(found) else None
    if chosen is None or str(chosen.tenant_id) != request.POST.get("customer"):
        messages.error(request, _("This has changed meanwhile. Look once more."))
        return redirect("payments:entry", pk=row.pk)
    return _done(request, row, lambda: services.book(row, chosen, by=request.actor), _("Booked."))


@require_POST
@requires("payments.change")
def book_sure(request: HttpRequest) -> HttpResponse:
    """Book everything of which it is sure what it is, in the background."""
    return redirect("jobs:detail", services.start_book_sure(by=request.actor).pk)


@require_POST
@requires("payments.change")
def explain_gap(request: HttpRequest, pk: int) -> HttpResponse:
    """Note why a statement does not follow the one before it."""
    row = get_object_or_404(BankStatement.objects.filter(msp=request.msp), pk=pk)
    try:
        services.explain_gap(row, note=request.POST.get("note", ""), by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, _("Noted."))
    return redirect("payments:bank")


@require_POST
@requires("payments.change")
def set_aside(request: HttpRequest, pk: int) -> HttpResponse:
    row = _entry(request, pk)
    note = request.POST.get("note", "")
    return _done(request, row, lambda: services.set_aside(row, note=note, by=request.actor), _("Set aside."))


@require_POST
@requires("payments.change")
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    row = _entry(request, pk)
    return _done(request, row, lambda: services.reopen(row, by=request.actor), _("Back among what is not matched."))


def _done(request: HttpRequest, row: BankEntry, act: Callable[[], object], words: str) -> HttpResponse:
    try:
        act()
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        return redirect("payments:entry", pk=row.pk)
    messages.success(request, words)
    return redirect("payments:bank")
