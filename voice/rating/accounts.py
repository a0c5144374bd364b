"""What moves an account besides calls: payments, what invoices ask beyond the calls, reminders. docs/pricing.md §11.

Whoever calls says by which reference it knows the event; what is told twice under one reference happens once. The role
ingest writes, as it does for calls: neither a customer nor its MSP can reach a balance by any other way.
"""

import re
from collections.abc import Callable
from datetime import UTC
from fractions import Fraction
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit, nudges
from portal.core.audit import Actor
from portal.db import contexts
from tenants.models import Customer
from voice.rating.models import Account, Movement
from voice.rating.money import half_up

Kind = Movement.Kind
# What payments, their returns, reminders and documents are known by: what somebody typed before would stand for them.
RESERVED = re.compile(r"(payment|reversal|reminder|entry)-[0-9]+|.* #[0-9]+", re.DOTALL)

# What of an account is money in its currency.
CONVERTED = (
    "balance_micros", "spent_micros", "credit_limit_micros", "spend_limit_micros", "own_limit_micros",
    "warn_below_micros",
)  # fmt: skip


class ReferenceTaken(ValidationError):
    """The reference belongs to another movement of this account."""


def top_up(customer_id: int, micros: int, currency: str, *, reference: str, by: Actor) -> Movement:
    """Add money that a customer paid in advance. Raises ValidationError."""
    return _move(customer_id, Kind.TOP_UP, _positive(micros), currency, reference, by)


def credit(customer_id: int, micros: int, currency: str, *, reference: str, by: Actor) -> Movement:
    """Add money that a customer paid for what it owes, which gives its credit back. Raises ValidationError."""
    return _move(customer_id, Kind.PAYMENT, _positive(micros), currency, reference, by)


def take_back(customer_id: int, micros: int, currency: str, *, reference: str, by: Actor) -> Movement:
    """Take back money that was added and did not stay: a returned debit, a refund. Raises ValidationError."""
    return _move(customer_id, Kind.TAKEN_BACK, -_positive(micros), currency, reference, by)


def invoiced(customer_id: int, total: int, calls: int, currency: str, *, reference: str, by: Actor) -> Movement | None:
    """Take what an issued invoice asks beyond its calls, which took theirs when they were made; None where that is 0.

    `total` is the invoice with its tax, `calls` what the calls on it moved the account by, both in micros. Fees, tax
    and commitments take, discounts and minutes that a plan includes give back. Raises ValidationError.
    """
    if total == calls:
        return None
    return _move(customer_id, Kind.INVOICE, calls - total, currency, reference, by)


def credit_note(customer_id: int, micros: int, currency: str, *, reference: str, by: Actor) -> Movement:
    """Add what a credit note takes off an invoice, with its tax. Raises ValidationError."""
    return _move(customer_id, Kind.CREDIT_NOTE, _positive(micros), currency, reference, by)


def fee(customer_id: int, micros: int, currency: str, *, reference: str, by: Actor) -> Movement:
    """Take what a reminder costs, fee and interest, which its payment gives back. Raises ValidationError."""
    return _move(customer_id, Kind.FEE, -_positive(micros), currency, reference, by)


def correct(customer_id: int, micros: int, currency: str, *, reference: str, by: Actor) -> Movement:
    """Add or take (negative) what people found to be wrong. Raises ValidationError."""
    return _move(customer_id, Kind.CORRECTION, micros, currency, reference, by)


@transaction.atomic
def change_currency(
    customer_id: int, currency: str, exact: Callable[[int], Fraction], *, uncounted: int, spent: int, by: Actor
) -> Account:
    """Go on in another currency: what there is, is converted, each amount rounded once.

    Calls that were charged in the new currency moved nothing so far: of those that nothing else has counted, what they
    took (`uncounted`), and of those of this month, what they add to its spending (`spent`). Whoever calls has asked for
    both while the account was `opened`, so that none is stored meanwhile.
    """

    def converted(micros: int | None) -> int | None:
        return None if micros is None else half_up(*exact(micros).as_integer_ratio())

    with contexts.ingest():
        account, at = opened(customer_id, currency), timezone.now()
        old, had = account.currency, account.balance_micros
        for name in CONVERTED:
            setattr(account, name, converted(getattr(account, name)))
        account.currency = currency
        this_month = at.astimezone(UTC).date().replace(day=1)
        if account.month < this_month:
            account.month, account.spent_micros = this_month, 0
        told = {"tenant_id": customer_id, "msp_id": account.msp_id, "at": at, "kind": Kind.CURRENCY}
        for code, micros, balance in ((old, -had, 0), (currency, account.balance_micros, account.balance_micros)):
            # Of nothing, too: when an account left a currency says which calls moved it in that.
            reference = f"{old} to {currency}, {at.isoformat()}, {code}"
            Movement.objects.create(**told, micros=micros, currency=code, balance_micros=balance, reference=reference)
        account.balance_micros -= uncounted
        account.spent_micros += spent
        account.row_version += 1
        account.save(update_fields=["currency", "month", "row_version", *CONVERTED])
        audit.record(
            by, "account.currency_changed", account, tenant_id=customer_id, msp_id=account.msp_id,
            before={"currency": old, "balance_micros": had},
            after={"currency": currency, "balance_micros": account.balance_micros},
        )  # fmt: skip
        transaction.on_commit(partial(tell, account), robust=True)
    return account


def _positive(micros: int) -> int:
    if micros <= 0:
        raise ValidationError({"amount": _("Enter an amount above 0.")})
    return micros


@transaction.atomic
def _move(customer_id: int, kind: str, micros: int, currency: str, reference: str, by: Actor) -> Movement:
    with contexts.ingest():
        account = opened(customer_id, currency)
        known = Movement.objects.filter(tenant_id=customer_id, reference=reference).first()
        if known is not None:
            if (known.kind, known.micros, known.currency) != (kind, micros, currency):
                raise ReferenceTaken({"reference": _("This reference stands for another movement of the account.")})
            return known
        if account.currency != currency:
            words = _("The account of this customer is in %(currency)s.")
            raise ValidationError({"currency": words % {"currency": account.currency}})
        account.balance_micros += micros
        movement = Movement(
            tenant_id=customer_id, msp_id=account.msp_id, at=timezone.now(), kind=kind, micros=micros,
            currency=currency, balance_micros=account.balance_micros, reference=reference,
        )  # fmt: skip
        # Who the customer and its MSP are is said by the account; looking them up is not this role's right.
        movement.full_clean(exclude=["tenant", "msp"], validate_unique=False, validate_constraints=True)
        movement.save(force_insert=True)
        account.save(update_fields=["balance_micros"])
        audit.record(
            by, f"account.{kind}", account, tenant_id=customer_id, msp_id=account.msp_id,
            micros=micros, currency=currency, reference=reference,
        )  # fmt: skip
        transaction.on_commit(partial(tell, account), robust=True)
    return movement


def tell(account: Account) -> None:
    """Let the SBCs and the open pages look at an account anew."""
    nudges.nudge_group("credits")
    nudges.topic(account.pk, account.msp_id, "account")


def opened(customer_id: int, currency: str) -> Account:
    """Return a customer's account under lock, opened as a postpaid one in `currency` where there is none yet."""
    msp_id = Customer.objects.values_list("msp_id", flat=True).get(pk=customer_id)
    today = timezone.now().date()
    Account.objects.bulk_create(
        [Account(tenant_id=customer_id, msp_id=msp_id, currency=currency, month=today.replace(day=1))],
        ignore_conflicts=True,
    )
    return Account.objects.select_for_update(no_key=True).get(pk=customer_id)


def correct_by_hand(customer_id: int, micros: int, currency: str, *, reference: str, by: Actor) -> Movement:
    """Book a correction that somebody typed, once for each reference. Raises ValidationError.

    It is all that people book here: money that came in or went back stands in the books, which tell the account.
    """
    if RESERVED.fullmatch(reference.strip()):
        words = _("References like this stand for payments and documents. Choose another one.")
        raise ValidationError({"reference": words})
    return correct(customer_id, micros, currency, reference=reference, by=by)
