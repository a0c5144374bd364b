"""Which numbers the customer's calls may show."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.core.access import requires
from portal.core.fields import format_number
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from voice.numbers import services
from voice.numbers.forms import CallerIdForm, CallerIdPolicyForm
from voice.numbers.models import ApprovedCallerId
from voice.numbers.pages import CallerIdList


@requires("numbers.view")
def caller_ids(request: HttpRequest) -> HttpResponse:
    return CallerIdList(request).response()


@requires("numbers.change")
def caller_id_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    caller_id = get_object_or_404(ApprovedCallerId, pk=pk) if pk is not None else ApprovedCallerId()
    form = CallerIdForm(request.POST or None, instance=caller_id, country=request.tenant.country)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_caller_id(caller_id, customer=request.tenant, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Approved. It goes live in a moment."))
            return redirect("numbers:caller_ids")
    return TemplateResponse(request, "voice/numbers/caller_id.html", {"form": form, "caller_id": caller_id})


@requires("numbers.change")
def caller_id_delete(request: HttpRequest, pk: int) -> HttpResponse:
    caller_id = get_object_or_404(ApprovedCallerId, pk=pk)
    question = Question(
        title=_("Withdraw %(number)s?") % {"number": format_number(caller_id.e164)},
        effects=[_("Calls that show this number are then treated like any other foreign caller ID.")],
        button=_("Withdraw"),
        about=caller_id,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("numbers:caller_id", args=[pk]))
    try:
        services.delete_caller_id(caller_id, customer=request.tenant, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Withdrawn. The SBCs follow in a moment."))
    return redirect("numbers:caller_ids")


@requires("numbers.change")
def caller_id_policy(request: HttpRequest) -> HttpResponse:
    form = CallerIdPolicyForm(request.POST or None, customer=request.tenant)
    if request.method == "POST" and form.is_valid():
        told = {name: form.cleaned_data[name] for name in ("policy", "number")}
        seen = form.cleaned_data["seen"].split(",") if form.cleaned_data["seen"] else None
        try:
            services.save_caller_id_policy(request.tenant, **told, by=request.actor, seen=seen)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved. It goes live in a moment."))
            return redirect("numbers:caller_ids")
    return TemplateResponse(request, "voice/numbers/caller_id_policy.html", {"form": form})
