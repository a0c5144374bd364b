"""The directory's pages: four lists, a form for each kind of row, and validating an address."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.core.whole import whole
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from portal.ui.navigation import page_url
from tenants.countries import country_name
from voice.directory import pages, services
from voice.directory.forms import AddressForm, DirectoryForm, PersonForm, PlaceForm, SiteForm
from voice.directory.models import CivicAddress, Person, Place, Site
from voice.directory.validation import TableValidator
from voice.selection import refusal_words


@requires("people.view")
def people(request: HttpRequest) -> HttpResponse:
    return pages.PeopleList(request).response()


@requires("people.view")
def sites(request: HttpRequest) -> HttpResponse:
    return pages.SiteList(request).response()


@requires("people.view")
def addresses(request: HttpRequest) -> HttpResponse:
    return pages.AddressList(request).response()


@requires("people.view")
def places(request: HttpRequest) -> HttpResponse:
    return pages.PlaceList(request).response()


@requires("people.change")
def person(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = get_object_or_404(Person, pk=pk) if pk is not None else Person()
    return _edit(request, row, PersonForm, services.save_person, "person", "directory:list", new=_("New person"))


@requires("people.change")
def site(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = get_object_or_404(Site, pk=pk) if pk is not None else Site()
    return _edit(request, row, SiteForm, services.save_site, "site", "directory:sites", new=_("New site"))


@requires("people.change")
def place(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = get_object_or_404(Place, pk=pk) if pk is not None else Place(address=_asked_address(request))
    return _edit(request, row, PlaceForm, services.save_place, "place", "directory:places", new=_("New place"))


def _asked_address(request: HttpRequest) -> CivicAddress | None:
    """Return the address whose page led here, so that it is chosen already."""
    return CivicAddress.objects.filter(pk=whole(request.GET.get("address", "")) or 0).first()


@requires("people.view")
def address(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(CivicAddress, pk=pk)
    verdict = None if row.is_validated else TableValidator().judge(row)
    problems = verdict.problems if verdict else {}
    labels = {name: row._meta.get_field(name).verbose_name for name in problems}  # type: ignore[union-attr]
    context = {
        "address": row,
        "country": country_name(row.country),
        "problems": [(labels[name], words) for name, words in problems.items()],
        "places": row.places.order_by("description"),
        "can_change": request.can("people.change"),
    }
    return TemplateResponse(request, "voice/directory/address.html", context)


@requires("people.change")
def address_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = get_object_or_404(CivicAddress, pk=pk) if pk is not None else _new_address(request)
    return _edit(
        request, row, AddressForm, services.save_address, "address", "directory:addresses", new=_("New address")
    )


def _new_address(request: HttpRequest) -> CivicAddress:
    customer = request.tenant
    return CivicAddress(country=customer.country, company=customer.name)


@require_POST
@requires("people.change")
def address_validate(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(CivicAddress, pk=pk)
    try:
        services.validate_address(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, _("The address is validated. Numbers can have their emergency location there."))
    return redirect("directory:address", pk=pk)


REMOVALS: dict[str, tuple[type[Model], Callable[..., None], str]] = {
    "person": (Person, services.delete_person, "directory:list"),
    "site": (Site, services.delete_site, "directory:sites"),
    "place": (Place, services.delete_place, "directory:places"),
    "address": (CivicAddress, services.delete_address, "directory:addresses"),
}
CONSEQUENCES = {
    "person": gettext_lazy("The numbers of this person stay, without a name."),
    "site": gettext_lazy("The people of this site stay, without a site."),
    "place": gettext_lazy("It goes only if no number has its emergency location here."),
    "address": gettext_lazy("It goes only if no place and no site uses it."),
}


@requires("people.change")
def remove(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    model, delete, back = REMOVALS[kind]
    row = get_object_or_404(model, pk=pk)  # type: ignore[var-annotated]
    effects = [str(CONSEQUENCES[kind]), _("This cannot be undone.")]
    question = Question(_("Remove %(name)s?") % {"name": row}, effects, button=_("Remove"), about=row)
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse(f"directory:{kind}", args=[pk]))
    try:
        delete(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        return redirect(f"directory:{kind}", pk=pk)
    messages.success(request, _("Removed."))
    return redirect(back)


# What can be seen without being changed has a page of its own, which has the tabs.
RESOURCES = {"person": "people", "site": "sites", "place": "places"}


def _edit(
    request: HttpRequest,
    row: Any,
    form_class: type[DirectoryForm],
    save: Callable[..., Any],
    kind: str,
    back: str,
    *,
    new: str,
) -> HttpResponse:
    title = str(row) if row.pk else new
    form = form_class(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        try:
            save(row, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("directory:address", pk=row.pk) if kind == "address" else redirect(back)
    context = {
        "form": form,
        "row": row,
        "title": title,
        "kind": kind,
        "resource": RESOURCES.get(kind, ""),
        "remove_name": f"directory:{kind}_remove",
        "consequence": CONSEQUENCES[kind],
        "back": reverse(back),
        "usage_url": _usage_url(request, row) if kind == "person" and row.pk else "",
        "lacks_address": kind == "place" and not CivicAddress.objects.exists(),
    }
    return TemplateResponse(request, "voice/directory/form.html", context)


def _usage_url(request: HttpRequest, row: Person) -> str:
    """Return where the calls of the person's numbers are summed up, wherever that page stands."""
    page = page_url("numbers:usage", request) if request.can("calls.view") else ""
    return f"{page}?{urlencode({'q': row.name})}" if page else ""
