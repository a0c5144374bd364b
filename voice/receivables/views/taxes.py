"""The MSP's tax table, and its customers' exemptions and VAT ids."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.ui.forms import refuse
from tenants.models import Customer
from voice.receivables import services
from voice.receivables.forms_taxes import ExemptionForm, RegistrationForm, TaxRuleForm
from voice.receivables.models import BillingProfile, Exemption, LegalEntity, TaxRule, VatIdCheck, VatRegistration
from voice.receivables.pages_taxes import TaxRuleList
from voice.selection import refusal_words


@requires("bills.view")
def rule_list(request: HttpRequest) -> HttpResponse:
    return TaxRuleList(request).response()


@requires("bills.change")
def rule_new(request: HttpRequest) -> HttpResponse:
    rule = TaxRule(msp=request.msp, begins=timezone.localdate())
    form = TaxRuleForm(request.POST or None, instance=rule)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_rule(rule, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Rule added. Invoices that are issued keep what they say."))
            return redirect("invoices:taxes")
    return TemplateResponse(request, "voice/receivables/tax_new.html", {"form": form})


@requires("bills.change")
def exemption_edit(request: HttpRequest, customer: int, pk: int | None = None) -> HttpResponse:
    tenant = get_object_or_404(Customer, pk=customer, msp=request.msp)
    found = Exemption.objects.filter(msp=request.msp, tenant=tenant)
    row = get_object_or_404(found, pk=pk) if pk is not None else Exemption(msp=request.msp, tenant=tenant)
    form = ExemptionForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        row.ends = form.cleaned_data["ends"]
        try:
            services.save_exemption(row, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved. Invoices that are issued keep their tax."))
            return redirect("invoices:profile", pk=tenant.pk)
    context = {"form": form, "customer": tenant, "exemption": row}
    return TemplateResponse(request, "voice/receivables/exemption.html", context)


@requires("bills.change")
def registration_edit(request: HttpRequest, entity: int, pk: int | None = None) -> HttpResponse:
    company = get_object_or_404(LegalEntity, pk=entity, msp=request.msp)
    found = VatRegistration.objects.filter(entity=company)
    row = get_object_or_404(found, pk=pk) if pk is not None else VatRegistration(msp=request.msp, entity=company)
    form = RegistrationForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        row.ends = form.cleaned_data["ends"]
        try:
            services.save_registration(row, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved. Invoices that are issued keep their tax."))
            return redirect("invoices:entity", pk=company.pk)
    context = {"form": form, "company": company, "registration": row}
    return TemplateResponse(request, "voice/receivables/registration.html", context)


@require_POST
@requires("bills.change")
def check_vat_id(request: HttpRequest, customer: int) -> HttpResponse:
    profile = get_object_or_404(BillingProfile, tenant_id=customer, msp=request.msp)
    try:
        answer = services.check_vat_id(profile, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        good = answer.state != VatIdCheck.State.WRONG
        (messages.success if good else messages.error)(request, str(answer))
    return redirect("invoices:profile", pk=customer)
