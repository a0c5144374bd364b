"""The Emergency page: what happens when somebody dials 112, said plainly, and what is missing."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from portal.core.access import requires
from portal.ui.forms import refuse
from tenants.countries import country_in_words
from voice.carriers.forms import TrunkOrderForm
from voice.carriers.models import Trunk
from voice.carriers.pages import state_of
from voice.carriers.selectors import trunks_for
from voice.directory.countries import countries as table
from voice.directory.countries import location_required
from voice.directory.models import CivicAddress, Place
from voice.emergency import selectors, services
from voice.numbers.models import Number
from voice.numbers.selectors import without_location


@requires("emergency.view")
def home(request: HttpRequest) -> HttpResponse:
    customer = request.tenant
    cover = selectors.emergency_trunks(customer)
    own = {choice.trunk_id for choice in selectors.choices()}
    routes = selectors.emergency_over(cover)
    countries = [_country(code, trunks, routes, own) for code, trunks in cover.items()]
    missing = without_location(customer)
    active = Number.objects.active()
    context = {
        "countries": countries,
        "home": countries[0],
        "helpless": _listed(each["name"] for each in countries if not each["trunks"]),
        "silent": _listed(each["name"] for each in countries if each["silent"]),
        "missing": missing[:10],
        "missing_count": missing.count(),
        "active_count": active.count(),
        "located": Place.objects.filter(address__validation=CivicAddress.Validation.VALIDATED).exists(),
        "can_change": request.can("emergency.change"),
        "can_change_places": request.can("people.change"),
    }
    return TemplateResponse(request, "voice/emergency/home.html", context)


def _listed(names: Iterable[str]) -> str:
    return get_text_list(list(names), _("and"))


def _country(code: str, trunks: list[Trunk], routes: list[selectors.EmergencyRoute], own: set[int]) -> dict[str, Any]:
    """Return what the page says of one of the customer's countries."""
    here = [route for route in routes if route.country == code]
    return {
        "name": country_in_words(code),
        "real": [route for route in here if not route.test],
        "tests": [route for route in here if route.test],
        # What another country of the customer's dials, too, goes its way.
        "elsewhere": [
            (route.dial, country_in_words(route.country))
            for route in routes
            if route.country != code and route.dial in {each.dial for each in selectors.emergency_numbers(code)}
        ],
        "trunks": [(trunk, state_of(trunk), trunk.pk in own) for trunk in trunks],
        "silent": all(trunk.health == Trunk.Health.DOWN for trunk in trunks),
        "one_carrier": len(trunks) > 1 == len({trunk.carrier_id or f"own-{trunk.pk}" for trunk in trunks}),
        "location_required": location_required(code),
        "entry": table().get(code, {}),
    }


@requires("emergency.change")
def trunks(request: HttpRequest) -> HttpResponse:
    usable = list(trunks_for(request.tenant).in_name_order())
    chosen = list(selectors.choices().values_list("trunk_id", flat=True))
    form = TrunkOrderForm(request.POST or None, trunks=usable, chosen=chosen)
    if request.method == "POST" and form.is_valid():
        try:
            ids = [trunk.pk for trunk in form.chosen]
            services.set_emergency_trunks(ids, customer=request.tenant, by=request.actor, seen=form.as_seen)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Emergency list saved. It goes live in a moment."))
            return redirect("emergency:home")
    return TemplateResponse(request, "voice/emergency/trunks.html", {"form": form})
