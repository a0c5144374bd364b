"""The operator's pages: MSPs, their base domains, regions."""

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

from portal.core.access import requires
from portal.db import contexts
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from portal.ui.status import rollout
from tenants import addresses, selectors, services
from tenants.forms.platform import BaseDomainForm, MspForm, OwnerForm, RegionForm
from tenants.models import BaseDomain, Msp, Region
from tenants.views.domains import give_names

NEW_MSP = Action(gettext_lazy("New MSP"), "msps:new", "plus", "msps.change")
NEW_REGION = Action(gettext_lazy("New region"), "regions:new", "plus", "regions.change")


class MspList(ListPage):
    """Every MSP of the installation."""

    title = gettext_lazy("MSPs")
    lead = gettext_lazy("The providers that sell Teams calling from this installation, each under its own brand.")
    columns = [
        Column("state", gettext_lazy("State"), kind="status", sort=True),
        Column("name", gettext_lazy("Name"), sort=True, link=lambda row: reverse("msps:detail", args=[row.pk])),
        Column("slug", gettext_lazy("Short name"), kind="code", sort=True),
        Column("customer_count", gettext_lazy("Customers"), kind="count", sort=True),
        Column("live", gettext_lazy("On the SBCs"), kind="status", value=lambda row: rollout(row.is_live), card=False),
        Column("created_at", gettext_lazy("Since"), kind="when", sort=True, card=False),
    ]
    search_fields = ["name", "slug"]
    filters = [Choice("state", gettext_lazy("State"), Msp.State.choices)]
    default_sort = "name"
    export_name = "msps"
    actions = [NEW_MSP]
    empty = Empty(gettext_lazy("No MSPs yet."), gettext_lazy("For example “Northwind Voice”."), NEW_MSP)

    def queryset(self) -> Any:
        return selectors.msps()


class RegionList(ListPage):
    """Every region of the installation."""

    title = gettext_lazy("Regions")
    lead = gettext_lazy("Where SBC nodes stand, and which networks trunks and Microsoft may use there.")
    columns = [
        Column("name", gettext_lazy("Name"), sort=True, link=lambda row: reverse("regions:edit", args=[row.pk])),
        Column("slug", gettext_lazy("Short name"), kind="code", sort=True),
        Column("base_count", gettext_lazy("Base domains"), kind="count", sort=True),
        Column("live", gettext_lazy("On the SBCs"), kind="status", value=lambda row: rollout(row.is_live)),
    ]
    search_fields = ["name", "slug"]
    default_sort = "name"
    export_name = "regions"
    actions = [NEW_REGION]
    empty = Empty(gettext_lazy("No regions yet."), gettext_lazy("For example “Frankfurt”."), NEW_REGION)

    def queryset(self) -> Any:
        return selectors.regions()


@requires("msps.view")
def msp_list(request: HttpRequest) -> HttpResponse:
    return MspList(request).response()


@requires("msps.change")
def msp_new(request: HttpRequest) -> HttpResponse:
    form = MspForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            msp = services.create_msp(form.instance, owner_email=form.cleaned_data["owner_email"], by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("%(name)s is ready; its owner has mail.") % {"name": msp})
            return redirect("msps:detail", msp.pk)
    return TemplateResponse(request, "tenants/msp_new.html", {"form": form})


@requires("msps.view")
def msp_detail(request: HttpRequest, pk: int) -> HttpResponse:
    msp = get_object_or_404(selectors.msps(), pk=pk)
    with contexts.msp(msp):
        owners = list(selectors.team(msp, None).filter(role="owner"))
        invitations = list(selectors.open_invitations(msp, None).filter(role="owner"))
    context = {
        "msp": msp,
        "bases": selectors.bases_with_nameless(msp),
        "may_change": request.can("msps.change"),
        "owners": owners,
        "invitations": invitations,
        "url": addresses.url(addresses.primary_host(msp), "/"),
        "on_sbcs": rollout(msp.is_live),
    }
    return TemplateResponse(request, "tenants/msp_detail.html", context)


@requires("msps.change")
def msp_invite(request: HttpRequest, pk: int) -> HttpResponse:
    msp = get_object_or_404(Msp, pk=pk)
    form = OwnerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.invite_owner(msp, form.cleaned_data["email"], by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Invitation mailed to %(email)s.") % {"email": form.cleaned_data["email"]})
            return redirect("msps:detail", pk)
    context = {"form": form, "customer": msp, "back": reverse("msps:detail", args=[pk])}
    return TemplateResponse(request, "tenants/invite.html", context)


@requires("msps.change")
def msp_suspend(request: HttpRequest, pk: int) -> HttpResponse:
    msp = get_object_or_404(Msp, pk=pk)
    cancel = reverse("msps:detail", args=[pk])
    question = Question(
        _("Suspend %(name)s?") % {"name": msp},
        [
            _("Its staff are logged out and cannot log in."),
            _("Its customers' portals and calls go on as before."),
        ],
        _("Suspend"),
        reason=True,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=cancel)
    try:
        services.suspend_msp(msp, reason=request.POST.get("reason", ""), by=request.actor)
    except ValidationError as error:
        return confirm_page(request, question, cancel=cancel, error=" ".join(error.messages))
    return redirect(cancel)


@require_POST
@requires("msps.change")
def msp_resume(request: HttpRequest, pk: int) -> HttpResponse:
    msp = get_object_or_404(Msp, pk=pk)
    services.resume_msp(msp, by=request.actor)
    messages.success(request, _("%(name)s can log in again.") % {"name": msp})
    return redirect("msps:detail", pk)


@requires("msps.change")
def base_new(request: HttpRequest, pk: int) -> HttpResponse:
    msp = get_object_or_404(Msp, pk=pk)
    form = BaseDomainForm(request.POST or None, instance=BaseDomain(msp=msp))
    if request.method == "POST" and form.is_valid():
        try:
            services.add_base_domain(form.instance, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("%(name)s added.") % {"name": form.instance})
            return redirect("msps:detail", pk)
    return TemplateResponse(request, "tenants/base_new.html", {"form": form, "msp": msp})


@requires("msps.change")
def base_names(request: HttpRequest, pk: int, base: int) -> HttpResponse:
    """Give the MSP's existing customers a name on a base domain that came later."""
    found = get_object_or_404(BaseDomain.objects.select_related("msp", "region"), pk=base, msp=pk)
    return give_names(request, found, back=reverse("msps:detail", args=[pk]))


@requires("regions.view")
def region_list(request: HttpRequest) -> HttpResponse:
    return RegionList(request).response()


@requires("regions.change")
def region_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    region = get_object_or_404(Region, pk=pk) if pk else Region()
    form = RegionForm(request.POST or None, instance=region)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_region(form.instance, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved. The region's nodes follow in a few seconds."))
            return redirect("regions:list")
    return TemplateResponse(request, "tenants/region.html", {"form": form, "region": region})
