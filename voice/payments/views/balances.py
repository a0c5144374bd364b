"""The MSP's page of all accounts."""

from django.http import HttpRequest, HttpResponse

from portal.core.access import requires
from voice.payments.pages_balances import BalanceList


@requires("bills.view")
def balance_list(request: HttpRequest) -> HttpResponse:
    return BalanceList(request).response()
