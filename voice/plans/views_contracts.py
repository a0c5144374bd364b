"""The MSP's contracts: who has what, this month so far, change of plan with its preview, end, add-ons, credits."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.core.access import requires
from portal.core.whole import whole
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from tenants.models import Customer
from voice.plans import ordering, previews, selectors
from voice.plans.forms_contracts import (
    AddOnForm,
    ChangeForm,
    ContractForm,
    CreditForm,
    DayForm,
    EndForm,
    TermsForm,
    offered_by,
)
from voice.plans.models import AddOn, Contract, Credit
from voice.plans.pages import ContractList, chip_of
from voice.plans.proration import next_month
from voice.plans.views_plans import components_of

CREDIT_MONTHS = 4


def _contract(request: HttpRequest, pk: int) -> Contract:
    return get_object_or_404(Contract.objects.select_related("tenant__msp"), pk=pk, msp=request.msp)


@requires("plans.view")
def contract_list(request: HttpRequest) -> HttpResponse:
    return ContractList(request).response()


@requires("plans.view")
def of_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead from a customer to its contract: the one that runs or comes next, else to all that it had."""
    customer = get_object_or_404(Customer, pk=pk, msp=request.msp)
    found = selectors.contract_of(customer, timezone.localdate())
    if found is None:
        return redirect(f"{reverse('plans:contracts')}?customer={pk}")
    return redirect("plans:contract", pk=found.pk)


@requires("plans.view")
def contract(request: HttpRequest, pk: int) -> HttpResponse:
    row, today = _contract(request, pk), timezone.localdate()
    held = selectors.held_on(row, today)
    runs = row.starts <= today and (row.ends is None or row.ends > today)
    context = {
        "contract": row,
        "state": chip_of(row),
        "phases": selectors.phases_of(row),
        "held": held,
        "components": components_of(held.version) if held else [],
        "add_ons": row.add_ons.order_by("-begins"),
        "credits": row.credits.order_by("-month"),
        "earliest": row.term.earliest_end(today),
        "settled_with_bill": runs and selectors.is_settled_with_bill(row.tenant),
        "month": previews.month_of(row.tenant, today) if runs else None,
        "offers": offered_by(held.version) if held else [],
        "currency": held.version.plan.currency if held else "",
        "can_change": request.can("plans.change") and (row.ends is None or row.ends > today),
    }
    return TemplateResponse(request, "voice/plans/contract.html", context)


@requires("plans.change")
def contract_new(request: HttpRequest) -> HttpResponse:
    row = Contract(msp=request.msp, starts=next_month(timezone.localdate()))
    chosen = whole(request.GET.get("customer", ""))
    form = ContractForm(request.POST or None, instance=row, initial={"tenant": chosen} if chosen else {})
    if request.method == "POST" and form.is_valid():
        try:
            ordering.start_contract(row, form.cleaned_data["version"], by=request.actor)
        except ValidationError as error:
            row.pk = None
            refuse(form, error)
        else:
            messages.success(request, _("The contract is made."))
            return redirect("plans:contract", pk=row.pk)
    return TemplateResponse(request, "voice/plans/contract_form.html", {"form": form, "title": _("New contract")})


@requires("plans.change")
def contract_edit(request: HttpRequest, pk: int) -> HttpResponse:
    row = _contract(request, pk)
    form = TermsForm(request.POST or None, instance=row)
    return _page(
        request,
        row,
        form,
        _("Terms of the contract"),
        lambda: ordering.save_contract(row, by=request.actor),
        _("Saved."),
    )


@requires("plans.change")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what the month of the change costs, and change the plan once that was seen."""
    row = _contract(request, pk)
    held = selectors.held_on(row, timezone.localdate())
    currency = held.version.plan.currency if held else ""
    form = ChangeForm(request.POST or None, contract=row, currency=currency)
    look = [("look", _("What would this month cost?"))]
    context: dict[str, Any] = {"form": form, "contract": row, "held": held, "look": look}
    if request.method == "POST" and form.is_valid():
        version, on = form.cleaned_data["version"], form.cleaned_data["on"]
        if request.POST.get("then") == "look":
            context |= _compared(row, version, on)
        else:
            try:
                ordering.change_plan(row, version, on=on, by=request.actor)
            except ValidationError as error:
                refuse(form, error)
            else:
                messages.success(request, _("The plan changes on %(day)s.") % {"day": date_format(on, "j M Y")})
                return redirect("plans:contract", pk=pk)
    return TemplateResponse(request, "voice/plans/change.html", context)


def _compared(row: Contract, version: Any, on: date) -> dict[str, Any]:
    if on <= row.starts:
        return {}
    before = previews.month_of(row.tenant, on)
    after = previews.month_after_change(row.tenant, row, version, on)
    gone = [each.name for each in row.add_ons.all() if each.name.casefold() not in
            {name.casefold() for name in offered_by(version)}]  # fmt: skip
    return {"before": before, "after": after, "difference": after.total - before.total, "gone": gone}


@requires("plans.change")
def end(request: HttpRequest, pk: int) -> HttpResponse:
    row = _contract(request, pk)
    form = EndForm(request.POST or None, contract=row)

    def act() -> None:
        told = form.cleaned_data
        ordering.end_contract(
            row, noticed_on=told["noticed_on"], ends=told["ends"], agreed=told["agreed"], by=request.actor
        )

    return _page(request, row, form, _("End the contract"), act, _("The contract has an end."), button=_("End it"))


@requires("plans.change")
def add_on(request: HttpRequest, pk: int) -> HttpResponse:
    row = _contract(request, pk)
    held = selectors.held_on(row, timezone.localdate())
    order = AddOn(msp=request.msp, tenant=row.tenant, contract=row)
    form = AddOnForm(request.POST or None, instance=order, offered=offered_by(held.version) if held else [])
    return _page(
        request, row, form, _("Order an add-on"), lambda: ordering.order_add_on(order, by=request.actor), _("Ordered.")
    )


@requires("plans.change")
def add_on_end(request: HttpRequest, pk: int) -> HttpResponse:
    order = get_object_or_404(AddOn.objects.select_related("contract__tenant"), pk=pk, msp=request.msp)
    form = DayForm(request.POST or None, contract=order.contract)

    def act() -> None:
        ordering.end_add_on(order, on=form.cleaned_data["on"], by=request.actor)

    title = _("End the add-on %(name)s") % {"name": order.name}
    return _page(request, order.contract, form, title, act, _("The add-on has an end."), button=_("End it"))


@requires("plans.change")
def credit(request: HttpRequest, pk: int) -> HttpResponse:
    row = _contract(request, pk)
    held = selectors.held_on(row, timezone.localdate())
    given = Credit(msp=request.msp, tenant=row.tenant, contract=row)
    months, month = [], timezone.localdate().replace(day=1)
    for _turn in range(CREDIT_MONTHS):
        months.append((month.isoformat(), date_format(month, "F Y")))
        month = next_month(month)
    form = CreditForm(
        request.POST or None, instance=given, currency=held.version.plan.currency if held else "", months=months
    )
    return _page(
        request,
        row,
        form,
        _("Give a credit"),
        lambda: ordering.give_credit(given, by=request.actor),
        _("Credit given."),
    )


@requires("plans.change")
def credit_remove(request: HttpRequest, pk: int) -> HttpResponse:
    given = get_object_or_404(Credit.objects.select_related("contract__tenant"), pk=pk, msp=request.msp)
    question = Question(
        _("Take the credit back?"),
        effects=[_("The bill of %(month)s will not show it.") % {"month": date_format(given.month, "F Y")}],
        button=_("Take it back"),
        about=given.contract,
    )
    back = reverse("plans:contract", args=[given.contract_id])
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=back)
    try:
        ordering.take_credit_back(given, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Credit taken back."))
    return redirect(back)


def _page(
    request: HttpRequest, row: Contract, form: Any, title: str, act: Any, words: str, button: str = ""
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            act()
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, words)
            return redirect("plans:contract", pk=row.pk)
    context = {"form": form, "title": title, "contract": row, "button": button}
    return TemplateResponse(request, "voice/plans/contract_form.html", context)
