"""The MSP's payments, companies, billed customers and their statements of account."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core.access import requires
from portal.core.whole import whole
from portal.ui.forms import refuse
from tenants.models import Customer
from voice.receivables import selectors, services
from voice.receivables.forms import EntityForm, PaymentForm, ProfileForm
from voice.receivables.models import (
    BillingProfile,
    Exemption,
    Invoice,
    LegalEntity,
    Payment,
    VatIdCheck,
    VatRegistration,
)
from voice.receivables.pages import EntityList, PaymentList, ProfileList, payment_tabs
from voice.receivables.selectors_books import chosen_books, earlier_books
from voice.receivables.views.shared import accounts_of

SHOWN_CHECKS = 5


@requires("bills.view")
def payment_list(request: HttpRequest) -> HttpResponse:
    return PaymentList(request, tabs=payment_tabs(request, "payments")).response()


@requires("bills.change")
def payment_new(request: HttpRequest) -> HttpResponse:
    payment = Payment(msp=request.msp, received_on=timezone.localdate())
    issued = Invoice.objects.issued().filter(msp=request.msp, kind=Invoice.Kind.INVOICE)
    invoice = selectors.with_standing(issued).filter(pk=_asked(request, "invoice")).first()
    customer = Customer.objects.filter(msp=request.msp, pk=_asked(request, "customer")).first()
    if customer is not None and not BillingProfile.objects.filter(tenant=customer).exists():
        messages.error(request, _("Set how this customer is billed first: a payment stands in a company’s books."))
        return redirect("invoices:profile", pk=customer.pk)
    known = {"customer": customer, "purpose": "calls" if request.GET.get("for") == "calls" else "bills"}
    # Who came from an invoice pays where it was billed.
    books = [] if invoice is not None else earlier_books(request.msp, customer)
    form = PaymentForm(
        request.POST or None, instance=payment, msp=request.msp, books=books, invoice=invoice, initial=known
    )
    if request.method == "POST" and form.is_valid():
        payment.tenant_id = form.cleaned_data["customer"].pk
        named = [invoice] if invoice is not None and invoice.tenant_id == payment.tenant_id else []
        where = (named[0].entity_id, named[0].currency) if named else form.named_books
        try:
            payment.entity, payment.currency = chosen_books(payment.tenant_id, *where)
            if form.cleaned_data["purpose"] == "calls":
                services.record_top_up(payment, by=request.actor)
            else:
                services.record_payment(payment, by=request.actor, invoices=named)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Recorded. The customer has its receipt under its payments."))
            return redirect("payments:payment", pk=payment.pk)
    return TemplateResponse(request, "voice/receivables/payment_new.html", {"form": form, "invoice": invoice})


def _asked(request: HttpRequest, name: str) -> int:
    return whole(request.GET.get(name, "")) or 0


@requires("bills.view")
def entity_list(request: HttpRequest) -> HttpResponse:
    return EntityList(request).response()


@requires("bills.change")
def entity_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    found = LegalEntity.objects.filter(msp=request.msp)
    entity = get_object_or_404(found, pk=pk) if pk is not None else LegalEntity(msp=request.msp)
    form = EntityForm(request.POST or None, instance=entity)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_entity(entity, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Company saved."))
            return redirect("invoices:entities")
    registrations = VatRegistration.objects.filter(entity=entity).order_by("country", "-begins") if entity.pk else ()
    context = {"form": form, "entity": entity, "registrations": registrations}
    return TemplateResponse(request, "voice/receivables/entity.html", context)


@requires("bills.view")
def profile_list(request: HttpRequest) -> HttpResponse:
    return ProfileList(request).response()


@requires("bills.view")
def profile(request: HttpRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=pk, msp=request.msp)
    stored = BillingProfile.objects.filter(tenant=customer).first()
    can_change = request.can("bills.change")
    has_company = LegalEntity.objects.filter(msp=request.msp).exists()
    row = stored or selectors.new_profile(customer)
    form = ProfileForm(request.POST or None, instance=row) if can_change and has_company else None
    if request.method == "POST" and form and form.is_valid():
        try:
            services.save_profile(row, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("invoices:profile", pk=pk)
    context = {
        "customer": customer,
        "form": form,
        "profile": stored,
        "has_company": has_company,
        "can_change": can_change,
        "accounts": accounts_of(customer),
        "exemptions": Exemption.objects.filter(tenant=customer).order_by("-begins", "-pk"),
        "checks": VatIdCheck.objects.filter(tenant=customer).order_by("-pk")[:SHOWN_CHECKS],
    }
    return TemplateResponse(request, "voice/receivables/profile.html", context)
