"""A customer's bills and its statement of account."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse

from portal.core.access import requires
from voice.receivables import selectors
from voice.receivables.models import Invoice
from voice.receivables.pages import BillList, LineList, state_of
from voice.receivables.views.shared import accounts_of, facts_of, file_response


def _bill(request: HttpRequest, pk: int) -> Invoice:
    return get_object_or_404(selectors.invoices().filter(tenant=request.tenant), pk=pk)


@requires("bills.view")
def bill_list(request: HttpRequest) -> HttpResponse:
    return BillList(request).response()


@requires("bills.view")
def bill(request: HttpRequest, pk: int) -> HttpResponse:
    row = _bill(request, pk)
    return LineList(request, row, "voice/receivables/bill.html", **facts_of(row, state_of(row))).response()


@requires("bills.view")
def download(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    return file_response(_bill(request, pk), kind)


@requires("bills.view")
def account(request: HttpRequest) -> HttpResponse:
    context = {"accounts": accounts_of(request.tenant)}
    return TemplateResponse(request, "voice/receivables/account.html", context)
