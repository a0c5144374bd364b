"""The account of a customer, with its limits and all that moved it: for its MSP, and for itself."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.ui.forms import refuse
from portal.ui.lists import Choice, Column, Day, Empty, ListPage
from tenants.models import Customer
from tenants.permissions import requires
from voice.rating import accounts, limits, warnings
from voice.rating import selectors_accounts as selectors
from voice.rating.forms_accounts import CorrectionForm, OwnLimitForm, TermsForm
from voice.rating.models import Account, Movement
from voice.rating.tabs_customer import money_tabs


class MovementList(ListPage):
    title, topic = gettext_lazy("Balance and limits"), "account"
    lead = gettext_lazy("What is left for calls, what happens at the limits, and what moved the balance besides calls.")
    columns = (
        Column("at", gettext_lazy("When"), kind="when", sort=True),
        Column("kind", gettext_lazy("What"), value=lambda row: row.get_kind_display()),
        Column("reference", gettext_lazy("Reference"), kind="code", card=False),
        Column("micros", gettext_lazy("Amount"), kind="total", sort=True),
        Column("balance_micros", gettext_lazy("Balance after it"), kind="total"),
    )
    search_fields = ("reference",)
    search_label = gettext_lazy("Search reference")
    filters = (
        Choice("kind", gettext_lazy("What"), Movement.Kind.choices),
        Day("from", gettext_lazy("From"), "at"),
        Day("to", gettext_lazy("Until"), "at", "to"),
    )
    default_sort = "-at"
    export_name = "account"
    empty = Empty(
        gettext_lazy("Nothing but calls has moved this account."),
        gettext_lazy("Top-ups, payments and issued invoices appear here."),
        icon="wallet",
    )

    def __init__(self, request: HttpRequest, account: Account, template: str, **context: Any) -> None:
        super().__init__(request, account=account, **context)
        self.account, self.template = account, template

    def queryset(self) -> QuerySet[Movement]:
        return Movement.objects.filter(tenant_id=self.account.pk)


def _facts(account: Account) -> dict[str, Any]:
    at = now()
    standing = account.standing(at)
    return {
        "standing": standing,
        "rooms": selectors.rooms(standing),
        "settled_with_bill": bool(selectors.settled_with_bill([account])),
        "sums": selectors.sums_of(account),
        "running": selectors.running_seconds(account),
        "warnings": [
            warnings.words(account, warning.kind, warning.share, at)
            for warning, _account in warnings.open_warnings(tenant=account.pk)
        ],
        "stopped": standing.left is not None and standing.left <= 0,
    }


def _customer(request: HttpRequest, pk: int) -> Customer:
    return get_object_or_404(Customer, pk=pk, msp=request.msp)


@requires("bills.view")
def msp_account(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a customer's account to its MSP, with what can still be lost."""
    customer = _customer(request, pk)
    account = limits.account_of(customer)
    known = selectors.classes_now(account, now())
    risk = selectors.risk(account, known)
    return MovementList(
        request,
        account,
        "voice/rating/account_msp.html",
        customer=customer,
        can_change=request.can("bills.change"),
        risk=risk,
        has_prices=known is not None,
        trouble=selectors.trouble(account),
        longest=selectors.longest_next(account, known, risk.open_calls, now()),
        **_facts(account),
    ).response()


@requires("bills.change")
def msp_terms(request: HttpRequest, pk: int) -> HttpResponse:
    customer = _customer(request, pk)
    account = limits.account_of(customer)
    form = TermsForm(request.POST or None, instance=account)
    if request.method == "POST" and form.is_valid():
        try:
            limits.save_terms(account, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved. The SBCs know it in a few seconds."))
            return redirect("accounts:detail", pk=pk)
    context = {
        "form": form,
        "customer": customer,
        "title": _("Kind and limits"),
        "lead": _("How this customer pays, up to what amount its calls go, and when people are warned."),
        "button": _("Save"),
    }
    return TemplateResponse(request, "voice/rating/account_form.html", context)


@requires("bills.change")
def msp_correct(request: HttpRequest, pk: int) -> HttpResponse:
    customer = _customer(request, pk)
    account = limits.account_of(customer)
    form = CorrectionForm(request.POST or None, currency=account.currency)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            accounts.correct_by_hand(
                customer.pk, given["amount"], account.currency, reference=given["reference"], by=request.actor
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Booked. The SBCs know it in a few seconds."))
            return redirect("accounts:detail", pk=pk)
    context = {
        "form": form,
        "customer": customer,
        "title": _("Correct the balance"),
        "lead": _(
            "For what was counted wrongly. Record money that came in as a payment or a top-up instead: then it stands"
            " in the books and has a receipt."
        ),
        "button": _("Book"),
    }
    return TemplateResponse(request, "voice/rating/account_form.html", context)


@requires("bills.view")
def own_account(request: HttpRequest) -> HttpResponse:
    """Show a customer what is left, what it spent, and what happens at its limits."""
    account = limits.account_of(request.tenant)
    can_change = request.can("limits.change")
    context = {"can_change": can_change, "tabs": money_tabs(request, "account:home"), **_facts(account)}
    return MovementList(request, account, "voice/rating/account.html", **context).response()


@requires("limits.change")
def own_limit(request: HttpRequest) -> HttpResponse:
    account = limits.account_of(request.tenant)
    form = OwnLimitForm(request.POST or None, instance=account)
    if request.method == "POST" and form.is_valid():
        try:
            limits.save_own_limit(account, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved. The SBCs know it in a few seconds."))
            return redirect("account:home")
    return TemplateResponse(request, "voice/rating/account_limit.html", {"form": form, "account": account})
