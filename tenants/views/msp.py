"""The MSP's pages about its customers, and its brand."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from portal.core import audit
from portal.core.access import requires
from portal.ui.confirm import Question, confirm_page, is_confirmed, refusal
from portal.ui.forms import refuse
from portal.ui.leaving import leave_page
from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from portal.ui.status import rollout
from tenants import addresses, selectors, services
from tenants.audit_sight import seen_by
from tenants.colour import contrast, readable
from tenants.countries import country_name
from tenants.forms.brand import BrandForm
from tenants.forms.customer import CustomerEditForm, EverybodyForm, NewCustomerForm, ReasonForm
from tenants.forms.people import InviteForm
from tenants.models import Brand, Customer, Msp
from tenants.services.customers import RETENTION
from tenants.views.shared import NIGHT, PAPER, said, verb_in_words

EVERYBODY = Action(gettext_lazy("Limits for all"), "customers:everybody", "adjustments", "customers.change")
NEW = Action(gettext_lazy("New customer"), "customers:new", "plus", "customers.change")


def _country(customer: Customer) -> str:
    return country_name(customer.country)


class CustomerList(ListPage):
    """The MSP's customers."""

    title, topic = gettext_lazy("Customers"), "customer"
    lead = gettext_lazy("The companies that you serve, each with its own portal and its own name on the SBCs.")
    columns = [
        Column("state", gettext_lazy("State"), kind="status", sort=True),
        Column("name", gettext_lazy("Name"), sort=True, link=lambda row: reverse("customers:detail", args=[row.pk])),
        Column("label", gettext_lazy("Label"), kind="code", sort=True),
        Column(
            "country", gettext_lazy("Country"), value=lambda row: country_name(row.country), sort="country", card=False
        ),
        Column("channels", gettext_lazy("Calls at a time"), kind="count", sort=True, card=False),
        Column("live", gettext_lazy("On the SBCs"), kind="status", value=lambda row: rollout(row.is_live)),
        Column("created_at", gettext_lazy("Since"), kind="when", sort=True, card=False),
    ]
    search_fields = ["name", "label", "customer_regions__fqdn"]
    search_label = gettext_lazy("Search name, label or SBC name")
    filters = [Choice("state", gettext_lazy("State"), Customer.State.choices)]
    default_sort = "name"
    export_name = "customers"
    actions = [NEW, EVERYBODY]
    empty = Empty(
        gettext_lazy("No customers yet."),
        gettext_lazy("For example “Acme GmbH, label acme, Germany, 30 calls at a time”."),
        NEW,
        icon="building",
    )

    def queryset(self) -> Any:
        return selectors.customers_of(self.request.msp).distinct()


@requires("customers.view")
def customer_list(request: HttpRequest) -> HttpResponse:
    return CustomerList(request).response()


@requires("customers.change")
def customer_new(request: HttpRequest) -> HttpResponse:
    """Create a customer by one form, then show how it came to be."""
    fresh = Customer(msp=request.msp, country=selectors.usual_country(request.msp), time_zone="")
    form = NewCustomerForm(request.POST or None, instance=fresh)
    if request.method == "POST" and form.is_valid():
        try:
            customer = services.create_customer(
                form.instance, admin_email=form.cleaned_data["admin_email"], by=request.actor
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect("customers:steps", customer.pk)
    bases = list(selectors.base_domains(request.msp))
    return TemplateResponse(request, "tenants/customer_new.html", {"form": form, "bases": bases})


@requires("customers.change")
def everybody(request: HttpRequest) -> HttpResponse:
    """Say what holds for customers that have no value of their own."""
    form = EverybodyForm(request.POST or None, instance=Msp.objects.get(pk=request.msp.pk))
    if request.method == "POST" and form.is_valid():
        try:
            services.save_longest_call(request.msp, form.cleaned_data["longest_call_minutes"], by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved. The SBCs follow in a few seconds."))
            return redirect("customers:list")
    customers = Customer.objects.filter(msp=request.msp).exclude(state=Customer.State.CLOSED)
    context = {"form": form, "own": customers.exclude(longest_call_minutes=None).order_by("name")[:50]}
    return TemplateResponse(request, "tenants/customers_everybody.html", context)


@requires("customers.view")
def customer_steps(request: HttpRequest, pk: int) -> HttpResponse:
    """Show each step of a new customer's creation as it is now."""
    customer = _customer(request, pk)
    may_invite = request.can("customers.change")
    steps = selectors.creation_steps(customer, reverse("customers:invite", args=[pk]) if may_invite else "")
    ready = all(step.state == "done" for step in steps)
    context = {"customer": customer, "steps": steps, "ready": ready, "may_act": request.can("customers.act")}
    return TemplateResponse(request, "tenants/customer_steps.html", context)


@requires("customers.view")
def customer_detail(request: HttpRequest, pk: int) -> HttpResponse:
    customer = _customer(request, pk)
    context = {
        "names": customer.customer_regions.select_related("base_domain__region").order_by("fqdn"),
        "members": selectors.with_last_login(selectors.team(None, customer), None, customer),
        "invitations": selectors.open_invitations(None, customer),
        "url": _portal(customer),
        "country": country_name(customer.country),
        "on_sbcs": rollout(customer.is_live),
        "may_act": request.can("customers.act"),
        "may_change": request.can("customers.change"),
    }
    return _customer_page(request, customer, "detail", context)


@requires("customers.view")
def customer_history(request: HttpRequest, pk: int) -> HttpResponse:
    customer = _customer(request, pk)
    entries = [
        {"row": entry, "words": verb_in_words(entry), "said": said(entry)}
        for entry in seen_by(audit.entries(tenant_id=customer.pk), request.can)[:100]
    ]
    return _customer_page(request, customer, "history", {"entries": entries})


@requires("customers.change")
def customer_edit(request: HttpRequest, pk: int) -> HttpResponse:
    customer = _customer(request, pk)
    form = CustomerEditForm(request.POST or None, instance=customer)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_customer(form.instance, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved. It goes live in a few seconds."))
            return redirect("customers:detail", pk)
    name = _customer(request, pk).name
    return TemplateResponse(request, "tenants/customer_edit.html", {"form": form, "customer": customer, "name": name})


@requires("customers.change")
def customer_suspend(request: HttpRequest, pk: int) -> HttpResponse:
    customer = _customer(request, pk)
    question = Question(
        _("Suspend %(name)s?") % {"name": customer},
        [
            _("Calls from and to its numbers are refused within seconds."),
            _("Emergency calls still go through."),
            _("Its people can still log in and read; nothing is deleted. Resume at any time."),
        ],
        _("Suspend"),
        reason=True,
    )
    return _ask(
        request,
        customer,
        question,
        lambda: services.suspend_customer(customer, reason=request.POST.get("reason", ""), by=request.actor),
    )


@require_POST
@requires("customers.change")
def customer_resume(request: HttpRequest, pk: int) -> HttpResponse:
    customer = _customer(request, pk)
    try:
        services.resume_customer(customer, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(name)s can call again in a few seconds.") % {"name": customer})
    return redirect("customers:detail", pk)


@requires("customers.change")
def customer_close(request: HttpRequest, pk: int) -> HttpResponse:
    customer = _customer(request, pk)
    question = Question(
        _("Close %(name)s for good?") % {"name": customer},
        [
            _("No call is possible any more, not even an emergency call: make sure that nobody depends on them."),
            _("Its API tokens stop working; people can log in and read until it has left every SBC."),
            _("Then its numbers go back to your stock and cool there, and its trunks are taken from it."),
            *(services.leaves_open(customer) if request.can("bills.view") else ()),
            _("Its routing, people and addresses are kept for %(days)s days, then deleted.") % {"days": RETENTION.days},
            _(
                "Call records, bills and the audit log stay as long as the rules of retention say."
                " The label “%(label)s” is never used again."
            )
            % {"label": customer.label},
        ],
        _("Close the customer"),
        type_name=customer.name,
        reason=True,
    )
    return _ask(
        request,
        customer,
        question,
        lambda: services.close_customer(
            customer, typed_name=request.POST.get("typed", ""), reason=request.POST.get("reason", ""), by=request.actor
        ),
    )


@requires("customers.act")
def customer_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a reason and go to the customer's portal on its behalf."""
    customer = _customer(request, pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            acting, secret = services.start_acting(
                customer,
                user=request.user,  # type: ignore[arg-type]
                reason=form.cleaned_data["reason"],
                by=request.actor,  # type: ignore[arg-type]
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            return leave_page(
                request, addresses.url(acting.host, f"{reverse('acting:enter')}?token={secret}"), customer.name
            )
    return TemplateResponse(request, "tenants/customer_act.html", {"form": form, "customer": customer})


@requires("customers.change")
def customer_invite(request: HttpRequest, pk: int) -> HttpResponse:
    customer = _customer(request, pk)
    form = InviteForm(request.POST or None, for_customer=True, initial={"role": "admin"})
    if request.method == "POST" and form.is_valid():
        try:
            services.invite(**form.cleaned_data, msp=None, tenant=customer, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Invitation mailed to %(email)s.") % {"email": form.cleaned_data["email"]})
            return redirect("customers:detail", pk)
    context = {"form": form, "customer": customer, "back": reverse("customers:detail", args=[pk])}
    return TemplateResponse(request, "tenants/invite.html", context)


@requires("brand.change")
def brand_edit(request: HttpRequest) -> HttpResponse:
    brand = get_object_or_404(Brand, msp=request.msp)
    form = BrandForm(request.POST or None, request.FILES or None, instance=brand)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_brand(
                form.instance,
                logo=form.cleaned_data["new_logo"],
                remove_logo=form.cleaned_data.get("remove_logo", False),
                by=request.actor,
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved. Your customers see it within a minute."))
            return redirect("brand:edit")
    accent = Brand.objects.values_list("accent", flat=True).get(pk=brand.pk)
    shades = [
        {"name": _("On light"), "colour": readable(accent, PAPER), "ratio": contrast(readable(accent, PAPER), PAPER)},
        {"name": _("On dark"), "colour": readable(accent, NIGHT), "ratio": contrast(readable(accent, NIGHT), NIGHT)},
    ]
    return TemplateResponse(request, "tenants/brand.html", {"form": form, "shades": shades, "accent": accent})


def _customer(request: HttpRequest, pk: int) -> Customer:
    customer: Customer = get_object_or_404(selectors.customers_of(request.msp).select_related("msp"), pk=pk)
    return customer


def _portal(customer: Customer) -> str:
    return addresses.url(addresses.primary_host(customer), "/")


def _customer_page(request: HttpRequest, customer: Customer, name: str, context: dict[str, Any]) -> TemplateResponse:
    facts = {"customer": customer, "current_tab": "history" if name == "history" else "page", **context}
    return TemplateResponse(request, f"tenants/customer_{name}.html", facts)


def _ask(request: HttpRequest, customer: Customer, question: Question, act: Any) -> HttpResponse:
    cancel = reverse("customers:detail", args=[customer.pk])
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=cancel, error=refusal(request, question))
    try:
        act()
    except ValidationError as error:
        return confirm_page(request, question, cancel=cancel, error=" ".join(error.messages))
    messages.success(request, _("%(name)s: %(state)s.") % {"name": customer, "state": customer.get_state_display()})
    return redirect(cancel)
