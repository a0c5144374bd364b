"""What a line of a bill is made of: its steps, its calls, and the questions about it, for MSP and customer."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from portal.core.access import requires
from portal.ui.forms import refuse
from voice.billing.models import Bill
from voice.receivables import selectors
from voice.receivables.explaining import figures_of, steps_of
from voice.receivables.forms import AnswerForm, AskForm
from voice.receivables.models import Invoice, LineQuestion
from voice.receivables.pages_calls import BilledCallList
from voice.receivables.pages_questions import AskedList, QuestionList, state_of_asked, state_of_question
from voice.receivables.services import questions


def _invoice(request: HttpRequest, pk: int) -> Invoice:
    return get_object_or_404(selectors.invoices().filter(msp=request.msp), pk=pk)


def _bill(pk: int) -> Bill:
    return get_object_or_404(selectors.bills(), pk=pk)


def _line(request: HttpRequest, document: Invoice | Bill, position: int, **context: Any) -> HttpResponse:
    line = get_object_or_404(document.lines.all(), position=position)
    asked = LineQuestion.objects.filter(invoice=document.pk, position=position).order_by("-pk")
    context |= {
        "line": line,
        "steps": steps_of(line, document.currency, figures_of(document, position)),
        "questions": asked,
    }
    shown = BilledCallList(request, document, position, "voice/receivables/line.html", **context)
    shown.title = line.text
    return shown.response()


@requires("bills.view")
def invoice_line(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    return _line(request, _invoice(request, pk), position, place="invoices")


@requires("bills.view")
def invoice_calls(request: HttpRequest, pk: int) -> HttpResponse:
    return BilledCallList(
        request, _invoice(request, pk), 0, "voice/receivables/calls.html", place="invoices"
    ).response()


@requires("bills.view")
def bill_line(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    return _line(request, _bill(pk), position, place="bills", may_ask=request.can("questions.change"))


@requires("bills.view")
def bill_calls(request: HttpRequest, pk: int) -> HttpResponse:
    return BilledCallList(request, _bill(pk), 0, "voice/receivables/calls.html", place="bills").response()


@requires("questions.change")
def ask(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    bill = _bill(pk)
    line = get_object_or_404(bill.lines.select_related("bill"), position=position)
    form = AskForm(request.POST or None, currency=bill.currency)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = questions.ask(
                line, request.tenant, text=given["text"], disputed=given["disputed"] or 0, by=request.actor
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Your provider has your question, with the line and its calls."))
            return redirect("bills:question", pk=made.pk)
    steps = steps_of(line, bill.currency, figures_of(bill, position))
    context = {"form": form, "invoice": bill, "line": line, "steps": steps}
    return TemplateResponse(request, "voice/receivables/ask.html", context)


@requires("questions.view")
def asked_list(request: HttpRequest) -> HttpResponse:
    return AskedList(request).response()


@requires("questions.view")
def asked(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(LineQuestion.objects.filter(tenant=request.tenant), pk=pk)
    context = {"question": row, "state": state_of_asked(row), "place": "bills"}
    return TemplateResponse(request, "voice/receivables/question.html", context)


@requires("questions.view")
def question_list(request: HttpRequest) -> HttpResponse:
    return QuestionList(request).response()


@requires("questions.view")
def question(request: HttpRequest, pk: int) -> HttpResponse:
    found = LineQuestion.objects.filter(msp=request.msp).select_related("tenant", "invoice")
    row = get_object_or_404(found, pk=pk)
    context = {"question": row, "state": state_of_question(row), "place": "invoices"}
    context["can_answer"] = row.is_open and request.can("bills.change")
    return TemplateResponse(request, "voice/receivables/question.html", context)


@requires("bills.change")
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(LineQuestion.objects.filter(msp=request.msp).select_related("tenant", "invoice"), pk=pk)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            questions.answer(row, text=form.cleaned_data["answer"], by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Answered: the customer sees it, and who asked gets a mail."))
            return redirect("invoices:question", pk=pk)
    context = {"question": row, "state": state_of_question(row), "form": form, "place": "invoices"}
    return TemplateResponse(request, "voice/receivables/answer.html", context)
