"""The routing pages of a customer: the policy as a readable table, its lines, and *try a number* beside it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.core.whole import whole
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from voice.carriers.selectors import trunks_for
from voice.emergency.selectors import emergency_for
from voice.rating.typical import in_words
from voice.routing import selectors, services
from voice.routing.cautions import cautions
from voice.routing.explain import explain, hours_in_words
from voice.routing.forms import RouteForm, ScheduleForm, TryForm
from voice.routing.models import Route, Schedule
from voice.routing.prices import typical_seconds_for


@requires("routing.view")
def policy(request: HttpRequest) -> HttpResponse:
    template = "voice/routing/policy_lines.html" if request.htmx else "voice/routing/policy.html"
    return TemplateResponse(request, template, _policy_context(request))


@requires("routing.view")
def try_number(request: HttpRequest) -> HttpResponse:
    template = "voice/routing/answer.html" if request.htmx else "voice/routing/policy.html"
    return TemplateResponse(request, template, _policy_context(request))


@requires("routing.change")
def route_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    route = (
        get_object_or_404(Route.objects.with_trunks(), pk=pk) if pk else Route(pattern="", action=Route.Action.ROUTE)
    )
    return _edit(request, route)


@requires("routing.change")
def default_edit(request: HttpRequest) -> HttpResponse:
    return _edit(request, selectors.default_route())


@requires("routing.change")
def route_delete(request: HttpRequest, pk: int) -> HttpResponse:
    route = get_object_or_404(Route, pk=pk)
    question = Question(
        title=_("Remove the line %(pattern)s?") % {"pattern": route.pattern},
        effects=[_("The calls that it takes go to the lines below it.")],
        button=_("Remove line"),
        about=route,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("routing:edit", args=[pk]))
    try:
        services.delete_route(route, customer=request.tenant, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Line removed. The SBCs follow in a moment."))
    return redirect("routing:list")


@require_POST
@requires("routing.change")
def route_move(request: HttpRequest, pk: int) -> HttpResponse:
    route = get_object_or_404(Route, pk=pk)
    refused = ""
    try:
        services.move_route(route, up=request.POST.get("to") == "up", customer=request.tenant, by=request.actor)
    except ValidationError as error:
        refused = " ".join(error.messages)
    return _moved(request, pk, refused)


@require_POST
@requires("routing.change")
def reorder(request: HttpRequest) -> HttpResponse:
    ids, seen = _numbers(request.POST.getlist("line")), _numbers(request.POST.get("seen", "").split())
    refused = ""
    try:
        services.set_order(ids, customer=request.tenant, by=request.actor, seen=seen or None)
    except ValidationError as error:
        refused = " ".join(error.messages)
    return _moved(request, next(iter(_numbers([request.POST.get("moved", "")])), None), refused)


@requires("routing.view")
def schedules(request: HttpRequest) -> HttpResponse:
    listed = list(Schedule.objects.order_by("name").prefetch_related("routes"))
    for schedule in listed:
        schedule.words = hours_in_words(schedule.windows)
    context = {"schedules": listed, "can_change": request.can("routing.change")}
    return TemplateResponse(request, "voice/routing/schedules.html", context)


@requires("routing.change")
def schedule_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    schedule = get_object_or_404(Schedule, pk=pk) if pk else Schedule()
    form = ScheduleForm(request.POST or None, instance=schedule)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_schedule(
                form.instance, customer=request.tenant, by=request.actor, seen=form.cleaned_data["seen"]
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Hours saved."))
            return redirect("routing:schedules")
    return TemplateResponse(request, "voice/routing/schedule_form.html", {"form": form, "schedule": schedule})


@requires("routing.change")
def schedule_delete(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = get_object_or_404(Schedule, pk=pk)
    title = _("Remove the hours %(name)s?") % {"name": schedule.name}
    effects = [_("They go only if no line of the policy uses them."), _("This cannot be undone.")]
    question = Question(title, effects, button=_("Remove hours"), about=schedule)
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("routing:schedule_edit", args=[pk]))
    try:
        services.delete_schedule(schedule, customer=request.tenant, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Hours removed."))
    return redirect("routing:schedules")


def _numbers(texts: list[str]) -> list[int]:
    return [number for text in texts if (number := whole(text)) is not None]


def _moved(request: HttpRequest, pk: int | None, refused: str) -> HttpResponse:
    """Answer a change of the order: the lines as they stand now, and where the line is that was moved."""
    if not request.htmx:
        if refused:
            messages.error(request, refused)
        return redirect("routing:list")
    context = _policy_context(request)
    lines = [route for route in context["routes"] if not route.is_default]
    place = next((place for place, route in enumerate(lines, start=1) if route.pk == pk), None)
    said = ""
    if place and not refused:
        words = _("Line %(line)s is number %(place)d of %(all)d now.")
        said = words % {"line": lines[place - 1].pattern, "place": place, "all": len(lines)}
    context |= {"refused": refused, "said": said}
    return TemplateResponse(request, "voice/routing/policy_lines.html", context)


def _edit(request: HttpRequest, route: Route) -> HttpResponse:
    trunks = trunks_for(request.tenant).order_by("name")
    length = in_words(typical_seconds_for(request.tenant))
    form = RouteForm(request.POST or None, instance=route, trunks=trunks, length=length)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_route(
                form.instance,
                form.trunk_ids,
                customer=request.tenant,
                by=request.actor,
                seen=form.cleaned_data["seen"],
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            _say_saved(request, route)
            return redirect("routing:list")
    return TemplateResponse(request, "voice/routing/route_form.html", {"form": form, "route": route})


def _say_saved(request: HttpRequest, route: Route) -> None:
    above = selectors.covered(selectors.routes_in_dial_order()).get(route.pk)
    if above is None:
        messages.success(request, _("Line saved. It goes live in a moment."))
        return
    words = _("Line saved, but no call reaches it: the line %(above)s above it takes them all. Move yours up.")
    messages.warning(request, words % {"above": above})


def _policy_context(request: HttpRequest) -> dict[str, Any]:
    customer = request.tenant
    trunks = list(trunks_for(customer))
    names = {trunk.pk: trunk for trunk in trunks}
    routes = list(selectors.routes_in_dial_order())
    covered = selectors.covered(routes)
    for route in routes:
        route.covered_by = covered.get(route.pk)
        route.named_trunks = [names[each.trunk_id] for each in route.trunks.all() if each.trunk_id in names]
        route.is_live = route.config_version <= customer.live_version
    ordered = [route for route in routes if not route.is_default]
    if ordered:
        ordered[-1].is_last = True
    if not any(route.is_default for route in routes):
        routes.append(selectors.default_route())
    context: dict[str, Any] = {"routes": routes, "can_change": request.can("routing.change")}
    context["seen"] = " ".join(str(route.pk) for route in ordered)
    is_tried = "number" in request.GET
    dials = [each.dial for each in emergency_for(customer)]
    form = TryForm(request.GET if is_tried else None, country=customer.country, emergency=dials)
    if is_tried and form.is_valid():
        called, caller = form.cleaned_data["number"], form.cleaned_data["caller"]
        at = form.cleaned_data["at"] or timezone.now()
        tried = selectors.try_number(customer, called.lstrip("+"), caller.lstrip("+"), at)
        length = in_words(tried.seconds)
        explained = explain(tried.choice, called, {trunk.gateway: trunk.name for trunk in trunks}, length)
        why = dict(explained.lines)
        context |= {"answer": explained, "tried": tried, "length": length}
        context["shows_price"] = tried.is_priced and request.can("bills.view")
        context["cautions"] = cautions(customer, tried.choice, called, caller, at)
        context["trace"] = [(route, why[route.pk]) for route in routes if route.pk in why]
    context["try_form"] = form
    return context
