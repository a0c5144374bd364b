"""What a movement on the bank account may be, with the reasons, and which of it is sure. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Protocol

from django.utils.translation import gettext as _

from voice.receivables.references import creditor_reference, references_in

BY_HAND = timedelta(days=7)
SHORTEST = 4


class Seen(Protocol):
    """A movement as the bank tells it."""

    booked_on: date
    currency: str
    amount: int
    payer_iban: str
    structured: str
    text: str
    end_to_end: str


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice with something left to pay."""

    pk: int
    tenant_id: int
    customer: str
    number: str
    currency: str
    left: int
    due_on: date


@dataclass(frozen=True, slots=True)
class Known:
    """A payment that is in the books, with what has not gone back of it."""

    pk: int
    tenant_id: int
    customer: str
    currency: str
    kept: int
    received_on: date
    end_to_end: str = ""
    payer_iban: str = ""
    from_bank: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Who paid, and what: invoices of money in, the payment that money out takes back; `sure` needs nobody's eye."""

    tenant_id: int
    customer: str
    invoices: tuple[OpenInvoice, ...] = ()
    payment: Known | None = None
    reasons: tuple[str, ...] = ()
    sure: bool = False


@dataclass
class Books:
    """What movements are held against: open invoices, payments, and whose account paid whom before."""

    invoices: Sequence[OpenInvoice] = ()
    payments: Sequence[Known] = ()
    ibans: Mapping[str, frozenset[int]] = field(default_factory=dict)

    @cached_property
    def by_reference(self) -> dict[str, list[OpenInvoice]]:
        found: dict[str, list[OpenInvoice]] = {}
        for invoice in self.invoices:
            found.setdefault(creditor_reference(invoice.number), []).append(invoice)
        return found

    @cached_property
    def written(self) -> list[tuple[str, OpenInvoice]]:
        told = [(_core(invoice.number), invoice) for invoice in self.invoices]
        # A number such as 17 stands in too many texts that mean something else.
        return [each for each in told if len(each[0]) >= SHORTEST]

    def after(self, tenant_id: int, invoices: Sequence[OpenInvoice]) -> "Books":
        """Return the books with the open invoices that one customer has now."""
        others = [each for each in self.invoices if each.tenant_id != tenant_id]
        return Books([*others, *invoices], self.payments, self.ibans)


def suggest(move: Seen, books: Books) -> list[Suggestion]:
    """Return what the movement may be, the best first."""
    return _of_money_in(move, books) if move.amount > 0 else _of_money_out(move, books)


def _of_money_in(move: Seen, books: Books) -> list[Suggestion]:
    payers = books.ibans.get(move.payer_iban, frozenset()) if move.payer_iban else frozenset()
    found = [*_by_reference(move, books, payers), *_by_number(move, books, payers), *_by_payer(move, books, payers)]
    if not found:
        same = [each for each in books.invoices if each.currency == move.currency and each.left == move.amount]
        found = [_one(each, [_("An open invoice over exactly this amount.")]) for each in same[:3]]
    noted = {
        known.tenant_id
        for known in books.payments
        if not known.from_bank
        and (known.currency, known.kept) == (move.currency, move.amount)
        and abs(known.received_on - move.booked_on) <= BY_HAND
    }
    return [_doubtful(each, noted, payers) for each in _once(found)]


def _by_reference(move: Seen, books: Books, payers: frozenset[int]) -> Iterable[Suggestion]:
    wanted = dict.fromkeys(filter(None, [move.structured, *references_in(f"{move.text} {move.end_to_end}")]))
    for reference in wanted:
        named = [each for each in books.by_reference.get(reference, []) if each.currency == move.currency]
        for invoice in named:
            reasons = [_("The reference of invoice %(number)s.") % {"number": invoice.number}, *_size(move, [invoice])]
            # The check digits stand for the number: with one invoice of that name nobody else is meant.
            yield _one(invoice, reasons, sure=len(named) == len(wanted) == 1 and move.amount <= invoice.left)


def _by_number(move: Seen, books: Books, payers: frozenset[int]) -> Iterable[Suggestion]:
    core = _core(move.text)
    named = [
        each
        for short, each in books.written
        if short in core and each.currency == move.currency and _as_written(each.number).search(move.text)
    ]
    for tenant_id in dict.fromkeys(each.tenant_id for each in named):
        own = [each for each in named if each.tenant_id == tenant_id]
        numbers = ", ".join(each.number for each in own)
        total = sum(each.left for each in own)
        reasons = [_("The text names %(numbers)s.") % {"numbers": numbers}, *_size(move, own)]
        alone = len(own) == len(named)
        yield Suggestion(tenant_id, own[0].customer, tuple(own), None, tuple(reasons), alone and total == move.amount)


def _by_payer(move: Seen, books: Books, payers: frozenset[int]) -> Iterable[Suggestion]:
    for tenant_id in sorted(payers):
        own = [each for each in books.invoices if each.tenant_id == tenant_id and each.currency == move.currency]
        if not own:
            continue
        reason = _("%(customer)s has paid from this account before.") % {"customer": own[0].customer}
        exact = [each for each in own if each.left == move.amount]
        if exact:
            yield _one(exact[0], [reason, *_size(move, exact[:1])], sure=len(exact) == len(payers) == 1)
        elif sum(each.left for each in own) == move.amount:
            everything = _("It is everything that is open.")
            yield Suggestion(tenant_id, own[0].customer, tuple(own), None, (reason, everything), len(payers) == 1)
        else:
            yield Suggestion(tenant_id, own[0].customer, (), None, (reason,))


def _doubtful(given: Suggestion, noted: set[int], payers: frozenset[int]) -> Suggestion:
    doubts = []
    if given.tenant_id in noted:
        doubts.append(_("A payment over this amount was recorded by hand in that week: look whether it is this one."))
    if payers and given.tenant_id not in payers:
        doubts.append(_("Another customer has paid from this account before."))
    if not doubts:
        return given
    return Suggestion(given.tenant_id, given.customer, given.invoices, None, (*given.reasons, *doubts), False)


def _of_money_out(move: Seen, books: Books) -> list[Suggestion]:
    found = []
    for known in books.payments:
        if known.currency != move.currency or known.kept < -move.amount or known.received_on > move.booked_on:
            continue
        reasons = []
        if move.end_to_end and move.end_to_end == known.end_to_end:
            reasons.append(_("It has the reference of that payment."))
        if move.payer_iban and move.payer_iban == known.payer_iban:
            reasons.append(_("It goes to the account that paid."))
        if reasons:
            whole = known.kept == -move.amount
            reasons.append(_("It is all of it.") if whole else _("It is a part of it."))
            sure = whole and bool(move.end_to_end) and move.end_to_end == known.end_to_end
            found.append(Suggestion(known.tenant_id, known.customer, (), known, tuple(reasons), sure))
    # Where two payments fit, the bank's word does not say which.
    several = sum(each.sure for each in found) > 1
    found = [Suggestion(e.tenant_id, e.customer, (), e.payment, e.reasons, e.sure and not several) for e in found]
    return sorted(found, key=lambda each: (not each.sure, -len(each.reasons)))[:5]


def _one(invoice: OpenInvoice, reasons: Iterable[str], *, sure: bool = False) -> Suggestion:
    return Suggestion(invoice.tenant_id, invoice.customer, (invoice,), None, tuple(reasons), sure)


def _size(move: Seen, named: Sequence[OpenInvoice]) -> list[str]:
    total = sum(each.left for each in named)
    if move.amount == total:
        return [_("Exactly what is left to pay.")]
    return [_("It is a part of it.")] if move.amount < total else [_("It is more: the rest stays on the account.")]


def _once(found: Iterable[Suggestion]) -> list[Suggestion]:
    best: dict[tuple[int, tuple[int, ...]], Suggestion] = {}
    for each in found:
        key = (each.tenant_id, tuple(invoice.pk for invoice in each.invoices))
        if key not in best:
            best[key] = each
        elif each.reasons[0] not in best[key].reasons:
            old = best[key]
            reasons = (*old.reasons, each.reasons[0])
            best[key] = Suggestion(old.tenant_id, old.customer, old.invoices, None, reasons, old.sure or each.sure)
    order = sorted(best.values(), key=lambda each: not each.sure)
    # Two that are sure of different things are none that is.
    if sum(each.sure for each in order) > 1:
        return [Suggestion(e.tenant_id, e.customer, e.invoices, None, e.reasons, False) for e in order]
    return order


def _core(text: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def _as_written(number: str) -> re.Pattern[str]:
    # People leave out or change what stands between the letters and digits, and never these.
    parts = [re.escape(part) for part in re.findall(r"[0-9A-Za-z]+", number)]
    return re.compile(r"(?<![0-9A-Za-z])" + r"[^0-9A-Za-z]{0,3}".join(parts) + r"(?![0-9A-Za-z])", re.IGNORECASE)
