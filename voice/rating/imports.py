"""Files of rates: read and compared as a job, asked about where they are not clear, activated when somebody says so.

A draft keeps what it would change as rows, so that the comparison can be searched and activating it is two statements.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.core import jobs
from portal.core.audit import Actor
from portal.db import contexts
from tenants.models import Msp
from voice.rating import services, storing
from voice.rating.comparing import Change, ChangeKind, Comparison, compare
from voice.rating.files.columns import NEEDED, find_header
from voice.rating.files.figures import COMMA, DAY_FIRST, MONTH_FIRST, POINT, Evidence
from voice.rating.files.lines import Fault, Line, Plan, Terms, amounts_of, dates_of, read_lines
from voice.rating.files.tables import MOST_BYTES, Table, Unreadable, read_table
from voice.rating.losses import losses, lost_countries
from voice.rating.mappings import REMEMBERED, Way, read_before, unused, ways_alike, ways_of
from voice.rating.models import DeckImport, DeckImportError, DeckLine, DeckVersion, RateDeck
from voice.rating.models.decks import DRAFTS_KEPT
from voice.rating.ranking import typical_seconds
from voice.rating.typical import TypicalCall

State = DeckImport.State
SHOWN_ROWS = 8
SHOWN_LOSSES, SHOWN_LAPSES = 20, 5
MOST_FAULTS = 10_000
EVERY = 5_000
# A full file that lacks more than this share of the deck's codes may be a part of one.
MUCH_GONE = 0.2


def start_import(
    deck: RateDeck,
    name: str,
    content: bytes,
    *,
    at: datetime,
    full: bool,
    by: Actor,
    note: str = "",
    options: dict[str, Any] | None = None,
) -> DeckImport:
    """Take a file in as the draft of the deck's next version and look at it in the background.

    Raises ValidationError.
    """
    if not content.strip():
        raise ValidationError(_("The file is empty."))
    if len(content) > MOST_BYTES:
        raise ValidationError(_("The file is larger than 20 MB. Split it."))
    with transaction.atomic():
        stored = services.open_deck(deck)
        version = services.new_version(stored, at=at, by=by, note=note, full=full)
        file = DeckImport(
            msp_id=deck.msp_id, version=version, name=name[:200].replace("\0", ""), content=content,
            options=options or {}, state=State.CHECKING,
        )  # fmt: skip
        file.save()
        _start(file, "rating.check", by)
        services.note(stored, "file_read", by=by, file=file.name, version=version.number)
    return file


@transaction.atomic
def read_again(file: DeckImport, options: dict[str, Any], *, by: Actor) -> DeckImport:
    """Read the file as somebody said, and compare it with the deck as it is now."""
    _claim(file, (State.ASKING, State.CHECKED, State.FAILED), State.CHECKING)
    # Whoever says what the columns are has seen what is not among them.
    seen: dict[str, Any] = {"lacking": []} if "columns" in options else {}
    file.options = {**file.options, **options, **seen, "asked": []}
    file.save(update_fields=["options"])
    _start(file, "rating.check", by)
    return file


def check(file: DeckImport, progress: jobs.Progress) -> None:
    """Read the whole file and compare it with the deck: kept as lines and errors, nothing of it in force."""
    version = file.version
    deck = version.deck
    try:
        table = read_table(bytes(file.content), file.options.get("sheet", ""))
        questions = _settle(file, table, deck)
        if questions:
            file.state = State.ASKING
            file.save()
            return
        lines, faults = _read(table, _plan(file, deck), progress)
    except Unreadable as error:
        file.state, file.message = State.FAILED, str(error)
        file.save()
        return
    file.compared_with = deck.row_version
    progress(len(lines), len(lines), _("Comparing with the deck"))
    found = compare(
        storing.running(deck, version.effective_from), lines, version.effective_from,
        full=version.full, keep={code for fault in faults for code in fault.codes},
    )  # fmt: skip
    version.summary = _summary(deck, version, found)
    file.good, file.bad = len(lines), len(faults)
    file.total = file.good + file.bad
    file.state, file.message = State.CHECKED, ""
    if not lines:
        file.state, file.message = State.FAILED, _("There is no rate in this file.")
    with transaction.atomic():
        storing.write_changes(version, found.changes)
        storing.write_faults(file, faults[:MOST_FAULTS])
        version.save(update_fields=["summary"])
        file.save()


@transaction.atomic
def confirm(file: DeckImport, *, accept: bool, by: Actor) -> DeckImport:
    """Have a checked draft activated in the background; `accept` says that its warnings and errors were looked at.

    Raises ValidationError.
    """
    deck = services.open_deck(file.version.deck)
    _claim(file, (State.CHECKED,), State.ACTIVATING)
    if file.compared_with != deck.row_version:
        raise ValidationError(_("The deck has changed since this file was compared. Compare it again."))
    if not DeckLine.objects.filter(version=file.version).exists():
        raise ValidationError(_("This file changes nothing in the deck."))
    if not accept and (warnings(file) or file.bad):
        raise ValidationError(_("Look at the warnings first, and say that you want it nevertheless."))
    _start(file, "rating.activate", by)
    return file


@transaction.atomic
def activate(file: DeckImport, *, by: Actor) -> DeckVersion:
    """Make a confirmed draft a part of its deck, and remember how its file was read.

    Raises ValidationError.
    """
    deck = services.open_deck(file.version.deck)
    file = DeckImport.objects.select_related("version").get(pk=file.pk)
    if file.version.state != DeckVersion.State.DRAFT:
        raise ValidationError(_("This version is no draft any more."))
    if file.compared_with != deck.row_version:
        raise ValidationError(_("The deck has changed since this file was compared. Compare it again."))
    options = file.options
    deck.mapping = {name: options[name] for name in REMEMBERED if name in options}
    version = services.activate(file.version, deck, by=by)
    # The file has done its work; what it brought is in the deck, its comparison and the audit log.
    file.state, file.content = State.DONE, b""
    file.save(update_fields=["state", "content"])
    return version


@transaction.atomic
def discard(version: DeckVersion, *, by: Actor) -> None:
    """Drop a draft: nothing of it reaches the deck. Raises ValidationError when it is a draft no more."""
    # Whoever activates holds the deck, too: a version is dropped before that or not at all.
    services.open_deck(version.deck)
    dropped = DeckVersion.objects.filter(pk=version.pk, state=DeckVersion.State.DRAFT)
    if not dropped.update(state=DeckVersion.State.DISCARDED):
        raise ValidationError(_("This version is no draft any more."))
    DeckLine.objects.filter(version=version).delete()
    DeckImportError.objects.filter(batch__version=version).delete()
    DeckImport.objects.filter(version=version).update(content=b"", state=State.DONE)
    services.note(version.deck, "version_discarded", by=by, version=version.number)


def expire_drafts(at: datetime, *, by: Actor) -> int:
    """Drop the drafts of all MSPs that nobody activated in their time, and return how many."""
    with contexts.public():
        msps = list(Msp.objects.all())
    count = 0
    for msp in msps:
        with contexts.msp(msp):
            drafts = DeckVersion.objects.filter(msp=msp, state=DeckVersion.State.DRAFT, created_at__lt=at - DRAFTS_KEPT)
            for version in drafts.select_related("deck"):
                try:
                    discard(version, by=by)
                except ValidationError:
                    # Activated at this moment, or of a deck that was closed: nothing is left to drop.
                    continue
                count += 1
    return count


def warnings(file: DeckImport, *, costs: bool = True) -> list[str]:
    """Return in words what somebody has to look at before the draft is activated, with `costs` or without."""
    version, said = file.version, file.version.summary
    found = []
    if said.get("jumps"):
        words = ngettext(
            "%(n)s price is ten times what it was, or a tenth of that.",
            "%(n)s prices are ten times what they were, or a tenth of that.",
            said["jumps"],
        )
        found.append(words % {"n": f"{said['jumps']:,}"})
    if said.get("lost"):
        words = _("There is no price any more for any number that begins with %(codes)s.")
        found.append(words % {"codes": ", ".join(f"+{code}" for code in said["lost"])})
    if said.get("holes"):
        words = ngettext(
            "%(n)s code is gone and no shorter code takes its calls: such calls would have no rate.",
            "%(n)s codes are gone and no shorter code takes their calls: such calls would have no rate.",
            said["holes"],
        )
        found.append(words % {"n": f"{said['holes']:,}"})
    if said.get("lapses", {}).get("count"):
        found.append(_words_of_lapses(said["lapses"]))
    if said.get("much_gone"):
        found.append(_("More than a fifth of the deck's codes are gone. Is this file only a part of the deck?"))
    if costs and said.get("losses", {}).get("count"):
        words = ngettext(
            "At %(n)s code calls would be sold for less than they cost by the cheapest buying deck.",
            "At %(n)s codes calls would be sold for less than they cost by the cheapest buying deck.",
            said["losses"]["count"],
        )
        found.append(words % {"n": f"{said['losses']['count']:,}"})
    if version.effective_from < timezone.now() and version.number > 1:
        found.append(_("It holds from a moment that has passed: calls since then keep their price until rated again."))
    return found


def _words_of_lapses(said: dict[str, Any]) -> str:
    codes = ", ".join(
        f"+{each['code']} ({date_format(date.fromisoformat(each['day']), 'j M Y')})" for each in said["first"]
    )
    words = ngettext(
        "%(n)s code that has a price now has none from a day on, for what the file says ends then and nothing"
        " follows: %(codes)s. Calls go to a shorter code from then on, and for %(holes)s of these codes there is none.",
        "%(n)s codes that have a price now have none from a day on, for what the file says ends then and nothing"
        " follows: %(codes)s. Calls go to a shorter code from then on, and for %(holes)s of these codes there is none.",
        said["count"],
    )
    return words % {"n": f"{said['count']:,}", "holes": f"{said['holes']:,}", "codes": codes}


def _claim(file: DeckImport, states: Sequence[str], state: str) -> None:
    drafts = DeckImport.objects.filter(pk=file.pk, state__in=states, version__state=DeckVersion.State.DRAFT)
    if not drafts.update(state=state):
        raise ValidationError(_("This file is being worked on, or it was activated or discarded already."))
    file.refresh_from_db()


def _start(file: DeckImport, kind: str, by: Actor) -> None:
    file.job_id = jobs.start(kind, {"file": file.pk}, by).pk
    file.save(update_fields=["job_id"])


def _settle(file: DeckImport, table: Table, deck: RateDeck) -> list[str]:
    """Note how the file is to be read; return what only a person can say."""
    options = file.options
    bands = sorted({window["band"] for window in (deck.bands or {}).get("windows", [])})
    way: Way = {}
    if options.get("columns") is None:
        header, columns = find_header(table.rows, bands)
        before = read_before(table.rows[:SHOWN_ROWS], ways_of(deck), bands)
        if before is None and not all(name in columns for name in NEEDED):
            before = read_before(table.rows[:SHOWN_ROWS], ways_alike(deck), bands)
        lacking: list[str] = []
        if before is not None:
            header, columns, way, lacking = before.header, before.columns, before.way, before.lacking
        options |= {"header": header, "columns": columns, "lacking": lacking}
    for name, default in (("increments", "1/1"), ("direction", "out")):
        options.setdefault(name, deck.mapping.get(name, way.get(name, default)))
    options["sheet"], options["sheets"] = table.sheet, table.sheets
    header, columns = options["header"], options["columns"]
    options["sample"] = [
        list(cells or []) for _number, cells in table.rows[max(header, 0) : max(header, 0) + SHOWN_ROWS]
    ]
    headings = table.rows[header][1] or [] if 0 <= header < len(table.rows) else []
    options["headings"] = {name: headings[place] for name, place in columns.items() if place < len(headings)}
    options["unused"] = unused(headings, columns, bands)
    asked = [] if all(name in columns for name in NEEDED) and not options.get("lacking") else ["columns"]
    if not asked:
        amounts, dates = amounts_of(table.rows, columns, header), dates_of(table.rows, columns, header)
        asked += _decide(options, "decimal", amounts, (POINT, COMMA))
        asked += _decide(options, "dates", dates, (DAY_FIRST, MONTH_FIRST))
    options["asked"] = asked
    return asked


def _decide(options: dict[str, Any], name: str, shown: Evidence, ways: tuple[str, str]) -> list[str]:
    options[f"{name}_shown"] = [shown.first, shown.second, shown.either]
    if options.get(name) in ways:
        return []
    if not shown.is_clear:
        return [name]
    options[f"{name}_found"] = ways[1] if shown.second else ways[0]
    return []


def _plan(file: DeckImport, deck: RateDeck) -> Plan:
    options = file.options
    minimum, _slash, increment = options["increments"].partition("/")
    return Plan(
        options["columns"], deck.tzinfo, deck.currency, options.get("decimal") or options["decimal_found"],
        options.get("dates") or options["dates_found"], int(minimum), int(increment), options["direction"],
        options["header"],
    )  # fmt: skip


def _read(table: Table, plan: Plan, progress: jobs.Progress) -> tuple[list[Line], list[Fault]]:
    lines: list[Line] = []
    faults: list[Fault] = []
    total = len(table.rows)
    for count, each in enumerate(read_lines(table.rows, plan)):
        if isinstance(each, Fault):
            faults.append(each)
        else:
            lines.append(each)
        if count % EVERY == 0:
            progress(min(count, total), total, _("Reading the file"))
        if len(lines) > MOST_RATES:
            raise Unreadable(
                _("The codes of this file come to more than %(most)s rates.") % {"most": f"{MOST_RATES:,}"}
            )
    return lines, faults


MOST_RATES = 1_000_000


def _summary(deck: RateDeck, version: DeckVersion, found: Comparison) -> dict[str, Any]:
    gone = [change for change in found.changes if change.kind is ChangeKind.GONE]
    was = found.same + len(gone) + found.counts["up"] + found.counts["down"] + found.counts["terms"]
    sold, skipped = _losses(deck, version, found.after)
    return {
        "counts": found.counts,
        "same": found.same,
        "jumps": found.jumps,
        "holes": sum(change.alarm for change in gone),
        "lost": lost_countries(_ordinary(gone), found.after),
        "lapses": _lapses(found, deck),
        "much_gone": bool(was) and len(gone) / was > MUCH_GONE,
        "losses": sold,
        "not_compared": skipped,
    }


def _lapses(found: Comparison, deck: RateDeck) -> dict[str, Any]:
    """Return how many codes have no price of their own after a day, and which of them first."""
    lapses = sorted(found.lapses, key=lambda lapse: (lapse.ends, lapse.key))
    first = [
        {"code": lapse.key[1], "day": f"{lapse.ends.astimezone(deck.tzinfo):%Y-%m-%d}"}
        for lapse in lapses[:SHOWN_LAPSES]
    ]
    return {"count": len(lapses), "holes": sum(lapse.falls_to is None for lapse in lapses), "first": first}


def _ordinary(gone: Sequence[Change]) -> list[str]:
    return [each.key[1] for each in gone if each.key[0] == "out" and not each.key[2] and not each.terms.blocked]


def _losses(deck: RateDeck, version: DeckVersion, after: dict[str, Terms]) -> tuple[dict[str, Any], list[str]]:
    """Return where the MSP would sell below cost, and the decks of other currencies, which are not compared."""
    call = TypicalCall(typical_seconds(deck.msp_id), deck.currency)
    decks = RateDeck.objects.filter(msp_id=deck.msp_id, closed_at=None).order_by("name")
    compared = [each for each in decks if each.currency == deck.currency]

    def costs(each: RateDeck) -> tuple[str, dict[str, int]]:
        asked = after if each.pk == deck.pk else storing.asked(each, version.effective_from)
        return each.name, call.costs(asked, each.currency)

    is_sold_by = deck.kind == RateDeck.Kind.SELL
    sells = [costs(deck)] if is_sold_by else [costs(each) for each in compared if each.kind == RateDeck.Kind.SELL]
    # The cheapest of all carriers decides, also where this deck is one of theirs.
    found = losses(sells, [costs(each) for each in compared if each.kind == RateDeck.Kind.BUY])
    worst = [asdict(loss) for loss in found[:SHOWN_LOSSES]]
    skipped = [each.name for each in decks if each.kind != deck.kind and each.currency != deck.currency]
    return {"count": len(found), "worst": worst, "seconds": call.seconds}, skipped
