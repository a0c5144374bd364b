"""A customer's bills, read from its own copies."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from portal.core.access import requires
from voice.billing.models import Bill
from voice.rating.tabs_customer import money_tabs
from voice.receivables import selectors
from voice.receivables.pages import BillList, LineList, state_of
from voice.receivables.views.shared import facts_of, file_response


def _bill(pk: int) -> Bill:
    return get_object_or_404(selectors.bills(), pk=pk)


@requires("bills.view")
def bill_list(request: HttpRequest) -> HttpResponse:
    return BillList(request, tabs=money_tabs(request, "bills:list")).response()


@requires("bills.view")
def bill(request: HttpRequest, pk: int) -> HttpResponse:
    row = _bill(pk)
    return LineList(request, row, "voice/receivables/bill.html", **facts_of(row, state_of(row))).response()


@requires("bills.view")
def download(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    return file_response(_bill(pk), kind)
