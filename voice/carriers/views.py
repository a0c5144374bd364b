"""What MSP and customers share: showing, editing and closing a trunk."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from portal.ui.confirm import Question, confirm_page, is_confirmed, refusal
from portal.ui.forms import refuse
from voice.carriers import services
from voice.carriers.forms import TrunkForm
from voice.carriers.models import Trunk
from voice.carriers.pages import trunk_url
from voice.selection import refusal_words


def edit_trunk(request: HttpRequest, trunk: Trunk, *, back: str) -> HttpResponse:
    """Answer with the trunk's form, or store what was posted."""
    form = TrunkForm(request.POST or None, instance=trunk)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_trunk(trunk, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            if trunk.approved:
                messages.success(request, _("Trunk saved. It goes live in a moment."))
            else:
                messages.warning(
                    request, _("Trunk saved. Your provider has to approve its address before it carries calls.")
                )
            return redirect(trunk_url(trunk))
    context = {"form": form, "trunk": trunk, "back": trunk_url(trunk) if trunk.pk else back}
    return TemplateResponse(request, "voice/carriers/trunk_form.html", context)


def close_trunk(request: HttpRequest, trunk: Trunk, *, back: str) -> HttpResponse:
    """Ask, then close the trunk for good."""
    question = Question(
        title=_("Close the trunk %(name)s?") % {"name": trunk.name},
        effects=[_("It carries no calls any more. Call records keep its name."), _("This cannot be undone.")],
        button=_("Close trunk"),
        type_name=trunk.name,
        about=trunk,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=trunk_url(trunk), error=refusal(request, question))
    try:
        services.delete_trunk(trunk, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        return redirect(trunk_url(trunk))
    messages.success(request, _("Trunk closed."))
    return redirect(back)
