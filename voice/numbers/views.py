"""The customer's numbers: list, one number, bulk actions."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.ui import list_panel
from portal.ui.forms import refuse
from portal.ui.navigation import page_url
from tenants.countries import country_name
from voice.directory.models import Place
from voice.numbers import selectors, services, tasks  # noqa: F401  registers the jobs
from voice.numbers.forms import NumberForm, PlaceForm
from voice.numbers.models import Number
from voice.numbers.pages import NumberList
from voice.selection import nothing_picked, picked, refusal_words

STATE_ACTIONS = {"activate": services.activate, "suspend": services.suspend, "deactivate": services.deactivate}
# What the list's panel does with a number beside saving it, by the number's state.
THEN = {
    Number.State.ACTIVE: [("suspend", _later("Save and suspend")), ("deactivate", _later("Save and deactivate"))],
    Number.State.SUSPENDED: [("activate", _later("Save and activate")), ("deactivate", _later("Save and deactivate"))],
    Number.State.INACTIVE: [("activate", _later("Save and activate"))],
}


@requires("numbers.view")
def number_list(request: HttpRequest) -> HttpResponse:
    around = selectors.surroundings(request.tenant)
    return NumberList(request, around=around, can_change=request.can("numbers.change")).response()


@requires("numbers.view")
def number(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Number.objects.select_related("place__address", "person"), pk=pk)
    form = NumberForm(request.POST or None, instance=row, customer=request.tenant)
    if request.method == "POST" and request.can("numbers.change") and form.is_valid():
        save = STATE_ACTIONS.get(request.POST.get("then", ""), services.save_number)
        try:
            save(row, customer=request.tenant, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return _number_saved(request, pk)
    page = NumberList(request)
    stored = row if not form.is_bound else get_object_or_404(selectors.numbers(), pk=pk)
    context = {
        "number": stored,
        "country": country_name(stored.country),
        "form": form,
        "state": page.state_of(stored),
        "inbound": page.inbound_of(stored),
        "needs_location": selectors.needs_location(stored, request.tenant),
        "located": stored.place is not None and stored.place.address.is_validated,
        "can_change": request.can("numbers.change"),
        "can_change_places": request.can("people.change"),
        "calls_url": _narrowed(request, "calls:list", stored),
        "usage_url": _narrowed(request, "numbers:usage", stored),
        "actions": THEN.get(Number.State(stored.state), []),
    }
    in_panel = context["can_change"] and list_panel.asked_for(request)
    response = TemplateResponse(
        request, "voice/numbers/number_panel.html" if in_panel else "voice/numbers/number.html", context
    )
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def _narrowed(request: HttpRequest, name: str, row: Number) -> str:
    page = page_url(name, request) if request.can("calls.view") else ""
    return f"{page}?{urlencode({'q': row.e164})}" if page else ""


def _number_saved(request: HttpRequest, pk: int) -> HttpResponse:
    words = _("Number saved. It goes live in a moment.")
    if list_panel.asked_for(request):
        return list_panel.saved(NumberList(request), get_object_or_404(selectors.numbers(), pk=pk), words)
    messages.success(request, words)
    return redirect("numbers:number", pk=pk)


@require_POST
@requires("numbers.change")
def set_state(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    row = get_object_or_404(Number.objects.select_related("place__address"), pk=pk)
    try:
        STATE_ACTIONS[action](row, customer=request.tenant, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, _("Done. It goes live in a moment."))
    return redirect("numbers:number", pk=pk)


@require_POST
@requires("numbers.change")
def bulk_state(request: HttpRequest, state: str) -> HttpResponse:
    chosen = picked(request, NumberList)
    try:
        count = services.set_state(chosen.ids, state, customer=request.tenant, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        # What the list was narrowed to stays, so that its rows are at hand for what has to be done first.
        return redirect(f"{reverse('numbers:list')}?{QueryDict(request.POST.get('query', '')).urlencode()}")
    messages.success(request, ngettext("%d number changed.", "%d numbers changed.", count) % count)
    return redirect("numbers:list")


@require_POST
@requires("numbers.change")
def bulk_place(request: HttpRequest) -> HttpResponse:
    chosen = picked(request, NumberList)
    if not chosen:
        messages.error(request, nothing_picked())
        return redirect("numbers:list")
    if not Place.objects.exists():
        messages.warning(request, _("There is no place yet that could be set. Add one first."))
        return redirect("directory:place_new")
    form = PlaceForm(request.POST if "confirmed" in request.POST else None)
    if form.is_bound and form.is_valid():
        try:
            count = services.set_place(
                chosen.ids, form.cleaned_data["place"], customer=request.tenant, by=request.actor
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(
                request,
                ngettext("%d number has its location now.", "%d numbers have their location now.", count) % count,
            )
            return redirect("numbers:list")
    context = {
        "form": form,
        "chosen": chosen,
        "title": _("Set the emergency location"),
        "submit": _("Set location"),
        "back": reverse("numbers:list"),
    }
    return TemplateResponse(request, "voice/inventory/bulk.html", context)
