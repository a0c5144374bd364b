"""The MSP's invoices, payments and who bills whom."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from voice.currencies.tabs import tabs
from voice.receivables import findings, selectors, services
from voice.receivables.forms import CreditForm, InvoiceForm
from voice.receivables.models import Invoice
from voice.receivables.pages import InvoiceList, LineList, state_of
from voice.receivables.views.shared import facts_of, file_response
from voice.selection import refusal_words


@requires("bills.view")
def invoice_list(request: HttpRequest) -> HttpResponse:
    return InvoiceList(request, tabs=tabs(request, "invoices:list")).response()


def _invoice(request: HttpRequest, pk: int) -> Invoice:
    return get_object_or_404(selectors.invoices().filter(msp=request.msp), pk=pk)


@requires("bills.view")
def invoice(request: HttpRequest, pk: int) -> HttpResponse:
    row = _invoice(request, pk)
    can_change = request.can("bills.change")
    context = facts_of(row, state_of(row)) | {"can_change": can_change}
    if row.state == Invoice.State.DRAFT:
        found = [findings.told(each) for each in selectors.findings_of(row)]
        context |= {"findings": found, "is_held": any(each.finding.is_open for each in found)}
    return LineList(request, row, "voice/receivables/invoice.html", **context).response()


@requires("bills.change")
def invoice_new(request: HttpRequest) -> HttpResponse:
    form = InvoiceForm(request.POST or None, msp=request.msp)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = services.draft(
                given["customer"], given["lines"], begins=given["begins"], ends=given["ends"], by=request.actor
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Draft written. Look at it, then approve it."))
            return redirect("invoices:detail", pk=made.pk)
    return TemplateResponse(request, "voice/receivables/invoice_new.html", {"form": form})


@require_POST
@requires("bills.change")
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    return _done(request, pk, services.approve, _("Approved. It can be issued now."))


@require_POST
@requires("bills.change")
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    return _done(request, pk, services.reopen, _("A draft again."))


def _done(request: HttpRequest, pk: int, act: object, words: str) -> HttpResponse:
    try:
        act(_invoice(request, pk), by=request.actor)  # type: ignore[operator]
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, words)
    return redirect("invoices:detail", pk=pk)


@requires("bills.change")
def issue(request: HttpRequest, pk: int) -> HttpResponse:
    row = _invoice(request, pk)
    question = Question(
        _("Issue this document?"),
        [_("It gets its number and goes to the customer's bills."), _("It cannot be changed any more, only credited.")],
        _("Issue"),
        danger=False,
        about=row,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("invoices:detail", args=[pk]))
    try:
        issued = services.issue(row, on=timezone.localdate(), by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        services.store_files(issued)
        messages.success(request, _("%(number)s is issued.") % {"number": issued.number})
    return redirect("invoices:detail", pk=pk)


@require_POST
@requires("bills.change")
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    return _done(request, pk, services.mail, _("Sent."))


@requires("bills.change")
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    row = _invoice(request, pk)
    question = Question(
        _("Throw this draft away?"), [_("It has no number yet, so none will be missing.")], _("Throw away"), about=row
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("invoices:detail", args=[pk]))
    try:
        services.drop(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        return redirect("invoices:detail", pk=pk)
    messages.success(request, _("Draft thrown away."))
    return redirect("invoices:list")


@requires("bills.change")
def credit(request: HttpRequest, pk: int) -> HttpResponse:
    row = _invoice(request, pk)
    left = selectors.left_to_credit(row).lines
    lines = {line.position: (line.text, left[line.position]) for line in row.lines.order_by("position")}
    lines = {position: told for position, told in lines.items() if told[1]}
    form = CreditForm(request.POST or None, lines=lines, currency=row.currency)
    if request.method == "POST" and form.is_valid():
        try:
            note = services.credit(row, reason=form.cleaned_data["reason"], amounts=form.amounts, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Draft of a credit note written. Look at it, then approve it."))
            return redirect("invoices:detail", pk=note.pk)
    return TemplateResponse(request, "voice/receivables/credit.html", {"form": form, "invoice": row})


@requires("bills.view")
def download(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    return file_response(_invoice(request, pk), kind)
