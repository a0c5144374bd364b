"""The lists of decks: decks, the rates of one, its versions, what a draft would change, what is wrong with a file."""

from typing import Any

from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.core import jobs
from portal.ui.lists import EXPORT_AT_ONCE, Action, Choice, Column, Empty, ListPage
from portal.ui.status import Status, status
from portal.ui.values import money, person
from voice.rating import selectors_decks as selectors
from voice.rating.comparing import FROM_NOTHING
from voice.rating.models import DeckImport, DeckImportError, DeckLine, DeckRate, DeckVersion, RateDeck
from voice.rating.tabs import rating_tabs

NEW_DECK = Action(_("New deck"), "decks:new", "plus", "rates.change")
DIRECTIONS = [("out", _("Outgoing")), ("in", _("Incoming")), ("internal", _("Inside")), ("emergency", _("Emergency"))]


def deck_url(deck: RateDeck) -> str:
    return reverse("decks:detail", args=[deck.pk])


def version_url(version: DeckVersion) -> str:
    return reverse("decks:version", args=[version.pk])


def state_of_version(version: DeckVersion) -> Status:
    """Return a version's state; an active one that is still to come is scheduled."""
    if version.state == DeckVersion.State.DISCARDED:
        return status("closed", word=_now("Discarded"))
    return status(version.state_now)


def state_of_rate(rate: DeckRate) -> Status:
    """Return whether a rate holds now."""
    now = timezone.now()
    if rate.ends is not None and rate.ends <= now:
        return status("ended", word=_now("Ended"))
    if rate.begins > now:
        return status("scheduled", word=_now("Later"))
    return status("blocked") if rate.blocked else status("active", word=_now("In force"))


def steps_of(rate: DeckRate | DeckLine) -> str:
    """Return minimum and increment as decks write them."""
    return f"{rate.minimum}/{rate.increment}"


def code_of(rate: DeckRate | DeckLine) -> str:
    """Return the code as people read it."""
    code = f"+{rate.prefix}" if rate.prefix else _now("every number")
    return _now("%(code)s from +%(callers)s") % {"code": code, "callers": rate.callers} if rate.callers else code


class DeckList(ListPage):
    title = _("Decks")
    lead = _("Lists of rates: what carriers ask you for calls (buying), and what your customers pay (selling).")
    topic = "decks"
    columns = [
        Column("kind", _("Kind"), value=lambda deck: deck.get_kind_display(), sort=True, shown_to="costs.view"),
        Column("name", _("Name"), sort=True, link=deck_url),
        Column("currency", _("Currency"), sort=True, card=False),
        Column("used", _("Used by"), value=lambda deck: ", ".join([*deck.customers, *deck.trunks])),
        Column("newest", _("Version"), kind="count", card=False),
        Column("since", _("In force from"), kind="when", card=False),
    ]
    search_fields = ["name", "note", "currency"]
    filters = [
        Choice("kind", _("Kind"), RateDeck.Kind.choices),
        Choice(
            "state",
            _("State"),
            [("closed", _("Closed"))],
            apply=lambda found, _value: found,  # queryset() looks at it
        ),
    ]
    default_sort = "name"
    export_name = "decks"
    actions = [
        NEW_DECK,
        Action(_("What would a call cost?"), "by_price:try", "search", "costs.view"),
        Action(_("Calls below cost"), "by_price:losses", "shield", "rates.view"),
    ]
    empty = Empty(
        _("No decks yet."), _("For example “Carrier A A–Z”, in EUR, from the carrier's price list."), NEW_DECK, "table"
    )

    def __init__(self, request: HttpRequest, **context: Any) -> None:
        super().__init__(request, tabs=rating_tabs(request, "decks:list"), **context)
        if not self.may("costs.view"):
            self.lead = _("Lists of rates: what your customers pay for calls.")
            self.filters = [each for each in self.filters if each.name != "kind"]

    def queryset(self) -> QuerySet[RateDeck]:
        closed = self.request.GET.get("state") == "closed"
        found = selectors.decks_seen_by(self.request.msp, self.may)  # type: ignore[attr-defined]
        return selectors.with_users(found.filter(closed_at__isnull=not closed))


class RateList(ListPage):
    """The rates of one deck: those that hold or will hold, unless the filter asks for others."""

    template = "voice/rating/deck.html"
    topic = "decks"
    columns = [
        Column("state", _("State"), kind="status", value=state_of_rate),
        Column("prefix", _("Code"), kind="code", value=code_of, sort=True),
        Column("destination", _("Destination"), sort=True),
        Column("per_minute", _("Per minute"), kind="money", currency="deck__currency", sort=True),
        Column("fee", _("Connection fee"), kind="money", currency="deck__currency", sort=True, card=False),
        Column(
            "steps", _("Minimum / increment"), value=steps_of, card=False, help=_("Seconds: at least, then in steps of")
        ),
        Column("begins", _("From"), kind="when", sort=True, card=False),
        Column("ends", _("Until"), kind="when", sort=True, card=False),
    ]
    filters = [
        Choice(
            "when",
            _("When"),
            [("now", _("In force now")), ("later", _("Later")), ("ended", _("Ended")), ("every", _("All times"))],
            apply=lambda found, _value: found,  # queryset() looks at it
        ),
        Choice("direction", _("Direction"), DIRECTIONS),
        Choice(
            "kind",
            _("Kind"),
            [("blocked", _("Blocked")), ("free", _("Price of 0")), ("callers", _("By caller"))],
            apply=lambda found, value: found.filter(  # type: ignore[arg-type]
                **{
                    "blocked": {"blocked": True},
                    "free": {"per_minute": 0, "blocked": False},
                    "callers": {"callers__gt": ""},
                }[value]
            ),
        ),
    ]
    search_label = _("Code, destination or a whole number")
    default_sort = "prefix"
    export_name, export_job = "rates", "rating.export"
    empty = Empty(_("No rates here yet."), _("Read a price list in, or set a single rate."), icon="table")

    def __init__(self, request: HttpRequest, deck: RateDeck, **context: Any) -> None:
        super().__init__(request, deck=deck, **context)
        self.deck = deck
        self.title = deck.name

    def queryset(self) -> QuerySet[DeckRate]:
        now, when = timezone.now(), self.request.GET.get("when", "")
        found = DeckRate.objects.filter(deck=self.deck).exclude(ends=F("begins"))
        found = found.select_related("deck", "version")
        if when == "ended":
            return found.filter(ends__lte=now)
        if when == "every":
            return found
        found = found.filter(Q(ends=None) | Q(ends__gt=now))
        return (
            found.filter(begins__lte=now)
            if when == "now"
            else found.filter(begins__gt=now)
            if when == "later"
            else found
        )

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        digits = digits_of(text)
        if not digits:
            return super_search(queryset, text)
        # A code finds what lies under it; a whole number finds the codes that begin it.
        return queryset.filter(
            Q(prefix__startswith=digits) | Q(prefix__in=[digits[:n] for n in range(len(digits) + 1)])
        )

    @property
    def can_search(self) -> bool:
        return True

    def export(self) -> HttpResponse:
        if self.found[EXPORT_AT_ONCE : EXPORT_AT_ONCE + 1].exists():
            query = self.request.GET.copy()
            query.pop("export", None)
            params = {"query": query.urlencode(), "deck": self.deck.pk}
            job = jobs.start(self.export_job, params, by=self.request.actor)  # type: ignore[attr-defined]
            return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))
        return super().export()


def super_search(queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Return the rates whose destination has every word."""
    for word in text.split()[:8]:
        queryset = queryset.filter(destination__icontains=word)
    return queryset


def digits_of(text: str) -> str:
    """Return the digits of what may be a code or a number, nothing where it is a name."""
    bare = text.strip().removeprefix("+").removeprefix("00")
    for sign in " -/().":
        bare = bare.replace(sign, "")
    return bare[:15] if bare.isascii() and bare.isdigit() else ""


class VersionList(ListPage):
    """The versions of one deck."""

    template = "voice/rating/versions.html"
    topic = "decks"
    columns = [
        Column("state", _("State"), kind="status", value=state_of_version),
        Column("number", _("Version"), kind="count", sort=True, link=version_url),
        Column("effective_from", _("In force from"), kind="when", sort=True),
        Column("summary", _("Changes"), value=lambda version: counts_of(version)),
        Column("note", _("Note"), card=False),
        Column("imported_by", _("By"), value=lambda row: person(row.imported_by), card=False),
        Column("created_at", _("Made"), kind="when", sort=True, card=False),
    ]
    filters = [
        Choice(
            "state",
            _("State"),
            [("draft", _("Draft")), ("active", _("Active")), ("discarded", _("Discarded"))],
        )
    ]
    search_fields = ["note", "imported_by"]
    default_sort = "-number"
    export_name = "deck-versions"
    empty = Empty(_("No versions yet."), _("Every price list that you read in is a version."), icon="versions")

    def __init__(self, request: HttpRequest, deck: RateDeck, **context: Any) -> None:
        super().__init__(request, deck=deck, **context)
        self.deck = deck
        self.title = _now("Versions of %(deck)s") % {"deck": deck.name}

    def queryset(self) -> QuerySet[DeckVersion]:
        return DeckVersion.objects.filter(deck=self.deck)


def counts_of(version: DeckVersion) -> str:
    """Return what a version changes, in few words."""
    counts = version.summary.get("counts", {})
    words = [f"{counts[each]:,} {label.lower()}" for each, label in DeckLine.Change.choices if counts.get(each)]
    return ", ".join(str(word) for word in words)


CHANGE_STATES = {
    "new": ("calm", "plus"),
    "up": ("bad", "arrow-up"),
    "down": ("good", "arrow-down"),
    "terms": ("calm", "adjustments"),
    "gone": ("wait", "x"),
}


def change_of(line: DeckLine) -> Status:
    """Return what happens to a code, with an alarm where it looks like a mistake."""
    tone, icon = CHANGE_STATES[line.change]
    detail = _now("look at it") if line.alarm else ""
    return Status(
        line.get_change_display(), "bad" if line.alarm else tone, "alert-triangle" if line.alarm else icon, detail
    )


def rise_of(line: DeckLine) -> str:
    """Return by how much a price changes, in percent."""
    if line.change not in ("up", "down"):
        return ""
    if line.rise == FROM_NOTHING:
        return _now("from 0")
    return f"{line.rise / 10:+,.1f} %"


def after_of(line: DeckLine) -> str:
    """Return what a call costs afterwards: the new price, or that of the shorter code that takes over."""
    currency = line.version.deck.currency
    if line.change != DeckLine.Change.GONE:
        return _now("blocked") if line.blocked else money(line.per_minute, currency)
    if line.falls_to is None:
        return _now("no rate")
    return _now("%(price)s by a shorter code") % {"price": money(line.falls_to, currency)}


def drawn_after(line: DeckLine) -> str:
    """Return the same for the page, where a remark stands below its price: side by side they would be too wide."""
    if line.change != DeckLine.Change.GONE or line.falls_to is None:
        return after_of(line)
    price = money(line.falls_to, line.version.deck.currency)
    return format_html("{}<br><small>{}</small>", price, _now("by a shorter code"))


class LineList(ListPage):
    """What a version changes, the worst first."""

    template = "voice/rating/version.html"
    topic = "decks"
    columns = [
        Column("change", _("Change"), kind="status", value=change_of),
        Column("prefix", _("Code"), kind="code", value=code_of, sort=True),
        Column("destination", _("Destination"), sort=True),
        Column("before", _("Now per minute"), kind="money", currency="version__deck__currency"),
        Column("per_minute", _("Then"), kind="count", value=after_of, draw=drawn_after),
        Column("rise", _("By"), kind="count", value=rise_of, sort=True),
        Column("steps", _("Minimum / increment"), value=steps_of, card=False),
        Column("begins", _("From"), kind="when", sort=True, card=False),
        Column(
            "row", _("Line"), kind="count", sort=True, card=False, value=lambda line: line.row or None,
            help=_("Of the file; none where a rate was set by hand."),
        ),
    ]  # fmt: skip
    filters = [
        Choice("change", _("Change"), DeckLine.Change.choices),
        Choice(
            "alarm", _("Mistakes"), [("1", _("Looks like a mistake"))], apply=lambda found, _v: found.filter(alarm=True)
        ),
    ]
    search_label = _("Code or destination")
    default_sort = "-rise"
    export_name, export_job = "deck-changes", "rating.export_lines"
    empty = Empty(_("Nothing changes."), _("The file says what the deck says."), icon="circle-check")

    def __init__(self, request: HttpRequest, version: DeckVersion, **context: Any) -> None:
        super().__init__(request, version=version, deck=version.deck, **context)
        self.version = version
        self.title = _now("%(deck)s, version %(number)d") % {"deck": version.deck.name, "number": version.number}

    def queryset(self) -> QuerySet[DeckLine]:
        return DeckLine.objects.filter(version=self.version).select_related("version__deck")

    search = RateList.search

    @property
    def can_search(self) -> bool:
        return True

    def export(self) -> HttpResponse:
        if self.found[EXPORT_AT_ONCE : EXPORT_AT_ONCE + 1].exists():
            query = self.request.GET.copy()
            query.pop("export", None)
            params = {"query": query.urlencode(), "version": self.version.pk}
            job = jobs.start(self.export_job, params, by=self.request.actor)  # type: ignore[attr-defined]
            return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))
        return super().export()


class ErrorList(ListPage):
    """The rows of a file that cannot be read."""

    template = "voice/rating/errors.html"
    columns = [
        Column("row", _("Line"), kind="count", sort=True),
        Column("column", _("Column"), sort=True),
        Column("value", _("What stands there"), kind="code"),
        Column("words", _("What is wrong")),
    ]
    search_fields = ["value", "words"]
    default_sort = "row"
    export_name = "rate-errors"
    empty = Empty(_("Every line is good."), icon="circle-check")

    def __init__(self, request: HttpRequest, file: DeckImport, **context: Any) -> None:
        super().__init__(request, file=file, version=file.version, deck=file.version.deck, **context)
        self.file = file
        self.title = _now("Lines of %(file)s that cannot be read") % {"file": file.name}

    def queryset(self) -> QuerySet[DeckImportError]:
        return self.file.errors.all()
