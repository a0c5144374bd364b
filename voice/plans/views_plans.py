"""The MSP's plans: list, one plan with its versions, the editor of a draft with an example beside it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from voice.plans import moving, previews, services
from voice.plans.describing import described
from voice.plans.forms import FIELDS, LEADS, ComponentForm, PlanForm, VersionForm
from voice.plans.loading import clause_of
from voice.plans.models import Component, Plan, PlanVersion
from voice.plans.pages import PlanList
from voice.plans.tiers import Tier


def _plan(request: HttpRequest, pk: int) -> Plan:
    return get_object_or_404(Plan, pk=pk, msp=request.msp)


def _version(request: HttpRequest, pk: int) -> PlanVersion:
    return get_object_or_404(PlanVersion.objects.select_related("plan", "deck"), pk=pk, msp=request.msp)


@requires("plans.view")
def plan_list(request: HttpRequest) -> HttpResponse:
    return PlanList(request).response()


@requires("plans.view")
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    row = _plan(request, pk)
    versions = list(row.versions.select_related("deck").order_by("-number"))
    asked = request.GET.get("version", "")
    shown = next((each for each in versions if str(each.number) == asked), versions[0])
    shown.plan = row
    kinds = [(kind, label) for kind, label in Component.Kind.choices]
    context = {
        "plan": row,
        "versions": versions,
        "version": shown,
        "components": components_of(shown),
        "example": previews.example(shown, timezone.localdate()),
        "users": previews.USERS,
        "minutes": f"{previews.MINUTES:,}",
        "can_change": request.can("plans.change") and row.closed_at is None,
        "kinds": kinds,
        "movable": 0 if shown.is_draft else moving.movable(shown, timezone.localdate()).count(),
    }
    return TemplateResponse(request, "voice/plans/plan.html", context)


def components_of(version: PlanVersion) -> list[dict[str, Any]]:
    """Return what a version is made of, each with its sentence."""
    currency = version.plan.currency
    rows = version.components.prefetch_related("tiers").order_by("position", "pk")
    return [
        {
            "row": row,
            "sentence": described(
                clause_of(row, [Tier(tier.up_to, tier.per_minute) for tier in row.tiers.all()]), currency
            ),
        }
        for row in rows
    ]


@requires("plans.change")
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = _plan(request, pk) if pk is not None else Plan(msp=request.msp, zone=timezone.get_current_timezone_name())
    form = PlanForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_plan(row, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Plan saved."))
            return redirect("plans:detail", pk=row.pk)
    return TemplateResponse(request, "voice/plans/plan_form.html", {"form": form, "plan": row})


@requires("plans.change")
def close(request: HttpRequest, pk: int) -> HttpResponse:
    row = _plan(request, pk)
    question = Question(
        _("Take the plan %(name)s out of sale?") % {"name": row.name},
        effects=[_("Contracts that have it keep it. Nobody else can get it.")],
        button=_("Take out of sale"),
        about=row,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("plans:detail", args=[pk]))
    return _done(request, pk, lambda: services.close_plan(row, by=request.actor), _("The plan is not sold any more."))


@requires("plans.change")
@require_POST
def version_new(request: HttpRequest, pk: int) -> HttpResponse:
    row = _plan(request, pk)
    return _done(
        request,
        pk,
        lambda: services.new_version(row, by=request.actor),
        _("A draft was made as a copy of the newest version."),
    )


@requires("plans.change")
def version_edit(request: HttpRequest, pk: int) -> HttpResponse:
    version = _version(request, pk)
    form = VersionForm(request.POST or None, instance=version)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_version(version, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Draft saved."))
            return redirect("plans:detail", pk=version.plan_id)
    return TemplateResponse(request, "voice/plans/version_form.html", {"form": form, "version": version})


@requires("plans.change")
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    version = _version(request, pk)
    question = Question(
        _("Publish version %(number)d of %(name)s?") % {"number": version.number, "name": version.plan.name},
        effects=[
            _("It never changes again. Contracts can have it from its day on."),
            _("Contracts that have an older version keep theirs until you change them."),
        ],
        button=_("Publish"),
        about=version,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("plans:detail", args=[version.plan_id]))
    return _done(request, version.plan_id, lambda: services.publish(version, by=request.actor), _("Published."))


@requires("plans.change")
def version_drop(request: HttpRequest, pk: int) -> HttpResponse:
    version = _version(request, pk)
    question = Question(
        _("Throw the draft of %(name)s away?") % {"name": version.plan.name},
        effects=[_("Nobody has it yet.")],
        button=_("Throw away"),
        about=version,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("plans:detail", args=[version.plan_id]))
    return _done(request, version.plan_id, lambda: services.drop_version(version, by=request.actor), _("Thrown away."))


def _done(request: HttpRequest, plan: int, act: Any, words: str) -> HttpResponse:
    try:
        act()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, words)
    return redirect("plans:detail", pk=plan)


@requires("plans.change")
def component_new(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    if kind not in FIELDS:
        raise Http404
    version = _version(request, pk)
    return _component(request, Component(msp=request.msp, version=version, kind=kind))


@requires("plans.change")
def component_edit(request: HttpRequest, pk: int) -> HttpResponse:
    rows = Component.objects.select_related("version__plan", "version__deck")
    return _component(request, get_object_or_404(rows, pk=pk, msp=request.msp))


def _component(request: HttpRequest, row: Component) -> HttpResponse:
    form = ComponentForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_component(row, tiers=form.read, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("“%(name)s” saved.") % {"name": row.name})
            return redirect("plans:detail", pk=row.version.plan_id)
    context = {
        "form": form,
        "component": row,
        "plan": row.version.plan,
        "lead": LEADS[row.kind],
        "example": previews.example(row.version, timezone.localdate()),
        "users": previews.USERS,
        "minutes": f"{previews.MINUTES:,}",
    }
    return TemplateResponse(request, "voice/plans/component_form.html", context)


@requires("plans.change")
def component_remove(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Component.objects.select_related("version__plan"), pk=pk, msp=request.msp)
    question = Question(
        _("Take “%(name)s” out of the draft?") % {"name": row.name}, effects=[], button=_("Take out"), about=row
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("plans:detail", args=[row.version.plan_id]))
    return _done(
        request, row.version.plan_id, lambda: services.remove_component(row, by=request.actor), _("Taken out.")
    )
