"""A customer pays its bills: at the checkout, with a saved card, or ahead."""

from csp.decorators import csp_update
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.core.access import requires, signed_in_page
from portal.db import contexts
from portal.ui.forms import refuse
from voice.payments import selectors_cards
from voice.payments.forms_cards import PayForm, TopUpForm
from voice.payments.gateway import lab
from voice.payments.models import CardAccount, CardAttempt, Reminder
from voice.payments.pages_cards import CardList, state_of
from voice.payments.selectors_cards import Payable
from voice.payments.services import cards, webhooks
from voice.payments.services.orders import order_of
from voice.receivables.references import creditor_reference, grouped
from voice.selection import refusal_words

# A browser follows a form's redirect only to where the page says that its forms may lead.
to_checkout = csp_update({"form-action": ["https://checkout.stripe.com"]})


@to_checkout
@requires("payments.change")
def pay(request: HttpRequest) -> HttpResponse:
    open_ones = selectors_cards.payables(request.tenant)
    payable = _chosen(request, open_ones)
    saved = selectors_cards.saved_cards(request.tenant, payable.entity) if payable else []
    form = None
    if payable is not None and payable.by_card and payable.balance > 0:
        form = PayForm(request.POST or None, payable=payable, cards=saved, chosen=request.GET.get("bill", ""))
    if request.method == "POST" and payable is not None and form is not None and form.is_valid():
        try:
            attempt = cards.pay(
                request.tenant, invoices=form.invoices, where=(payable.entity, payable.currency), method=form.method,
                saves=form.cleaned_data["saves"], by=request.actor,
            )  # fmt: skip
        except ValidationError as error:
            refuse(form, error)
        else:
            return _onwards(attempt)
    rows = [(each, grouped(creditor_reference(each.number))) for each in payable.invoices] if payable else []
    context = {
        "form": form,
        "payable": payable,
        "others": [each for each in open_ones if each is not payable and each.balance > 0],
        "rows": rows,
        "iban": grouped(payable.iban) if payable else "",
        # The database shows a customer what was sent to it, and no proposal.
        "reminders": Reminder.objects.filter(tenant=request.tenant).order_by("-pk")[:10],
    }
    return TemplateResponse(request, "voice/payments/pay.html", context)


def _chosen(request: HttpRequest, offered: list[Payable]) -> Payable | None:
    """Return what is paid here: where the bill is, or what was asked for, or what is open."""
    bill, where = request.GET.get("bill", ""), request.GET.get("where", "")
    for each in offered:
        if each.key == where or bill in {str(invoice.pk) for invoice in each.invoices}:
            return each
    return next((each for each in offered if each.balance > 0), offered[0] if offered else None)


@to_checkout
@requires("payments.change")
def top_up(request: HttpRequest) -> HttpResponse:
    form = TopUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            attempt = cards.top_up(request.tenant, form.cleaned_data["amount"], by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return _onwards(attempt)
    payable = selectors_cards.payable(request.tenant)
    if payable:
        form.fields["amount"].widget.attrs["data-unit"] = payable.currency
    context = {"form": form, "payable": payable, "iban": grouped(payable.iban) if payable else ""}
    return TemplateResponse(request, "voice/payments/top_up.html", context)


def _onwards(attempt: CardAttempt) -> HttpResponse:
    url = getattr(attempt, "url", "")
    return HttpResponseRedirect(url) if url else redirect("pay:attempt", key=attempt.key)


def _attempt(request: HttpRequest, key: object) -> CardAttempt:
    return get_object_or_404(CardAttempt.objects.filter(tenant=request.tenant), key=key)


@requires("payments.view")
def attempt(request: HttpRequest, key: object) -> HttpResponse:
    """Say what became of a payment; the page of the gateway leads back here."""
    row = _attempt(request, key)
    return TemplateResponse(request, "voice/payments/attempt.html", {"attempt": row, "state": state_of(row)})


@requires("payments.view")
def card_list(request: HttpRequest) -> HttpResponse:
    return CardList(request).response()


@require_POST
@requires("payments.change")
def card_default(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        cards.choose_default(request.tenant, pk, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, _("This card is charged when a bill is due."))
    return redirect("pay:cards")


@require_POST
@requires("payments.change")
def card_remove(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        cards.forget(request.tenant, pk, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, _("Card removed."))
    return redirect("pay:cards")


@signed_in_page
def lab_checkout(request: HttpRequest, key: object) -> HttpResponse:
    """Stand in for the gateway's own page: whoever has the link pays there, so no right of ours is asked for."""
    row = _attempt(request, key)
    with contexts.msp(request.tenant.msp):
        get_object_or_404(CardAccount, pk=row.account_id, kind=CardAccount.Kind.LAB)
        row = CardAttempt.objects.select_related("account__entity", "tenant__msp").get(pk=row.pk)
        order = order_of(row)
        if request.method == "POST" and row.is_under_way and request.POST.get("card") in lab.LABELS:
            at = int(timezone.now().timestamp())
            for event in lab.checkout_events(order, last4=request.POST["card"], at=at):
                body, signature = lab.signed(event, row.account.webhook_secret or "")
                webhooks.receive(row.account, body, signature)
            return redirect("pay:attempt", key=row.key)
    context = {"attempt": row, "order": order, "offered": lab.LABELS.items()}
    return TemplateResponse(request, "voice/payments/lab_checkout.html", context)
