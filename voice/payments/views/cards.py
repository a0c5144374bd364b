"""The MSP's card payments and where they are taken; the address that the gateway calls."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from portal.core.access import public_page, requires
from portal.ui.forms import refuse
from tenants import addresses
from voice.payments import events
from voice.payments.forms_cards import AccountForm, RefundForm
from voice.payments.models import CardAccount, CardAttempt
from voice.payments.pages_cards import AccountList, AttemptList, state_of
from voice.payments.services import accounts, cards, facts, webhooks
from voice.receivables.models import LegalEntity
from voice.selection import refusal_words

EVENTS = (
    "checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed",
    "checkout.session.expired", "payment_intent.succeeded", "payment_intent.payment_failed", "charge.refunded",
    "refund.failed", "charge.refund.updated", "charge.dispute.created", "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)  # fmt: skip


@csrf_exempt
@public_page
@require_POST
def hook(request: HttpRequest, hook: str) -> HttpResponse:
    """Take in an event of the gateway; the raw body is what its signature was made over."""
    account = CardAccount.objects.select_related("entity").filter(hook=hook).first()
    if account is None:
        raise Http404
    try:
        webhooks.receive(account, request.body, request.headers.get("Stripe-Signature", ""))
    except events.Forged:
        return HttpResponse("Bad signature\n", status=400, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


@requires("payments.view")
def attempt_list(request: HttpRequest) -> HttpResponse:
    return AttemptList(request).response()


def _attempt(request: HttpRequest, pk: int) -> CardAttempt:
    found = CardAttempt.objects.filter(msp=request.msp).select_related("tenant", "account__entity", "payment")
    return get_object_or_404(found, pk=pk)


@requires("payments.view")
def attempt(request: HttpRequest, pk: int) -> HttpResponse:
    row = _attempt(request, pk)
    context = {
        "attempt": row,
        "state": state_of(row),
        "events": row.events.order_by("pk"),
        "disputes": row.disputes.order_by("pk"),
        "kept": facts.refundable(row),
        "can_change": request.can("payments.change"),
    }
    return TemplateResponse(request, "voice/payments/card.html", context)


@requires("payments.change")
def refund(request: HttpRequest, pk: int) -> HttpResponse:
    row = _attempt(request, pk)
    form = RefundForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            cards.refund(row, form.cleaned_data["amount"], by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("It goes back. What it had paid is open again."))
            return redirect("payments:card", pk=row.pk)
    return TemplateResponse(request, "voice/payments/refund.html", {"form": form, "attempt": row})


@requires("payments.view")
def account_list(request: HttpRequest) -> HttpResponse:
    return AccountList(request).response()


@requires("payments.change")
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """Set up where a company takes card payments; `pk` is the company's."""
    entity = get_object_or_404(LegalEntity.objects.filter(msp=request.msp), pk=pk)
    row = CardAccount.objects.filter(entity=entity).first() or CardAccount(msp=request.msp, entity=entity)
    form = AccountForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        keys = {name: form.cleaned_data[name] for name in ("api_key", "webhook_secret")}
        try:
            accounts.save_account(row, by=request.actor, **keys)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("payments:account", pk=entity.pk)
    url = addresses.url(addresses.primary_host(request.msp), reverse("hooks:cards", args=[row.hook])) if row.pk else ""
    context = {"form": form, "entity": entity, "account": row, "url": url, "kinds": EVENTS}
    return TemplateResponse(request, "voice/payments/account.html", context)


@require_POST
@requires("payments.change")
def renew_hook(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(CardAccount.objects.filter(msp=request.msp), entity=pk)
    try:
        accounts.renew_hook(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, _("The webhook has another address. Enter it at the gateway."))
    return redirect("payments:account", pk=pk)
