"""The MSP's decks: list, one deck with its rates, versions, price lists on their way in, who is priced by it."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.core.models import Job
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from tenants.models import Customer
from voice.carriers.models import Trunk
from voice.rating import imports, services, tasks  # noqa: F401  registers the jobs
from voice.rating import selectors_decks as selectors
from voice.rating.decks import Miss
from voice.rating.files.columns import FIELDS
from voice.rating.forms_bands import picture
from voice.rating.forms_decks import AssignForm, DeckForm, ImportForm, RateForm, ReadForm, midnight
from voice.rating.models import DeckImport, DeckVersion, RateDeck
from voice.rating.pages_decks import (
    DeckList,
    ErrorList,
    LineList,
    RateList,
    VersionList,
    digits_of,
    state_of_version,
    version_url,
)
from voice.rating.typical import in_words
from voice.selection import refusal_words

# A number and not a code: from here on the page says which rate takes it.
SHORTEST_NUMBER = 5


def _decks(request: HttpRequest) -> QuerySet[RateDeck]:
    return selectors.decks_seen_by(request.msp, request.can)


def _deck(request: HttpRequest, pk: int) -> RateDeck:
    return get_object_or_404(_decks(request), pk=pk)


def _version(request: HttpRequest, pk: int) -> DeckVersion:
    return get_object_or_404(DeckVersion.objects.select_related("deck"), pk=pk, deck__in=_decks(request))


def _file(request: HttpRequest, pk: int) -> DeckImport:
    files = DeckImport.objects.defer("content").select_related("version__deck")
    return get_object_or_404(files, version=pk, version__deck__in=_decks(request))


@requires("rates.view")
def deck_list(request: HttpRequest) -> HttpResponse:
    return DeckList(request).response()


@requires("rates.view")
def deck(request: HttpRequest, pk: int) -> HttpResponse:
    row = _deck(request, pk)
    number = digits_of(request.GET.get("q", ""))
    caller = digits_of(request.GET.get("caller", ""))
    change = request.can("rates.change") and row.closed_at is None
    drafts = DeckVersion.objects.filter(deck=row, state=DeckVersion.State.DRAFT).order_by("-number")
    coming = row.versions.filter(state=DeckVersion.State.ACTIVE, effective_from__gt=timezone.now())
    context = {
        "drafts": drafts[:3],
        "coming": coming.order_by("effective_from")[:3],
        "assigned": selectors.assignments(row),
        "number": number if len(number) >= SHORTEST_NUMBER else "",
        "caller": caller,
        "tried": _tried(row, number, caller) if len(number) >= SHORTEST_NUMBER else [],
        "free": [dict(DeckForm.base_fields["free"].choices).get(each, each) for each in row.free],
        "can_change": change,
        "week": picture(row.bands),
    }
    return RateList(request, row, **context).response()


def _tried(row: RateDeck, number: str, caller: str) -> list[dict[str, Any]]:
    words = {
        None: _("takes the call"),
        Miss.NOT_YET: _("not yet: it holds later"),
        Miss.ENDED: _("it has ended"),
        Miss.CALLER: _("it is for other callers"),
        Miss.SHORTER: _("a longer code takes the call"),
        Miss.BROADER: _("the same code with a longer caller prefix takes the call"),
    }
    found = selectors.tried(row, number, caller, timezone.now())
    return [{"rate": each.rate, "takes": each.miss is None, "why": words[each.miss]} for each in found]


@requires("rates.change")
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = _deck(request, pk) if pk is not None else RateDeck(msp=request.msp)
    form = DeckForm(request.POST or None, instance=row, costs=request.can("costs.view"))
    if request.method == "POST" and form.is_valid():
        try:
            services.save_deck(row, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Deck saved."))
            return redirect("decks:detail", pk=row.pk)
    return TemplateResponse(request, "voice/rating/deck_form.html", {"form": form, "deck": row})


@requires("rates.change")
def close(request: HttpRequest, pk: int) -> HttpResponse:
    row = _deck(request, pk)
    question = Question(
        _("Close the deck %(name)s?") % {"name": row.name},
        effects=[_("Its rates stay, for the calls that they priced. It can price nobody any more.")],
        button=_("Close"),
        about=row,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("decks:detail", args=[pk]))
    try:
        services.close_deck(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        return redirect("decks:detail", pk=pk)
    messages.success(request, _("Deck closed."))
    return redirect("decks:list")


@requires("rates.view")
def versions(request: HttpRequest, pk: int) -> HttpResponse:
    return VersionList(request, _deck(request, pk)).response()


@requires("rates.change")
def set_rate(request: HttpRequest, pk: int) -> HttpResponse:
    row = _deck(request, pk)
    form = RateForm(request.POST or None, deck=row)
    if request.method == "POST" and form.is_valid():
        note, seen = form.cleaned_data["note"], form.cleaned_data["row_version"]
        try:
            services.put_rates(row, form.lines(), at=form.at, by=request.actor, note=note, seen=seen)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Set. Calls answered from then on cost so."))
            return redirect("decks:detail", pk=pk)
    context = {"form": form, "deck": row, "title": _("Set a rate"), "submit": _("Set rate")}
    return TemplateResponse(request, "voice/rating/deck_part.html", context)


@requires("rates.change")
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    row = _deck(request, pk)
    form = AssignForm(request.POST or None, deck=row)
    if request.method == "POST" and form.is_valid():
        who, begins = form.cleaned_data["who"], form.begins
        try:
            if isinstance(who, Customer):
                services.assign_customer(who, row, begins=begins, by=request.actor)
            else:
                services.assign_trunk(who, row, begins=begins, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("%(name)s is priced by this deck from then on.") % {"name": who})
            return redirect("decks:detail", pk=pk)
    context = {"form": form, "deck": row, "title": _("Who is priced by it"), "submit": _("Use this deck")}
    return TemplateResponse(request, "voice/rating/deck_part.html", context)


@requires("rates.change")
def unassign(request: HttpRequest, pk: int, key: int) -> HttpResponse:
    row = _deck(request, pk)
    selling = row.kind == RateDeck.Kind.SELL
    who: Any = get_object_or_404(Customer if selling else Trunk, pk=key, msp=request.msp)
    today = timezone.now().astimezone(row.tzinfo).date()
    begins = midnight(row, today + timedelta(days=1))
    question = Question(
        _("End the deck of %(name)s tonight?") % {"name": who},
        effects=[_("Calls from midnight on have no rate and are kept aside, until another deck is given.")],
        button=_("End it"),
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("decks:detail", args=[pk]))
    if selling:
        services.assign_customer(who, None, begins=begins, by=request.actor)
    else:
        services.assign_trunk(who, None, begins=begins, by=request.actor)
    messages.success(request, _("It ends at midnight."))
    return redirect("decks:detail", pk=pk)


@requires("rates.change")
def start_import(request: HttpRequest, pk: int) -> HttpResponse:
    row = _deck(request, pk)
    form = ImportForm(request.POST or None, request.FILES or None, deck=row)
    if request.method == "POST" and form.is_valid():
        try:
            file = imports.start_import(row, **form.facts(), by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect(version_url(file.version))
    return TemplateResponse(request, "voice/rating/import.html", {"form": form, "deck": row})


@requires("rates.view")
def version(request: HttpRequest, pk: int) -> HttpResponse:
    row = _version(request, pk)
    file = DeckImport.objects.defer("content").filter(version=row).first()
    draft = row.state == DeckVersion.State.DRAFT
    working = draft and file is not None and file.state in (DeckImport.State.CHECKING, DeckImport.State.ACTIVATING)
    if file is not None and draft and file.state == DeckImport.State.ASKING and request.can("rates.change"):
        if not request.htmx:
            return redirect("decks:read", pk=pk)
        return HttpResponse(headers={"HX-Redirect": reverse("decks:read", args=[pk])})
    costs = request.can("costs.view")
    context = {
        "file": file,
        "job": Job.objects.filter(pk=file.job_id).first() if file and file.job_id else None,
        "working": working,
        "draft": draft,
        "state": state_of_version(row),
        "counts": row.summary.get("counts", {}),
        "read_as": _read_as(file) if file else [],
        "costs": costs,
        "losses_by": _losses_by(row.summary.get("losses", {}).get("seconds")),
        "warnings": imports.warnings(file, costs=costs) if file and draft and not working else [],
        "can_change": request.can("rates.change"),
    }
    response = LineList(request, row, **context).response()
    if request.htmx and not working and request.htmx.target != "list":
        # The page polls its progress; at the end what was found has to come, too.
        response["HX-Refresh"] = "true"
    return response


def _losses_by(seconds: int | None) -> str:
    """Return what was compared to find losses; versions of before have no call of a typical length."""
    if seconds is None:
        return _("Per minute, against the cheapest of your buying decks.")
    words = _("What a call of %(length)s brings, against what it costs by the cheapest of your buying decks.")
    return words % {"length": in_words(seconds)}


def _read_as(file: DeckImport) -> list[tuple[str, str]]:
    """Return how a file was read, in words: what was recognised and what somebody said."""
    options, found = file.options, []
    mark = options.get("decimal") or options.get("decimal_found")
    if mark and options.get("columns"):
        example = next((each for each in options.get("decimal_shown", []) if each), "")
        point = _("decimal point, 1,234.56") if mark == "." else _("decimal comma, 1.234,56")
        found.append((_("Amounts"), f"{point} ({_('for example')} {example})" if example else point))
    order = options.get("dates") or options.get("dates_found")
    if order and {"begins", "ends"} & set(options.get("columns") or {}):
        found.append((_("Dates"), _("day first") if order == "dmy" else _("month first")))
    if options.get("headings"):
        labels = {each.name: str(each.label) for each in FIELDS}
        told = [(str(heading), labels.get(name, "")) for name, heading in options["headings"].items()]
        shown = [f"{heading} ({label})" if label and label != heading else heading for heading, label in told]
        found.append((_("Columns"), ", ".join(shown)))
    if len(options.get("sheets") or []) > 1:
        found.append((_("Sheet"), options["sheet"]))
    return found


@requires("rates.view")
def errors(request: HttpRequest, pk: int) -> HttpResponse:
    return ErrorList(request, _file(request, pk)).response()


@requires("rates.change")
def read(request: HttpRequest, pk: int) -> HttpResponse:
    file = _file(request, pk)
    form = ReadForm(request.POST or None, file=file)
    if request.method == "POST" and form.is_valid():
        try:
            imports.read_again(file, form.options(), by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect("decks:version", pk=pk)
    options = file.options
    shown = [(name, [each for each in options.get(f"{name}_shown", []) if each]) for name in ("decimal", "dates")]
    context = {
        "form": form,
        "file": file,
        "deck": file.version.deck,
        "asked": options.get("asked", []),
        "lacking": options.get("lacking", []),
        "shown": dict(shown),
        "sample": options.get("sample", []),
    }
    return TemplateResponse(request, "voice/rating/read.html", context)


@require_POST
@requires("rates.change")
def again(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        imports.read_again(_file(request, pk), {}, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    return redirect("decks:version", pk=pk)


@require_POST
@requires("rates.change")
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        imports.confirm(_file(request, pk), accept="accept" in request.POST, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    return redirect("decks:version", pk=pk)


@require_POST
@requires("rates.change")
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    row = _version(request, pk)
    try:
        imports.discard(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, _("Dropped. The deck is as it was."))
    return redirect("decks:detail", pk=row.deck_id)
