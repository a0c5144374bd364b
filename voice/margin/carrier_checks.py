"""Carriers' invoices: read and matched with our costs as a job, asked about where a file is not clear, decided."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core import audit, jobs
from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from voice.currencies.conversion import NoRate
from voice.currencies.selectors import rate_on
from voice.margin import carrier_files as files
from voice.margin import carrier_storing as storing
from voice.margin import carrier_totals as totals
from voice.margin.judging import findings, judge, summary, unit_of
from voice.margin.matching import Ours, Theirs, match
from voice.margin.models import CarrierFormat, CarrierInvoice
from voice.rating.files.columns import find_header, remembered
from voice.rating.files.figures import COMMA, DAY_FIRST, MONTH_FIRST, POINT, Evidence
from voice.rating.files.lines import Fault
from voice.rating.files.tables import MOST_BYTES, Row, Table, Unreadable, read_table
from voice.rating.money import UnknownCurrency, decimals, half_up

Stage = CarrierInvoice.Stage
SHOWN_ROWS = 8
MOST_FAULTS = 10_000
EVERY = 10_000
REMEMBERED = ("headings", "decimal", "dates", "sheet")
KEPT = ("zone", "currency", "time_tolerance", "seconds_tolerance")


@transaction.atomic
def start(invoice: CarrierInvoice, content: bytes, *, by: Actor) -> CarrierInvoice:
    """Take a carrier's file in and compare it with our costs in the background. Raises ValidationError."""
    if not content.strip():
        raise ValidationError(_("The file is empty."))
    if len(content) > MOST_BYTES:
        raise ValidationError(_("The file is larger than 20 MB. Split it."))
    if invoice.carrier.msp_id != invoice.msp_id:
        raise ValidationError({"carrier": _("You have no such carrier.")})
    invoice.name = invoice.name[:200].replace("\0", "")
    invoice.content, invoice.stage = content, Stage.CHECKING
    invoice.full_clean(exclude=["content"])
    invoice.save()
    _start(invoice, by)
    audit.record(by, "carrier_invoice.read", invoice, file=invoice.name)
    return invoice


def start_totals(
    invoice: CarrierInvoice, content: bytes, *, typed: bool, decimal: str = "", by: Actor
) -> CarrierInvoice:
    """Take in what a carrier asks by destination or in total, and compare it with our costs in the background.

    `typed` are lines that somebody wrote, otherwise it is a file. Raises ValidationError.
    """
    try:
        rows = _rows_of(content, typed=typed)
    except Unreadable as error:
        raise ValidationError(str(error)) from error
    if len(rows) > totals.MOST_LINES:
        raise ValidationError(_("These are more than 5,000 lines: check call records as such."))
    try:
        decimals(invoice.currency)
    except UnknownCurrency as error:
        raise ValidationError({"currency": str(error)}) from error
    shown = totals.amounts_of(rows)
    if not decimal and not shown.is_clear:
        raise ValidationError({"decimal": _("These amounts can be read in two ways: say which.")})
    decimal = decimal or (COMMA if shown.second else POINT)
    if not totals.read_totals(rows, decimal)[0]:
        raise ValidationError(_("There is no amount in it."))
    invoice.options = {"totals": True, "typed": typed, "decimal": decimal}
    return start(invoice, content, by=by)


@transaction.atomic
def read_again(invoice: CarrierInvoice, options: dict[str, Any], *, by: Actor, **facts: Any) -> CarrierInvoice:
    """Read the file as somebody said, and compare it with our costs as they are now. Raises ValidationError."""
    waiting = CarrierInvoice.objects.filter(pk=invoice.pk).exclude(stage=Stage.CHECKING)
    if not waiting.update(stage=Stage.CHECKING):
        raise ValidationError(_("This file is being worked on."))
    invoice.refresh_from_db()
    invoice.options = {**invoice.options, **options, "asked": []}
    # Whoever decides has to have seen what comes of it.
    invoice.row_version += 1
    for name in KEPT:
        setattr(invoice, name, facts.get(name, getattr(invoice, name)))
    invoice.full_clean(exclude=["content"])
    invoice.save(update_fields=["options", "row_version", *KEPT])
    _start(invoice, by)
    return invoice


def check(invoice: CarrierInvoice, progress: jobs.Progress) -> None:
    """Read the whole file, match its calls with ours and store what came of it."""
    if invoice.options.get("totals"):
        _check_totals(invoice, progress)
        return
    try:
        table = read_table(bytes(invoice.content), invoice.options.get("sheet", ""))
        if _settle(invoice, table):
            invoice.stage = Stage.ASKING
            invoice.save()
            return
        theirs, faults = _read(table, invoice, progress)
        if not theirs:
            raise Unreadable(_("There is no call in this file."))
        progress(len(theirs), len(theirs), _("Looking for your calls"))
        ours, known = _ours_in(invoice)
    except Unreadable as error:
        invoice.stage, invoice.message = Stage.FAILED, str(error)
        invoice.save()
        return
    progress(len(theirs), len(theirs), _("Comparing call by call"))
    matched = match(theirs, ours, invoice.time_tolerance * 1000)
    matched.ours = [each for each in matched.ours if _is_in(invoice, each)]
    unit = unit_of(each.micros for each in theirs)
    verdicts = judge(matched, invoice.seconds_tolerance, unit)
    invoice.summary = summary(verdicts) | {"findings": findings(matched.pairs, verdicts, unit), "unit": unit}
    invoice.difference = sum(each.difference for each in verdicts)
    invoice.total, invoice.bad = len(theirs), len(faults)
    invoice.stage, invoice.message = Stage.CHECKED, ""
    with transaction.atomic():
        storing.write_calls(invoice, verdicts, known)
        storing.write_faults(invoice, faults[:MOST_FAULTS])
        invoice.save()
        _remember(invoice)


@transaction.atomic
def decide(invoice: CarrierInvoice, state: str, note: str, *, by: Actor) -> CarrierInvoice:
    """Note that an invoice is disputed, accepted or open again. Raises ValidationError."""
    stored = _locked(invoice)
    if state != CarrierInvoice.State.OPEN and stored.stage != Stage.CHECKED:
        raise ValidationError(_("Compare the file with your calls first."))
    before = {"state": stored.state, "note": stored.note}
    stored.state, stored.note = state, note.strip()
    stored.row_version += 1
    stored.clean_fields(exclude=["content"])
    stored.validate_constraints()
    stored.save(update_fields=["state", "note", "row_version"])
    audit.record(by, f"carrier_invoice.{state}", stored, before=before, after={"state": state, "note": stored.note})
    return stored


@transaction.atomic
def remove(invoice: CarrierInvoice, *, by: Actor) -> None:
    """Drop a file with everything that came of it. Raises ValidationError where it was decided."""
    stored = _locked(invoice)
    if stored.state != CarrierInvoice.State.OPEN:
        raise ValidationError(_("It was decided already. Open it again first."))
    if stored.stage == Stage.CHECKING:
        raise ValidationError(_("This file is being worked on."))
    audit.record(by, "carrier_invoice.removed", stored, file=stored.name)
    stored.delete()


def _locked(invoice: CarrierInvoice) -> CarrierInvoice:
    """Return the stored row without its file, under lock; raises StaleEdit where somebody changed it meanwhile."""
    stored = CarrierInvoice.objects.select_for_update(of=("self",)).defer("content").filter(pk=invoice.pk).first()
    if stored is None or stored.row_version != invoice.row_version:
        raise StaleEdit(invoice)
    return stored


def _start(invoice: CarrierInvoice, by: Actor) -> None:
    invoice.job_id = jobs.start("margin.check", {"invoice": invoice.pk}, by).pk
    invoice.save(update_fields=["job_id"])


def _settle(invoice: CarrierInvoice, table: Table) -> list[str]:
    """Note how the file is to be read; return what only a person can say."""
    options = invoice.options
    kept = CarrierFormat.objects.filter(carrier=invoice.carrier_id).values_list("options", flat=True).first() or {}
    if options.get("columns") is None:
        header, columns = find_header(table.rows, (), files.NAMES, files.NEEDED)
        for place, (_number, cells) in enumerate(table.rows[:SHOWN_ROWS]):
            known = kept.get("headings", {})
            same = remembered(cells or [], known)
            if same and len(same) == len(known):
                header, columns = place, same
                break
        options |= {"header": header, "columns": columns}
    options["sheet"], options["sheets"] = table.sheet, table.sheets
    header, columns = options["header"], options["columns"]
    top = max(header, 0)
    options["sample"] = [list(cells or []) for _number, cells in table.rows[top : top + SHOWN_ROWS]]
    headings = table.rows[header][1] or [] if 0 <= header < len(table.rows) else []
    options["headings"] = {name: headings[place] for name, place in columns.items() if place < len(headings)}
    asked = ["columns"] if files.lacking(columns) else []
    if not asked:
        amounts = files.amounts_of(table.rows, columns, header)
        asked += _decide(options, kept, "decimal", amounts, (POINT, COMMA))
        asked += _decide(options, kept, "dates", files.dates_of(table.rows, columns, header), (DAY_FIRST, MONTH_FIRST))
    options["asked"] = asked
    return asked


def _decide(
    options: dict[str, Any], kept: dict[str, Any], name: str, shown: Evidence, ways: tuple[str, str]
) -> list[str]:
    options[f"{name}_shown"] = [shown.first, shown.second, shown.either]
    if options.get(name) in ways:
        return []
    if shown.is_clear:
        options[f"{name}_found"] = ways[1] if shown.second else ways[0]
        return []
    # What the carrier's last file was settled to holds where this one does not speak against it.
    if kept.get(name) in ways and not (shown.first and shown.second):
        options[f"{name}_found"] = kept[name]
        return []
    return [name]


def _read(table: Table, invoice: CarrierInvoice, progress: jobs.Progress) -> tuple[list[Theirs], list[Fault]]:
    options = invoice.options
    plan = files.Plan(
        options["columns"], ZoneInfo(invoice.zone), invoice.currency,
        options.get("decimal") or options["decimal_found"], options.get("dates") or options["dates_found"],
        options["header"],
    )  # fmt: skip
    theirs: list[Theirs] = []
    faults: list[Fault] = []
    total = len(table.rows)
    for count, each in enumerate(files.read_calls(table.rows, plan)):
        if isinstance(each, Fault):
            faults.append(each)
        else:
            theirs.append(each)
        if count % EVERY == 0:
            progress(min(count, total), total, _("Reading the file"))
    return theirs, faults


def _ours_in(invoice: CarrierInvoice) -> tuple[list[Ours], list[storing.Known]]:
    """Return our calls with their costs in the invoice's currency; raises Unreadable where no rate leads there."""
    ours, known = storing.ours_of(invoice)
    ways = {currency: _way(currency, invoice) for currency in {each.currency for each in known if each.currency}}
    converted = [
        replace_micros(each, ways[owner.currency]) if owner.currency and ways[owner.currency] != 1 else each
        for each, owner in zip(ours, known, strict=True)
    ]
    return converted, known


def replace_micros(call: Ours, way: Any) -> Ours:
    """Return a call with its cost in another currency, rounded once."""
    exact = call.micros * way
    return call._replace(micros=half_up(exact.numerator, exact.denominator))


def _check_totals(invoice: CarrierInvoice, progress: jobs.Progress) -> None:
    progress(0, 1, _("Adding up your costs"))
    try:
        rows = _rows_of(bytes(invoice.content), typed=invoice.options["typed"])
        asked, faults = totals.read_totals(rows, invoice.options["decimal"])
        ours = _costs_in(invoice)
    except Unreadable as error:
        invoice.stage, invoice.message = Stage.FAILED, str(error)
        invoice.save()
        return
    held = totals.compare(asked, ours, _coin(invoice.currency))
    invoice.summary = totals.summary_of(held)
    invoice.difference = sum(each.difference for each in held)
    invoice.total, invoice.bad = len(asked), len(faults)
    invoice.stage, invoice.message = Stage.CHECKED, ""
    with transaction.atomic():
        storing.write_destinations(invoice, held)
        storing.write_faults(invoice, faults[:MOST_FAULTS])
        invoice.save()


def _coin(currency: str) -> int:
    return int(10 ** (6 - decimals(currency)))


def _rows_of(content: bytes, *, typed: bool) -> list[Row]:
    return totals.typed_rows(content.decode(errors="replace")) if typed else read_table(content).rows


def _costs_in(invoice: CarrierInvoice) -> dict[str, int]:
    """Return our costs by destination in the invoice's currency; raises Unreadable where no rate leads there."""
    found: dict[str, int] = {}
    for destination, currency, micros in storing.costs_of(invoice):
        exact = _way(currency, invoice) * micros if currency else micros
        found[destination] = found.get(destination, 0) + half_up(exact.numerator, exact.denominator)
    return found


def _way(currency: str, invoice: CarrierInvoice) -> Any:
    """Return what an amount of one unit is in the invoice's currency; raises Unreadable where no rate leads there."""
    try:
        return rate_on(currency, invoice.currency, invoice.ends).exact(1)
    except NoRate as error:
        words = _("Your costs over this carrier's trunks are in %(ours)s, the file is in %(theirs)s.")
        told = words % {"ours": currency, "theirs": invoice.currency}
        raise Unreadable(f"{told} {error}") from error


def _is_in(invoice: CarrierInvoice, call: Ours) -> bool:
    begins, ends = storing.period_of(invoice)
    return begins <= datetime.fromtimestamp(call.at / 1000, UTC) < ends


def _remember(invoice: CarrierInvoice) -> None:
    options = invoice.options
    told = {name: options[name] for name in REMEMBERED if options.get(name)}
    for name in ("decimal", "dates"):
        told.setdefault(name, options.get(f"{name}_found", ""))
    told |= {name: getattr(invoice, name) for name in KEPT}
    CarrierFormat.objects.update_or_create(
        carrier_id=invoice.carrier_id, defaults={"msp_id": invoice.msp_id, "options": told}
    )
