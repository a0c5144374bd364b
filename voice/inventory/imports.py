"""Bringing numbers into the stock: checked as a job, shown, and stored only when somebody confirms."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core import audit, jobs
from portal.core.audit import Actor
from portal.core.models import Job
from tenants.models import Msp
from voice.inventory import selectors
from voice.inventory.models import StockImport, StockImportError, StockNumber
from voice.inventory.parsing import Fault, Row, Unreadable, parse

MOST_BYTES = 20 * 1024 * 1024
BATCH = 5_000
FOUND = ("state", "message", "total", "good", "bad")
State = StockImport.State
# The layers beside this one are known by name only.
Carrier: type[Any] = StockNumber._meta.get_field("carrier").related_model


def start_import(draft: StockImport, *, by: Actor) -> StockImport:
    """Take a file or range in, and check it in the background; nothing reaches the stock yet."""
    if not bytes(draft.content).strip():
        raise ValidationError(_("The file is empty."))
    if len(draft.content) > MOST_BYTES:
        raise ValidationError(_("The file is larger than 20 MB. Split it."))
    draft.created_by = by.email
    draft.full_clean()
    with transaction.atomic():
        draft.save()
        draft.job_id = jobs.start("inventory.check", {"import": draft.pk}, by).pk
        draft.save(update_fields=["job_id"])
    return draft


def check_import(draft: StockImport, progress: jobs.Progress) -> None:
    """Read the whole file and keep every line's error; the numbers that are good are counted, not stored."""
    draft.errors.all().delete()
    draft.total = draft.good = draft.bad = 0
    lines = max(bytes(draft.content).count(mark) for mark in (b"\n", b"\r")) + 1
    try:
        for batch in _batches(parse(bytes(draft.content), draft.default_country)):
            faults = [each for each in batch if isinstance(each, Fault)]
            good, refused = _sorted_out(draft.msp, [each for each in batch if isinstance(each, Row)])
            _keep_errors(draft, faults + refused)
            draft.total += len(batch)
            draft.good += len(good)
            draft.bad += len(faults) + len(refused)
            progress(draft.total, max(lines, draft.total))
        draft.state, draft.message = State.CHECKED, ""
        if not draft.total:
            draft.state, draft.message = State.FAILED, _("There are no numbers in this file.")
    except Unreadable as error:
        draft.state, draft.message = State.FAILED, str(error)
    # Dropped meanwhile, or checked again because this worker was taken for dead: what it found is nobody's.
    mine = StockImport.objects.filter(pk=draft.pk, state=State.CHECKING, job_id=draft.job_id)
    mine.update(**{name: getattr(draft, name) for name in FOUND})


@transaction.atomic
def check_again(draft: StockImport, *, by: Actor) -> StockImport:
    """Check an import once more whose check came to nothing."""
    if not StockImport.objects.filter(pk=draft.pk, state=State.FAILED).update(state=State.CHECKING, message=""):
        raise ValidationError(_("This import is being worked on, or it was checked already."))
    draft.refresh_from_db()
    draft.job_id = jobs.start("inventory.check", {"import": draft.pk}, by).pk
    draft.save(update_fields=["job_id"])
    return draft


def check_stopped(job: Job) -> None:
    """Let somebody check an import again whose check came to nothing."""
    words = _("The check was stopped before it came to the end. Check it again.")
    StockImport.objects.filter(job_id=job.pk, state=State.CHECKING).update(state=State.FAILED, message=words)


@transaction.atomic
def confirm_import(draft: StockImport, *, by: Actor) -> StockImport:
    """Have the good numbers of a checked import stored; the lines with errors are left out."""
    claimed = StockImport.objects.filter(pk=draft.pk, state=State.CHECKED).update(state=State.IMPORTING, message="")
    if not claimed:
        raise ValidationError(_("This import was already confirmed or cancelled."))
    draft.refresh_from_db()
    if not draft.good:
        raise ValidationError(_("There is no number in this file that could be imported."))
    draft.job_id = jobs.start("inventory.store", {"import": draft.pk}, by).pk
    draft.save(update_fields=["job_id"])
    return draft


@transaction.atomic
def store_import(draft: StockImport, progress: jobs.Progress, *, by: Actor) -> None:
    """Store the good numbers, all or none; a number that somebody added meanwhile is left out and reported."""
    mine = StockImport.objects.filter(pk=draft.pk, state__in=(State.CHECKED, State.IMPORTING), job_id=draft.job_id)
    if not mine.select_for_update(no_key=True).only("pk"):
        raise ValidationError(_("This import was stored or dropped already."))
    carriers = {name.lower(): pk for pk, name in Carrier.objects.filter(msp=draft.msp).values_list("pk", "name")}
    for batch in _batches(parse(bytes(draft.content), draft.default_country)):
        good, _refused = _sorted_out(draft.msp, [each for each in batch if isinstance(each, Row)])
        numbers = [
            StockNumber(
                msp=draft.msp,
                e164=row.e164,
                country=row.country,
                kind=row.kind,
                carrier_id=carriers.get(row.carrier.lower(), draft.carrier_id),
                monthly_cost=row.monthly_cost,
            )
            for row in good
        ]
        before = StockNumber.objects.filter(msp=draft.msp).count()
        StockNumber.objects.bulk_create(numbers, ignore_conflicts=True)
        draft.stored += StockNumber.objects.filter(msp=draft.msp).count() - before
        progress(draft.stored, draft.good)
    draft.state = State.DONE
    # The file has done its work; what it brought is in the stock and in the audit log.
    draft.content = b""
    draft.save()
    audit.record(by, "stock.imported", draft, file=draft.name, stored=draft.stored, left_out=draft.total - draft.stored)


def storing_stopped(job: Job) -> None:
    """Let somebody confirm an import again whose storing came to nothing: it stores all or none."""
    words = _("Storing was stopped before it came to the end, and nothing of it reached the stock. Import it again.")
    StockImport.objects.filter(job_id=job.pk, state=State.IMPORTING).update(state=State.CHECKED, message=words)


@transaction.atomic
def cancel_import(draft: StockImport, *, by: Actor) -> None:
    """Drop an import that was not confirmed."""
    waiting = StockImport.objects.filter(pk=draft.pk, state__in=[State.CHECKING, State.CHECKED, State.FAILED])
    if not waiting.update(state=State.CANCELLED, content=b""):
        raise ValidationError(_("This import was already confirmed or cancelled."))
    audit.record(by, "stock.import_cancelled", draft, file=draft.name)


def _batches(found: Iterator[Row | Fault]) -> Iterator[list[Row | Fault]]:
    while batch := list(islice(found, BATCH)):
        yield batch


def _sorted_out(msp: Msp, rows: Sequence[Row]) -> tuple[list[Row], list[Fault]]:
    """Return the rows that can be stored, and in words why each other cannot."""
    e164s = [row.e164 for row in rows]
    own = set(StockNumber.objects.filter(msp=msp, e164__in=e164s).values_list("e164", flat=True))
    taken = selectors.taken(e164s)
    names = {name.lower() for name in Carrier.objects.filter(msp=msp).values_list("name", flat=True)}
    good, refused = [], []
    for row in rows:
        if row.e164 in own:
            refused.append(Fault(row.row, "number", row.e164, _("This number is in your stock already.")))
        elif row.e164 in taken:
            # Whose it is stays unsaid: an MSP must not learn what another one has.
            words = _("This number cannot be added. If it is yours, ask the operator to check it.")
            refused.append(Fault(row.row, "number", row.e164, words))
        elif row.carrier and row.carrier.lower() not in names:
            refused.append(Fault(row.row, "carrier", row.carrier, _("You have no carrier with this name.")))
        else:
            good.append(row)
    return good, refused


def _keep_errors(draft: StockImport, faults: Sequence[Fault]) -> None:
    StockImportError.objects.bulk_create(
        StockImportError(
            msp=draft.msp, batch=draft, row=each.row, column=each.column, value=each.value, words=each.words
        )
        for each in faults
    )
