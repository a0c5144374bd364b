"""The team of an MSP or a customer, and who is invited to it."""

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
from portal.core.whole import whole
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from tenants import selectors, services
from tenants.forms.people import InviteForm, may_do, role_choices
from tenants.models import Customer, Msp

INVITE = Action(gettext_lazy("Invite somebody"), "team:invite", "user-plus", "team.change")


def place_of(request: HttpRequest) -> tuple[Msp | None, Customer | None]:
    """Return whose place this is, as selectors want to know it; neither at the operator's console."""
    if request.tenant is not None:
        return None, request.tenant
    return request.msp, None


def roles_of(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the roles that somebody can have in the team of this place."""
    return role_choices(request.tenant is not None)


class TeamList(ListPage):
    """The people of this place."""

    title = gettext_lazy("Team")
    lead = gettext_lazy("Who may log in here, and what each of them may do.")
    template = "tenants/team.html"
    columns = [
        Column("person", gettext_lazy("Name"), value=lambda row: str(row.user), template="tenants/member_name.html",
               sort=True),
        Column("user__email", gettext_lazy("E-mail address"), sort=True),
        Column("role", gettext_lazy("Role"), value=lambda row: row.get_role_display(),
               template="tenants/member_role.html"),
        Column("last_login", gettext_lazy("Last log-in"), kind="ago", sort=True),
        Column("pk", "", template="tenants/member_remove.html", export=False, shown_to="team.change"),
    ]  # fmt: skip
    search_fields = ["user__name", "user__email"]
    search_label = gettext_lazy("Search name or e-mail address")
    filters = [Choice("role", gettext_lazy("Role"), roles_of)]
    default_sort = "user__email"
    export_name = "team"
    actions = [INVITE]
    empty = Empty(
        gettext_lazy("Nobody is in this team yet."),
        gettext_lazy("For example a colleague who looks after numbers and routing."),
        INVITE,
        icon="users-group",
    )

    def queryset(self) -> Any:
        here = place_of(self.request)
        return selectors.with_last_login(selectors.team(*here), *here).annotate(person=selectors.PERSON)


@requires("team.view")
def team_list(request: HttpRequest) -> HttpResponse:
    roles = roles_of(request)
    context = {
        "invitations": selectors.open_invitations(*place_of(request)),
        "roles": roles,
        "role_words": [(label, may_do(name)) for name, label in roles],
        "can_change": request.can("team.change"),
    }
    return TeamList(request, **context).response()


@requires("team.change")
def invite(request: HttpRequest) -> HttpResponse:
    msp, tenant = place_of(request)
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
    membership = get_object_or_404(selectors.team(*place_of(request)), pk=pk)
    seen = whole(request.POST.get("row_version", ""))
    membership.row_version = -1 if seen is None else seen
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
    membership = get_object_or_404(selectors.team(*place_of(request)), pk=pk)
    question = Question(
        _("Remove %(name)s from the team?") % {"name": membership.user},
        [_("Their sessions here end at once."), _("Their API tokens here stop working.")],
        _("Remove"),
        about=membership,
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
    invitation = get_object_or_404(selectors.open_invitations(*place_of(request)), pk=pk)
    services.invite_again(invitation, by=request.actor)
    messages.success(request, _("A new invitation is on its way to %(email)s.") % {"email": invitation.email})
    return redirect("team:list")


@require_POST
@requires("team.change")
def invitation_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(selectors.open_invitations(*place_of(request)), pk=pk)
    services.revoke_invitation(invitation, by=request.actor)
    messages.success(request, _("The invitation of %(email)s no longer works.") % {"email": invitation.email})
    return redirect("team:list")
