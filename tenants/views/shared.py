"""Pages that every place has: brand, invitation, profile, the audit log, and the two ends of acting."""

import uuid
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth import login, logout
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from portal.core import audit
from portal.core.access import public_page, requires, signed_in_page
from portal.core.models import AuditEntry
from portal.ui.context import THEMES
from portal.ui.forms import refuse
from portal.ui.history import in_words
from portal.ui.leaving import leave_page
from portal.ui.lists import Choice, Column, Day, Empty, ListPage, Text
from portal.ui.parts import changes
from tenants import addresses, services
from tenants.audit_sight import seen_by
from tenants.colour import ink_on, readable
from tenants.forms.people import AcceptForm, ProfileForm
from tenants.identity import ACTING_KEY
from tenants.models import Brand, User
from tenants.models.brand import DEFAULT_ACCENT
from tenants.services.acting import STAY_LASTS

PAPER, NIGHT = "#ffffff", "#1a1e22"
MINUTE = 60
AREAS_SINCE = timedelta(days=90)


@public_page
@require_GET
def brand_css(request: HttpRequest) -> HttpResponse:
    """Answer with the colours of whoever's host this is, readable on light and on dark."""
    brand: Brand | None = request.brand
    accent = brand.accent if brand else DEFAULT_ACCENT
    day, night = readable(accent, PAPER), readable(accent, NIGHT)
    inks = f"light-dark({ink_on(day)},{ink_on(night)})"
    css = f":root{{--brand-accent:light-dark({day},{night});--brand-on-accent:{inks}}}\n"
    return HttpResponse(css, content_type="text/css; charset=utf-8", headers={"Cache-Control": f"max-age={MINUTE}"})


@public_page
@require_GET
def brand_logo(request: HttpRequest) -> HttpResponse:
    """Answer with the logo of whoever's host this is."""
    brand: Brand | None = request.brand
    if brand is None or not brand.has_logo or brand.logo is None:
        raise Http404
    return HttpResponse(bytes(brand.logo), content_type="image/png", headers={"Cache-Control": f"max-age={MINUTE}"})


@never_cache
@sensitive_post_parameters("password")
@public_page
def accept_invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Let somebody join by the link of their invitation; opening it alone uses nothing up."""
    try:
        invitation = services.peek_invitation(secret, msp=request.msp, tenant=request.tenant)
    except services.InvitationRefused as error:
        return TemplateResponse(request, "tenants/invitation_refused.html", {"error": error}, status=410)
    known = User.objects.filter(email=invitation.email).exists()
    form = AcceptForm(request.POST or None)
    if request.method == "POST" and (known or form.is_valid()):
        facts: dict[str, str] = {"name": "", "password": ""} if known else form.cleaned_data
        try:
            services.accept_invitation(
                secret, **facts, msp=request.msp, tenant=request.tenant, ip=request.META.get("REMOTE_ADDR", "")
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Welcome to the team. Log in to begin."))
            return redirect("account_login")
    return TemplateResponse(
        request, "tenants/invitation.html", {"form": form, "invitation": invitation, "known": known}
    )


@signed_in_page
def profile(request: HttpRequest) -> HttpResponse:
    """Show and store a person's own name, language, zone and theme."""
    if request.acting:
        raise PermissionDenied
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_profile(form.instance, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved."))
            response = redirect("profile:edit")
            if form.instance.theme in THEMES:
                response.set_cookie(
                    "theme", form.instance.theme, max_age=365 * 24 * 3600, samesite="Lax", secure=request.is_secure()
                )
            return response
    return TemplateResponse(request, "tenants/profile.html", {"form": form})


def in_area(rows: QuerySet[AuditEntry], area: str) -> QuerySet[AuditEntry]:
    """Return the entries about one kind of thing."""
    return rows.filter(verb__startswith=f"{area}.")


# Words of a verb that are written otherwise than in lower case.
WRITTEN = {"msp": "MSP", "id": "ID", "api": "API", "sbc": "SBC", "login": "log-in"}


def verb_in_words(entry: AuditEntry) -> str:
    """Return `route.saved` as people say it."""
    words = entry.verb.replace(".", " ").replace("_", " ").split()
    said = " ".join(WRITTEN.get(word, word) for word in words)
    return said[:1].upper() + said[1:]


def said(entry: AuditEntry) -> list[tuple[str, str, str]]:
    """Return the changes that say something: not those from nothing to nothing."""
    return [
        (name.replace("_", " "), in_words(before) if before else "", in_words(after))
        for name, before, after in entry.changes
        if before or after
    ]


def entry_url(entry: AuditEntry) -> str:
    return reverse("audit:entry", args=[entry.pk])


CHANGES = Column(
    "changes",
    gettext_lazy("Before → after"),
    value=said,
    template="tenants/audit_changes.html",
    card=False,
    export=False,
)


class AuditList(ListPage):
    """Who did what, newest first."""

    title, topic = gettext_lazy("Audit log"), "audit"
    lead = gettext_lazy("Every change: who made it, on whose behalf, why, and what it was before.")
    columns = [
        Column("at", gettext_lazy("When"), kind="when", sort=True, link=entry_url),
        Column("email", gettext_lazy("Who"), template="tenants/audit_who.html"),
        Column("verb", gettext_lazy("What"), value=verb_in_words),
        Column("object_name", gettext_lazy("Object")),
        CHANGES,
        Column("reason", gettext_lazy("Reason"), card=False),
    ]
    search_fields = ["object_name", "reason", "verb", "email"]
    search_label = gettext_lazy("Search object, reason, person")
    filters = [
        Text("who", gettext_lazy("Who"), "email"),
        Choice(
            "area",
            gettext_lazy("Area"),
            lambda request: audit_areas(request),
            apply=in_area,
        ),
        Day("from", gettext_lazy("From"), "at"),
        Day("to", gettext_lazy("To"), "at", bound="to"),
    ]
    default_sort = "-at"
    export_name = "audit"
    counted = False
    empty = Empty(gettext_lazy("Nothing has been changed yet."), icon="history")

    def queryset(self) -> Any:
        return seen_by(audit.entries(), self.may)


def audit_areas(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the areas that entries of the last 90 days are about, of those that the reader may read."""
    # Of all entries the question would take longer every year, for each page of the log.
    recent = seen_by(audit.entries(since=timezone.now() - AREAS_SINCE), request.can)
    verbs = recent.order_by().values_list("verb", flat=True).distinct()[:500]
    return [(area, area.replace("_", " ").capitalize()) for area in sorted({verb.split(".")[0] for verb in verbs})]


@requires("audit.view")
def audit_list(request: HttpRequest) -> HttpResponse:
    return AuditList(request).response()


@requires("audit.view")
def audit_entry(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one entry with everything that it changed."""
    entry = get_object_or_404(seen_by(AuditEntry.objects.all(), request.can), pk=pk)
    lines = list(changes(entry.before, entry.after))
    return TemplateResponse(
        request, "tenants/audit_entry.html", {"entry": entry, "words": verb_in_words(entry), "lines": lines}
    )


@never_cache
@public_page
@require_GET
def acting_enter(request: HttpRequest) -> HttpResponse:
    """Begin MSP staff's stay in this customer's portal by their single-use token."""
    if request.tenant is None:
        raise Http404
    acting = services.enter(
        request.GET.get("token", "")[:200],
        host=request.host,
        customer=request.tenant,
        ip=request.META.get("REMOTE_ADDR", ""),
    )
    request.session.flush()
    login(request, acting.user, backend="tenants.adapters.Backend")
    request.session[ACTING_KEY] = acting.pk
    request.session.set_expiry(int(STAY_LASTS / timedelta(seconds=1)))
    return redirect("/")


@require_POST
@signed_in_page
def acting_stop(request: HttpRequest) -> HttpResponse:
    """End the stay and go back to the MSP's console."""
    if not request.acting:
        raise Http404
    services.leave(request.acting, by=request.actor)
    back = addresses.url(addresses.primary_host(request.msp), f"/customers/{request.tenant.pk}/")
    logout(request)
    return leave_page(request, back, request.msp.name)
