"""The operator's desk for taxes: the rules that hold for everybody, and who compared them with their sources."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core.access import requires
from portal.ui.forms import refuse
from voice.receivables import selectors, services
from voice.receivables.forms_taxes import TaxCheckForm, TaxRuleForm
from voice.receivables.models import TaxCheck, TaxRule
from voice.receivables.pages_taxes import EverybodysRuleList, checked_of, rate_of, state_of


@requires("taxes.view")
def rule_list(request: HttpRequest) -> HttpResponse:
    return EverybodysRuleList(request).response()


@requires("taxes.change")
def rule_new(request: HttpRequest) -> HttpResponse:
    rule = TaxRule(begins=timezone.localdate())
    form = TaxRuleForm(request.POST or None, instance=rule)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_rule(rule, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Rule added for every MSP. Invoices that are issued keep what they say."))
            return redirect("taxes:rule", pk=rule.pk)
    return TemplateResponse(request, "voice/receivables/tax_new_everybodys.html", {"form": form})


@requires("taxes.view")
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(selectors.everybodys_rules(), pk=pk)
    context = {
        "rule": row,
        "rate": rate_of(row),
        "state": state_of(row),
        "checked": checked_of(row),
        "checks": row.checks.order_by("-checked_on", "-pk"),
        "can_change": request.can("taxes.change"),
    }
    return TemplateResponse(request, "voice/receivables/tax_rule.html", context)


@requires("taxes.change")
def check(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(selectors.everybodys_rules(), pk=pk)
    found = TaxCheck(rule=row, checked_on=timezone.localdate())
    form = TaxCheckForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        try:
            services.check_rule(found, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Noted. MSPs see beside the rule when it was checked."))
            return redirect("taxes:rule", pk=pk)
    return TemplateResponse(request, "voice/receivables/tax_check.html", {"form": form, "rule": row})
