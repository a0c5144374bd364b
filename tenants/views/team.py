"""Team and invitations of an MSP or a customer, and API tokens of these and the operator."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from tenants import selectors, services
from tenants.forms.people import InviteForm, may_do, role_choices
from tenants.forms.token import TokenForm, grantable
from tenants.models import ApiToken, Customer, Msp
from tenants.permissions import may_end_all_tokens


def _place(request: HttpRequest) -> tuple[Msp | None, Customer | None]:
    if request.tenant is not None:
        return None, request.tenant
    # At the operator's, which has these pages for tokens only, neither.
    return request.msp, None


@requires("team.view")
def team_list(request: HttpRequest) -> HttpResponse:
    msp, tenant = _place(request)
    roles = role_choices(tenant is not None)
    context = {
        "members": selectors.team(msp, tenant),
        "invitations": selectors.open_invitations(msp, tenant),
        "roles": roles,
        "role_words": [(label, may_do(name)) for name, label in roles],
        "can_change": request.can("team.change"),
    }
    return TemplateResponse(request, "tenants/team.html", context)


@requires("team.change")
def invite(request: HttpRequest) -> HttpResponse:
    msp, tenant = _place(request)
    least = {"role": "viewer" if tenant is not None else "support"}
    form = InviteForm(request.POST or None, for_customer=tenant is not None, initial=least)
    if request.method == "POST" and form.is_valid():
        try:
            services.invite(**form.cleaned_data, msp=msp, tenant=tenant, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Invitation mailed to %(email)s.") % {"email": form.cleaned_data["email"]})
            return redirect("team:list")
    return TemplateResponse(request, "tenants/invite.html", {"form": form, "back": reverse("team:list")})


@require_POST
@requires("team.change")
def change_role(request: HttpRequest, pk: int) -> HttpResponse:
    membership = get_object_or_404(selectors.team(*_place(request)), pk=pk)
    try:
        services.change_role(membership, request.POST.get("role", ""), by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(
            request, _("%(name)s is now %(role)s.") % {"name": membership.user, "role": membership.get_role_display()}
        )
    return redirect("team:list")


@requires("team.change")
def remove_member(request: HttpRequest, pk: int) -> HttpResponse:
    membership = get_object_or_404(selectors.team(*_place(request)), pk=pk)
    question = Question(
        _("Remove %(name)s from the team?") % {"name": membership.user},
        [_("Their sessions here end at once."), _("Their API tokens here stop working.")],
        _("Remove"),
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("team:list"))
    try:
        services.remove_member(membership, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(name)s has left the team.") % {"name": membership.user})
    return redirect("team:list")


@require_POST
@requires("team.change")
def invitation_again(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(selectors.open_invitations(*_place(request)), pk=pk)
    services.invite_again(invitation, by=request.actor)
    messages.success(request, _("A new invitation is on its way to %(email)s.") % {"email": invitation.email})
    return redirect("team:list")


@require_POST
@requires("team.change")
def invitation_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(selectors.open_invitations(*_place(request)), pk=pk)
    services.revoke_invitation(invitation, by=request.actor)
    messages.success(request, _("The invitation of %(email)s no longer works.") % {"email": invitation.email})
    return redirect("team:list")


@requires("tokens.view")
def token_list(request: HttpRequest) -> HttpResponse:
    context = {
        "tokens": selectors.tokens(*_place(request)),
        "can_change": request.can("tokens.change"),
        "can_manage": may_end_all_tokens(request),
    }
    return TemplateResponse(request, "tenants/tokens.html", context)


@never_cache
@requires("tokens.change")
def token_new(request: HttpRequest) -> HttpResponse:
    """Make a token; its secret is on the page that answers, and nowhere ever again."""
    msp, tenant = _place(request)
    allowed = grantable(request.can)
    form = TokenForm(
        request.POST or None,
        instance=ApiToken(user=request.user, msp=msp, tenant=tenant),  # type: ignore[misc]
        grantable=allowed,
    )
    if request.method == "POST" and form.is_valid():
        try:
            secret = services.create_token(form.instance, grantable=allowed, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return TemplateResponse(request, "tenants/token_made.html", {"token": form.instance, "secret": secret})
    return TemplateResponse(request, "tenants/token_new.html", {"form": form})


@requires("tokens.change")
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    tokens = selectors.tokens(*_place(request))
    if not may_end_all_tokens(request):
        tokens = tokens.filter(user=request.user)  # type: ignore[misc]
    token = get_object_or_404(tokens, pk=pk)
    question = Question(
        _("Revoke the token “%(name)s”?") % {"name": token},
        [_("Programs that use it are refused from now on.")],
        _("Revoke"),
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("tokens:list"))
    services.revoke_token(token, by=request.actor)
    messages.success(request, _("“%(name)s” no longer works.") % {"name": token})
    return redirect("tokens:list")
