"""The MSP's block list and emergency trunks."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.core.access import requires
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from tenants.countries import country_in_words, country_name
from tenants.models import Customer
from voice.carriers import lists, selectors
from voice.carriers.forms import BlockedPrefixForm, TrunkOrderForm
from voice.carriers.models import BlockedPrefix, EmergencyTrunk
from voice.carriers.pages import BlockList
from voice.carriers.tabs import carrier_tabs


@requires("carriers.view")
def blocked(request: HttpRequest) -> HttpResponse:
    return BlockList(request, tabs=carrier_tabs(request, "carriers:blocked")).response()


@requires("carriers.change")
def blocked_new(request: HttpRequest) -> HttpResponse:
    row = BlockedPrefix(msp=request.msp)
    form = BlockedPrefixForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        try:
            lists.save_blocked_prefix(row, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Blocked. The SBCs follow in a moment."))
            return redirect("carriers:blocked")
    return TemplateResponse(request, "voice/carriers/blocked_form.html", {"form": form})


@requires("carriers.change")
def blocked_delete(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(BlockedPrefix, pk=pk, msp=request.msp)
    question = Question(
        title=_("Stop blocking %(prefix)s?") % {"prefix": row},
        effects=[_("Customers whose own routing allows these numbers can call them again.")],
        button=_("Stop blocking"),
        about=row,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("carriers:blocked"))
    try:
        lists.delete_blocked_prefix(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("No longer blocked. The SBCs follow in a moment."))
    return redirect("carriers:blocked")


@requires("emergency.view")
def emergency(request: HttpRequest) -> HttpResponse:
    found: dict[str, list[EmergencyTrunk]] = {}
    for line in EmergencyTrunk.objects.in_order().filter(msp=request.msp).select_related("trunk"):
        found.setdefault(line.country, []).append(line)
    customers = Customer.objects.filter(msp=request.msp).exclude(state="closed").prefetch_related("emergency_covers")
    needed: dict[str, list[str]] = {}
    helpless, in_use = set(), set(selectors.trunks_in_use(request.msp))
    for customer in customers.order_by("name"):
        covers = {cover.country: cover.trunks for cover in customer.emergency_covers.all()}
        for code in sorted({customer.country, *covers}):
            needed.setdefault(code, []).append(customer.name)
            if in_use.isdisjoint(covers.get(code, [])):
                helpless.add(code)
    rows = [
        {
            "country": code,
            "name": country_name(code),
            "trunks": [line.trunk for line in found.get(code, [])],
            "in_use": sum(line.trunk.enabled for line in found.get(code, [])),
            "customers": needed.get(code, []),
            # Without a list for it, calls leave by the customer's list, or by that of the customer's own country.
            "elsewhere": code not in helpless,
        }
        for code in sorted(set(found) | set(needed))
    ]
    tabs = carrier_tabs(request, "carriers:emergency")
    context = {"rows": rows, "tabs": tabs, "can_change": request.can("emergency.change")}
    return TemplateResponse(request, "voice/carriers/emergency.html", context)


@requires("emergency.change")
def emergency_edit(request: HttpRequest, country: str) -> HttpResponse:
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        raise Http404
    trunks = list(selectors.shared_trunks(request.msp).in_name_order())
    chosen = list(selectors.emergency_trunks(request.msp.pk, country).values_list("trunk_id", flat=True))
    form = TrunkOrderForm(request.POST or None, trunks=trunks, chosen=chosen)
    if request.method == "POST" and form.is_valid():
        try:
            lists.set_emergency_trunks(request.msp, country, form.chosen, by=request.actor, seen=form.as_seen)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Emergency list saved. It goes live in a moment."))
            return redirect("carriers:emergency")
    return TemplateResponse(
        request, "voice/carriers/emergency_form.html", {"form": form, "country": country_in_words(country)}
    )
