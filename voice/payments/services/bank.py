"""Bank statements: imported once, entry by entry booked as a payment or a reversal, or set aside with a reason."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core import audit, jobs
from portal.core.audit import Actor
from portal.core.models import Job
from tenants.models import Customer, Msp
from voice.payments import camt, selectors
from voice.payments.matching import Books, Suggestion, suggest
from voice.payments.models import BankEntry, BankStatement
from voice.payments.services.dunning import resume_if_paid
from voice.receivables.models import Invoice, LegalEntity, Payment, Reversal
from voice.receivables.references import grouped
from voice.receivables.services import record_payment, reverse_payment

State = BankEntry.State
LONGEST_REFERENCE = 120


def start_import(entity: LegalEntity, name: str, content: bytes, *, by: Actor) -> Job:
    """Begin to import a file in the background; raises ValidationError where its beginning is no statement's."""
    try:
        camt.glance(content)
    except camt.UnreadableStatement as error:
        raise ValidationError({"file": str(error)})
    file = (name[:200] or "statement.xml", "application/xml", content)
    return jobs.start("payments.import", {"entity": entity.pk}, by, file=file)


@transaction.atomic
def import_statements(
    entity: LegalEntity, content: bytes, *, by: Actor, told: jobs.Progress = lambda *_args: None
) -> list[BankStatement]:
    """Store the statements of a file that are not here yet, each entry once; raises ValidationError in words."""
    told(0, None, _("Reading the file"))
    try:
        read = camt.read(content)
    except camt.UnreadableStatement as error:
        raise ValidationError({"file": str(error)})
    for each in read:
        if not entity.iban or each.iban != entity.iban:
            raise ValidationError(
                {"file": _("Statement %(name)s is of the account %(iban)s, and %(entity)s has %(own)s.")
                 % {"name": each.name, "iban": grouped(each.iban), "entity": entity,
                    "own": grouped(entity.iban) or _("none")}}
            )  # fmt: skip
    # Two who import the same file at once take turns.
    LegalEntity.objects.select_for_update(of=("self",)).get(pk=entity.pk)
    stored, done, total = list[BankStatement](), 0, sum(len(each.movements) for each in read)
    for each in read:
        told(done, total, _("Storing the entries"))
        statement = _store(entity, each)
        stored += [statement] if statement else []
        done += len(each.movements)
    told(done, total, _("Storing the entries"))
    if not stored:
        raise ValidationError({"file": _("This statement is imported already: nothing was booked twice.")})
    for statement in stored:
        audit.record(by, "bank_statement.imported", statement, entries=statement.entries.count(), iban=statement.iban)
    return stored


def _store(entity: LegalEntity, read: camt.Statement) -> BankStatement | None:
    names = {"entity": entity, "iban": read.iban, "name": read.name, "begins": read.begins}
    if BankStatement.objects.filter(**names).exists():
        return None
    statement = BankStatement.objects.create(
        **names, msp_id=entity.msp_id, currency=read.currency, ends=read.ends, opening=read.opening,
        closing=read.closing,
    )  # fmt: skip
    entries = [
        BankEntry(
            msp_id=entity.msp_id, entity=entity, statement=statement, key=move.key, booked_on=move.booked_on,
            currency=read.currency, amount=move.amount, payer=move.payer, payer_iban=move.payer_iban,
            structured=move.structured, text=move.text, end_to_end=move.end_to_end, return_reason=move.return_reason,
        )
        for move in read.movements
    ]  # fmt: skip
    # Statements overlap at some banks: an entry that came with an earlier one stays where it is.
    known = set(BankEntry.objects.filter(entity=entity, key__in=[e.key for e in entries]).values_list("key", flat=True))
    BankEntry.objects.bulk_create([entry for entry in entries if entry.key not in known])
    return statement


@transaction.atomic
def book_in(entry: BankEntry, customer: Customer, *, invoices: Sequence[Invoice] = (), by: Actor) -> Payment:
    """Book money that came in as a customer's payment, for these invoices before the oldest ones."""
    entry = _open(entry)
    if entry.amount < 0:
        raise ValidationError(_("This went out: choose the payment that it takes back."))
    if customer.msp_id != entry.msp_id:
        raise ValidationError(_("Choose one of your own customers."))
    payment = Payment(
        msp_id=entry.msp_id, tenant=customer, entity=entry.entity, currency=entry.currency, amount=entry.amount,
        received_on=entry.booked_on, method=Payment.Method.TRANSFER, reference=_reference(entry),
    )  # fmt: skip
    entry.payment = record_payment(payment, invoices=invoices, by=by)
    entry.state, entry.tenant = State.BOOKED, customer
    entry.save(update_fields=["payment", "state", "tenant"])
    resume_if_paid(customer.pk, by=by)
    return payment


@transaction.atomic
def book_out(entry: BankEntry, payment: Payment, *, by: Actor) -> Reversal:
    """Book money that went out as the return of a payment, or of a part of it: it is owed again."""
    entry = _open(entry)
    if entry.amount > 0:
        raise ValidationError(_("This came in: choose the customer who paid."))
    if (payment.entity_id, payment.currency) != (entry.entity_id, entry.currency):
        raise ValidationError(_("That payment went to another company, or was in another currency."))
    entry.reversal = reverse_payment(
        payment, -entry.amount, kind=Reversal.Kind.RETURNED, on=entry.booked_on, reference=_reference(entry), by=by
    )
    entry.state, entry.tenant_id = State.BOOKED, payment.tenant_id
    entry.save(update_fields=["reversal", "state", "tenant"])
    return entry.reversal


def book(entry: BankEntry, suggestion: Suggestion, *, by: Actor) -> None:
    """Book an entry as was suggested."""
    if suggestion.payment is not None:
        book_out(entry, Payment.objects.get(pk=suggestion.payment.pk), by=by)
        return
    invoices = list(Invoice.objects.filter(pk__in=[each.pk for each in suggestion.invoices]).order_by("due_on", "pk"))
    book_in(entry, Customer.objects.get(pk=suggestion.tenant_id), invoices=invoices, by=by)


def start_book_sure(*, by: Actor) -> Job:
    """Begin to book in the background what is sure: a month's payments take longer than a page may."""
    return jobs.start("payments.book_sure", {}, by)


def book_sure(msp: Msp, *, by: Actor, told: jobs.Progress = lambda *_args: None) -> tuple[int, int]:
    """Book every open entry of which it is sure what it is; return how many were, and how many are left to look at."""
    done, books = 0, dict[int, Books]()
    waiting = list(BankEntry.objects.filter(msp=msp, state=State.OPEN).order_by("booked_on", "pk"))
    for number, entry in enumerate(waiting):
        told(number, len(waiting), _("Booking the payments"))
        if entry.entity_id not in books:
            books[entry.entity_id] = selectors.books_of(entry.entity_id)
        known = books[entry.entity_id]
        found = suggest(entry, known)
        if not found or not found[0].sure:
            continue
        try:
            book(entry, found[0], by=by)
        except ValidationError:
            continue  # somebody else was faster; it stays visible where it is not booked
        done += 1
        # What is paid is paid for the next entry, too.
        left = selectors.open_invoices(entry.entity_id, found[0].tenant_id)
        books[entry.entity_id] = known.after(found[0].tenant_id, left)
    told(len(waiting), len(waiting))
    return done, BankEntry.objects.filter(msp=msp, state=State.OPEN).count()


@transaction.atomic
def explain_gap(statement: BankStatement, *, note: str, by: Actor) -> BankStatement:
    """Say why a statement does not begin with what the one before it ended with, so that it is not asked about."""
    if not note.strip():
        raise ValidationError({"note": _("Say why, so that nobody has to look again.")})
    statement = BankStatement.objects.select_for_update(of=("self",)).get(pk=statement.pk)
    statement.gap_note = note.strip()
    statement.full_clean(exclude=["entity", "msp"], validate_unique=False, validate_constraints=False)
    statement.save(update_fields=["gap_note"])
    audit.record(by, "bank_statement.gap_explained", statement, reason=statement.gap_note)
    return statement


@transaction.atomic
def set_aside(entry: BankEntry, *, note: str, by: Actor) -> BankEntry:
    """Say that an entry is nobody's payment, and why."""
    if not note.strip():
        raise ValidationError({"note": _("Say what it is, so that nobody has to look again.")})
    entry = _open(entry)
    entry.state, entry.note = State.ASIDE, note.strip()
    entry.full_clean(exclude=["statement", "entity", "msp", "tenant"])
    entry.save(update_fields=["state", "note"])
    audit.record(by, "bank_entry.set_aside", entry, amount=entry.amount, reason=entry.note)
    return entry


@transaction.atomic
def reopen(entry: BankEntry, *, by: Actor) -> BankEntry:
    """Take an entry back that was set aside."""
    entry = _open(entry, State.ASIDE)
    entry.state, entry.note = State.OPEN, ""
    entry.save(update_fields=["state", "note"])
    audit.record(by, "bank_entry.reopened", entry, amount=entry.amount)
    return entry


def _open(entry: BankEntry, state: str = State.OPEN) -> BankEntry:
    found = BankEntry.objects.select_for_update(of=("self",)).select_related("entity").get(pk=entry.pk)
    if found.state != state:
        raise ValidationError(_("This is %(state)s already.") % {"state": found.get_state_display().lower()})
    return found


def _reference(entry: BankEntry) -> str:
    # The end makes two transfers of one day with the same words two payments.
    words = entry.structured or entry.text or entry.payer or entry.end_to_end or _("Bank transfer")
    return f"{words[:LONGEST_REFERENCE]} · {entry.key[:8]}"
