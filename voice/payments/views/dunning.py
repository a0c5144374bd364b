"""The MSP's reminders, their ladder, and whoever is left alone."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.ui.forms import refuse
from voice.payments.forms_dunning import PauseForm, StepForm
from voice.payments.models import DunningPause, DunningSetting, DunningStep, Reminder
from voice.payments.pages_dunning import PauseList, ReminderList, StepList, state_of
from voice.payments.services import dunning, ladder, letters
from voice.payments.views.papers import pdf_response
from voice.selection import refusal_words


@requires("payments.view")
def reminder_list(request: HttpRequest) -> HttpResponse:
    return ReminderList(request).response()


def _reminder(request: HttpRequest, pk: int) -> Reminder:
    found = Reminder.objects.filter(msp=request.msp).select_related("tenant", "entity", "step")
    return get_object_or_404(found, pk=pk)


@requires("payments.view")
def reminder(request: HttpRequest, pk: int) -> HttpResponse:
    row = _reminder(request, pk)
    context = {
        "reminder": row,
        "state": state_of(row),
        "lines": row.lines.select_related("invoice").order_by("invoice__due_on", "pk"),
        "can_change": request.can("payments.change"),
    }
    return TemplateResponse(request, "voice/payments/reminder.html", context)


@requires("payments.view")
def letter(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand out the letter of a reminder, as it was sent or will be."""
    return pdf_response(letters.letter_pdf(_reminder(request, pk)), f"reminder-{pk}")


@require_POST
@requires("payments.change")
def propose(request: HttpRequest) -> HttpResponse:
    """Do now what the night would do."""
    made = dunning.propose(request.msp, today=timezone.localdate(), by=request.actor)
    messages.success(request, _("%(n)d proposed.") % {"n": len(made)})
    return redirect("payments:reminders")


@require_POST
@requires("payments.change")
def release_all(request: HttpRequest) -> HttpResponse:
    sent = dunning.release_all(request.msp, today=timezone.localdate(), by=request.actor)
    messages.success(request, _("%(n)d sent.") % {"n": sent})
    return redirect("payments:reminders")


@require_POST
@requires("payments.change")
def release(request: HttpRequest, pk: int) -> HttpResponse:
    row = _reminder(request, pk)

    def act() -> str:
        done = dunning.release(row, today=timezone.localdate(), by=request.actor)
        if done.state == Reminder.State.RELEASED:
            return _("Sent.")
        return _("All of it is paid, being paid or left alone: not sent.")

    return _done(request, row.pk, act)


@require_POST
@requires("payments.change")
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    row = _reminder(request, pk)

    def act() -> str:
        dunning.drop(row, by=request.actor)
        return _("It is not sent.")

    return _done(request, row.pk, act)


def _done(request: HttpRequest, pk: int, act: Callable[[], str]) -> HttpResponse:
    try:
        messages.success(request, act())
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    return redirect("payments:reminder", pk=pk)


@requires("payments.view")
def step_list(request: HttpRequest) -> HttpResponse:
    return StepList(request).response()


@requires("payments.change")
def step(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    own = DunningStep.objects.filter(msp=request.msp)
    row = get_object_or_404(own, pk=pk) if pk is not None else DunningStep(msp=request.msp)
    form = StepForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        try:
            ladder.save_step(row, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Step saved."))
            return redirect("payments:ladder")
    return TemplateResponse(request, "voice/payments/step.html", {"form": form, "step": row})


@require_POST
@requires("payments.change")
def setting(request: HttpRequest) -> HttpResponse:
    """Let reminders go out by themselves, or wait for somebody."""
    itself = request.POST.get("releases_itself") == "1"
    ladder.save_setting(DunningSetting(msp=request.msp, releases_itself=itself), by=request.actor)
    messages.success(request, _("Saved."))
    return redirect("payments:ladder")


@requires("payments.view")
def pause_list(request: HttpRequest) -> HttpResponse:
    return PauseList(request).response()


@requires("payments.change")
def pause_new(request: HttpRequest) -> HttpResponse:
    form = PauseForm(request.POST or None, instance=DunningPause(msp=request.msp), msp=request.msp)
    if request.method == "POST" and form.is_valid():
        try:
            ladder.pause(form.instance, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Not reminded from now on."))
            return redirect("payments:pauses")
    return TemplateResponse(request, "voice/payments/pause.html", {"form": form})


@require_POST
@requires("payments.change")
def pause_end(request: HttpRequest, pk: int) -> HttpResponse:
    ladder.end_pause(get_object_or_404(DunningPause.objects.filter(msp=request.msp), pk=pk), by=request.actor)
    messages.success(request, _("Reminders go on."))
    return redirect("payments:pauses")
