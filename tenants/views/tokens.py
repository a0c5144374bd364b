"""API tokens of the operator, an MSP or a customer."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from portal.core.access import requires
from portal.ui import markup
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from portal.ui.status import STATES
from tenants import selectors, services
from tenants.forms.token import TokenForm, grantable
from tenants.models import ApiToken
from tenants.permissions import may_end_all_tokens
from tenants.views.team import place_of

NEW = Action(gettext_lazy("New token"), "tokens:new", "plus", "tokens.change")


def _last_used(token: ApiToken) -> str:
    if token.last_used_at is None:
        return format_html('<span class="none">{}</span>', _("never"))
    return markup.when(token.last_used_at, "ago")


def _tokens(request: HttpRequest) -> QuerySet[ApiToken]:
    """Return the tokens of this place that the reader may revoke: his own, or all."""
    tokens = selectors.tokens(*place_of(request))
    return tokens if may_end_all_tokens(request) else tokens.filter(user=request.user)  # type: ignore[misc]


class TokenList(ListPage):
    """The tokens of this place, or of the reader in it, newest first, ended ones too: they explain the audit log."""

    title = gettext_lazy("API tokens")
    lead = gettext_lazy("Programs use these to do here what their makers may do, and no more.")
    columns = [
        Column("state", gettext_lazy("State"), kind="status"),
        Column("name", gettext_lazy("Name"), sort=True),
        Column("hint", gettext_lazy("Begins with"), draw=lambda token: format_html("<code>{}…</code>", token.hint)),
        Column("person", gettext_lazy("Made by"), value=lambda token: str(token.user), sort=True),
        Column("scopes", gettext_lazy("May do"), value=lambda token: ", ".join(token.scopes), card=False),
        Column("last_used_at", gettext_lazy("Last used"), draw=_last_used, sort=True),
        Column("expires_at", gettext_lazy("Ends"), kind="when", sort=True),
        Column("pk", "", template="tenants/token_revoke.html", export=False, shown_to="tokens.change"),
    ]
    # Not the maker's address, which is not shown either where there is a name: a search would find it out.
    search_fields = ["name", "hint", "person"]
    search_label = gettext_lazy("Search name, beginning or maker")
    filters = [
        Choice(
            "state",
            gettext_lazy("State"),
            [(name, STATES[name].word) for name in ("active", "expired", "revoked")],
            apply=lambda tokens, state: tokens.in_state(state),
        ),
    ]
    default_sort = "-created_at"
    export_name = "tokens"
    actions = [NEW]
    empty = Empty(
        gettext_lazy("No tokens yet."),
        gettext_lazy("For example “Nightly report, may read calls, 90 days”."),
        NEW,
        icon="key",
    )

    def queryset(self) -> Any:
        return _tokens(self.request).annotate(person=selectors.PERSON)


@requires("tokens.view")
def token_list(request: HttpRequest) -> HttpResponse:
    return TokenList(request).response()


@never_cache
@requires("tokens.change")
def token_new(request: HttpRequest) -> HttpResponse:
    """Make a token; its secret is on the page that answers, and nowhere ever again."""
    msp, tenant = place_of(request)
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
    token = get_object_or_404(_tokens(request), pk=pk)
    question = Question(
        _("Revoke the token “%(name)s”?") % {"name": token},
        [_("Programs that use it, or a token that they made with it, are refused from now on.")],
        _("Revoke"),
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("tokens:list"))
    services.revoke_token(token, by=request.actor)
    messages.success(request, _("“%(name)s” no longer works.") % {"name": token})
    return redirect("tokens:list")
