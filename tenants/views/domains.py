"""The MSP's names: base domains on the SBCs, and host names of its own for console and portals."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from tenants import selectors, services
from tenants.forms.brand import OwnHostForm
from tenants.models import BaseDomain, OwnHost


@requires("domains.view")
def domain_list(request: HttpRequest) -> HttpResponse:
    context = {
        "bases": selectors.bases_with_nameless(request.msp),
        "hosts": selectors.own_hosts(request.msp),
        "in_links": selectors.hosts_in_links(request.msp),
        "may_change": request.can("domains.change"),
    }
    return TemplateResponse(request, "tenants/domains.html", context)


@requires("domains.change")
def host_new(request: HttpRequest) -> HttpResponse:
    form = OwnHostForm(request.POST or None, msp=request.msp)
    if request.method == "POST" and form.is_valid():
        own = OwnHost(msp=request.msp, tenant=form.cleaned_data["tenant"], host=form.cleaned_data["host"])
        try:
            services.add_host(own, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect("domains:host", own.pk)
    return TemplateResponse(request, "tenants/own_host_new.html", {"form": form})


@requires("domains.view")
def host_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what to enter in DNS, and how far it is."""
    own = _own(request, pk)
    context = {
        "own": own,
        "in_links": own.host in selectors.hosts_in_links(request.msp),
        "may_change": request.can("domains.change"),
    }
    return TemplateResponse(request, "tenants/own_host.html", context)


@require_POST
@requires("domains.change")
def host_check(request: HttpRequest, pk: int) -> HttpResponse:
    own = _own(request, pk)
    try:
        services.check_host(own, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(host)s leads here now.") % {"host": own.host})
    return redirect("domains:host", pk)


@require_POST
@requires("domains.change")
def host_links(request: HttpRequest, pk: int) -> HttpResponse:
    own = _own(request, pk)
    try:
        services.use_in_links(own, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Mails and links use %(host)s from now on.") % {"host": own.host})
    return redirect("domains:host", pk)


@requires("domains.change")
def host_remove(request: HttpRequest, pk: int) -> HttpResponse:
    own = _own(request, pk)
    question = Question(
        _("Remove %(host)s?") % {"host": own.host},
        [
            _("The address leads nowhere within a minute; who is logged in there has to log in at the other one."),
            _("Links in mails that were sent with it stop working."),
        ]
        if own.verified_at
        else [_("Nothing leads there yet.")],
        _("Remove"),
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("domains:host", args=[pk]))
    services.remove_host(own, by=request.actor)
    messages.success(request, _("%(host)s is removed.") % {"host": own.host})
    return redirect("domains:list")


@requires("domains.change")
def base_names(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the MSP's existing customers a name on a base domain that came later."""
    base = get_object_or_404(selectors.base_domains(request.msp), pk=pk)
    return give_names(request, base, back=reverse("domains:list"))


def give_names(request: HttpRequest, base: BaseDomain, *, back: str) -> HttpResponse:
    """Ask, then name the customers; the same for the MSP and the operator."""
    count = selectors.nameless(base)
    question = Question(
        _("Give existing customers a name under %(base)s?") % {"base": base},
        [
            ngettext("%(count)d customer has no name here yet.", "%(count)d customers have no name here yet.", count)
            % {"count": count},
            _("Their calls can use the SBCs of %(region)s once Microsoft's side knows the names.")
            % {"region": base.region.name},
            _("A name lasts: it cannot be changed or taken back."),
        ],
        _("Give names"),
        danger=False,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=back)
    try:
        named = services.give_names(base, by=request.actor)
    except ValidationError as error:
        return confirm_page(request, question, cancel=back, error=" ".join(error.messages))
    words = ngettext(
        "%(count)d customer has a name there now.", "%(count)d customers have a name there now.", len(named)
    )
    messages.success(request, words % {"count": len(named)})
    return redirect(back)


def _own(request: HttpRequest, pk: int) -> OwnHost:
    return get_object_or_404(selectors.own_hosts(request.msp), pk=pk)
