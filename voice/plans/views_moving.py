"""Moving the contracts of a plan to one of its versions: who has an older one, from which day, and what came of it."""

from datetime import date
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.core.models import Job
from portal.ui.forms import refuse
from voice.plans import moving
from voice.plans import tasks as tasks  # registers the job
from voice.plans.forms_contracts import MoveForm
from voice.plans.models import Contract, PlanVersion
from voice.plans.pages_moving import MovableList
from voice.selection import nothing_picked, picked

# More are not listed before they go over: the page of the job names all of them afterwards.
MOST_SHOWN = 200


def _version(request: HttpRequest, pk: int) -> PlanVersion:
    published = PlanVersion.objects.filter(msp=request.msp, state=PlanVersion.State.PUBLISHED)
    return get_object_or_404(published.select_related("plan", "deck"), pk=pk)


@requires("plans.view")
def movable(request: HttpRequest, pk: int) -> HttpResponse:
    return MovableList(request, _version(request, pk)).response()


@require_POST
@requires("plans.change")
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Show who goes over on a day and who does not, and begin with it once that was seen."""
    version = _version(request, pk)
    chosen = picked(request, partial(MovableList, version=version))  # type: ignore[arg-type]  # makes such a page
    if not chosen.ids:
        messages.error(request, nothing_picked())
        return redirect("plans:movable", pk=pk)
    asked = "on" in request.POST
    form = MoveForm(request.POST if asked else None, version=version)
    context: dict[str, Any] = {"form": form, "version": version, "fields": chosen.hidden}
    if not asked or form.is_valid():
        on: date = form.cleaned_data["on"] if asked else form.initial["on"]
        if request.POST.get("then") == "move":
            try:
                job = moving.start(version, on, chosen.ids, by=request.actor)
            except ValidationError as error:
                refuse(form, error)
            else:
                return redirect("plans:moved", pk=job.pk)
        judged = moving.judge(version, on, chosen.ids)
        stay = [each for each in judged if each.why]
        context |= {"on": on, "going": len(judged) - len(stay), "stay": stay[:MOST_SHOWN], "staying": len(stay)}
    return TemplateResponse(request, "voice/plans/move.html", context)


@requires("plans.view")
def moved(request: HttpRequest, pk: Any) -> HttpResponse:
    """Show how far a move is, and what came of it."""
    job = get_object_or_404(Job, pk=pk, kind=moving.KIND, msp_id=request.msp.pk)
    version = PlanVersion.objects.filter(pk=job.params["version"]).select_related("plan").first()
    if version is None:
        raise Http404
    result = job.result or {"moved": [], "skipped": []}
    rows = Contract.objects.filter(msp=request.msp, pk__in=job.params["contracts"]).select_related("tenant")
    known = {row.pk: row for row in rows}
    context = {
        "job": job,
        "version": version,
        "on": date.fromisoformat(job.params["on"]),
        "going": [known[each] for each in result["moved"] if each in known],
        "stay": [moving.Judged(known[each], why) for each, why in result["skipped"] if each in known],
        "today": timezone.localdate(),
    }
    return TemplateResponse(request, "voice/plans/moved.html", context)
