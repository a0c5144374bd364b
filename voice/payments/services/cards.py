"""Paying by card: what a customer starts, what is charged by itself, what goes back. Run as the MSP."""

import logging
from collections.abc import Sequence
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later

from portal.core import audit
from portal.core.audit import Actor
from portal.db import contexts
from tenants import addresses, mail
from tenants.models import Brand, Customer
from voice.payments import mails, selectors
from voice.payments.events import Fact
from voice.payments.gateway import Card, GatewayError, to_minor_units
from voice.payments.gateway.choosing import gateway_of
from voice.payments.matching import OpenInvoice
from voice.payments.models import CardAccount, CardAttempt, CardMethod
from voice.payments.services import facts, receipts, ways
from voice.payments.services.orders import order_of
from voice.receivables import selectors as books
from voice.receivables.models import BillingProfile, Invoice, LegalEntity
from voice.receivables.selectors_books import Books, books_of, chosen_books
from voice.receivables.services import lock_account, settle_from_credit
from voice.receivables.services.counting import is_counted

logger = logging.getLogger(__name__)
Kind, State = CardAttempt.Kind, CardAttempt.State
LEAST_TOP_UP, MOST_TOP_UP = 5_000_000, 10_000_000_000
AGAIN_AFTER = timedelta(days=3)
# Stripe knows an idempotency key again for a day.
KEY_KNOWN = timedelta(hours=23)
MOST_TRIES = 3
NO_CARDS = _later("Cards cannot be used here. Pay by bank transfer, please.")
# Kinds of attempts in which nobody stands at the gateway's page.
CHARGES = (Kind.COLLECT, Kind.SAVED)


def pay(
    customer: Customer,
    *,
    invoices: Sequence[int] | None,
    by: Actor,
    where: tuple[int | None, str] = (None, ""),
    method: int | None = None,
    saves: bool = False,
) -> CardAttempt:
    """Start to pay these bills, or everything that is open, at the checkout or with a saved card.

    Bills are paid to the company and in the currency of theirs; everything is what is open `where` it says, or where
    the customer is billed now. An earlier checkout is closed first. Raises ValidationError in words. At the checkout,
    `attempt.url` is where the payer goes on.
    """
    with contexts.msp(customer.msp):
        entity, currency = _books(customer, invoices, where)
        account = _account(entity)
        card = _method(account, customer, method) if method is not None else None
        kind = Kind.SAVED if card else Kind.CHECKOUT
        # Before anything locks the customer's account: whoever books a payment has locked its attempt first.
        ways.close_checkouts(account, customer, invoices, by=by)
        settle_from_credit(customer.pk, by=by)
        with transaction.atomic():
            lock_account(customer.pk)
            ways.demand_none(account, customer, invoices)
            amount, named = _open_amount(customer, entity, currency, invoices)
            attempt = _begin(account, customer, kind, currency, amount, by, invoices=named, saves=saves, method=card)
        return _charge(attempt, by=by) if card else _open_checkout(attempt)


def top_up(customer: Customer, amount: int, *, by: Actor, saves: bool = False) -> CardAttempt:
    """Start a top-up of a prepaid customer's balance at the checkout; raises ValidationError."""
    with contexts.msp(customer.msp):
        entity, currency = _books(customer, None, (None, ""))
        account = _account(entity)
        if not LEAST_TOP_UP <= amount <= MOST_TOP_UP:
            raise ValidationError({"amount": _("Choose an amount from 5 to 10,000.")})
        _in_coins(amount, currency)
        if not is_counted(customer.pk, currency, timezone.localdate()):
            raise ValidationError(_("Topping up is not possible just now. Ask your provider, please."))
        return _open_checkout(_begin(account, customer, Kind.TOP_UP, currency, amount, by, saves=saves))


def collect_due(account: CardAccount, *, today: date, by: Actor) -> int:
    """Charge the saved cards of customers whose invoices are due; return how many were asked.

    Who is at the checkout is left out.
    """
    asked = 0
    for card in CardMethod.objects.filter(account=account, is_default=True).select_related("tenant").order_by("pk"):
        left = ways.left_checkouts(account, card.tenant)
        if left.exists() and _due(account, card.tenant, today):
            ways.close_left(left, by=by)
        attempt = _collection(account, card, today, by)
        if attempt is not None:
            _charge(attempt, by=by)
            asked += 1
    return asked


def resume_charges(*, before: timedelta = timedelta(minutes=10), by: Actor) -> int:
    """Ask again about charges whose answer was lost; the gateway answers the same key with the same charge.

    What it answered once, it tells the end of by itself; a key that it has forgotten would be another charge.
    """
    now = timezone.now()
    lost = CardAttempt.objects.filter(state=State.OPEN, kind__in=CHARGES, intent="")
    words = _("The gateway never said what became of it.")
    lost.filter(created_at__lt=now - KEY_KNOWN).update(state=State.EXPIRED, words=words, is_under_way=False)
    waiting = lost.filter(created_at__lt=now - before, method__isnull=False)
    found = list(waiting.select_related("account__entity", "tenant__msp", "method").order_by("pk"))
    for attempt in found:
        _charge(attempt, by=by)
    return len(found)


def refund(attempt: CardAttempt, amount: int, *, by: Actor) -> CardAttempt:
    """Send so much of a card payment back; it is booked when the gateway says that it is on its way."""
    with transaction.atomic():
        attempt = _locked(attempt)
        if attempt.payment is None:
            raise ValidationError(_("Only what was paid can go back."))
        if not 0 < amount <= facts.refundable(attempt):
            raise ValidationError({"amount": _("Choose an amount up to what is left of the payment.")})
        minor = _in_coins(amount, attempt.currency)
        # The same button pressed twice is one refund: the key tells which state it began from.
        sent = facts.sent_back(attempt)
        key = f"{attempt.key}-refund-{sent}-{amount}"
        try:
            is_done = gateway_of(attempt.account).refund(attempt.intent, minor, key=key)
        except GatewayError as error:
            raise ValidationError(str(error))
        audit.record(by, "card_payment.refund_asked", attempt, tenant_id=attempt.tenant_id, amount=amount)
        if is_done:
            facts.refunded(attempt, sent + amount, by=by)
    return attempt


def choose_default(customer: Customer, pk: int, *, by: Actor) -> None:
    """Let this saved card be the one that is charged by itself; raises ValidationError where it is gone."""
    with contexts.msp(customer.msp), transaction.atomic():
        card = _saved(customer, pk)
        own = CardMethod.objects.select_for_update(of=("self",)).filter(tenant=customer, account=card.account)
        list(own.order_by("pk"))
        own.exclude(pk=card.pk).update(is_default=False)
        own.filter(pk=card.pk).update(is_default=True)
        audit.record(by, "card.made_default", card, tenant_id=customer.pk)


def forget(customer: Customer, pk: int, *, by: Actor) -> None:
    """Remove a saved card at the gateway and here; raises ValidationError."""
    with contexts.msp(customer.msp):
        card = _saved(customer, pk)
        try:
            gateway_of(card.account).forget(card.reference)
        except GatewayError as error:
            raise ValidationError(str(error))
        with transaction.atomic():
            audit.record(by, "card.removed", card, tenant_id=customer.pk)
            card.delete()


def _saved(customer: Customer, pk: int) -> CardMethod:
    card = CardMethod.objects.select_related("account").filter(tenant=customer, pk=pk).first()
    if card is None:
        raise ValidationError({"method": _("This card is not saved any more.")})
    return card


def card_of(account: CardAccount, fact: Fact) -> Card | None:
    """Return what a payment was paid with, None where the gateway does not say it now: nothing waits for that."""
    gateway = gateway_of(account)
    try:
        reference = fact.method or gateway.method_of(fact.intent)
        return gateway.card(reference) if reference else None
    except GatewayError:
        logger.warning("What %s was paid with could not be read", fact.intent)
        return None


def remember(attempt: CardAttempt, card: Card) -> None:
    """Keep the card that an attempt was paid with, where its payer wanted that; the first is charged by itself."""
    if not attempt.saves:
        return
    with transaction.atomic():
        own = CardMethod.objects.select_for_update(of=("self",)).filter(account=attempt.account, tenant=attempt.tenant)
        is_first = not own.filter(is_default=True).exists()
        saved, is_new = CardMethod.objects.get_or_create(
            account=attempt.account, reference=card.reference,
            defaults={
                "msp_id": attempt.msp_id, "tenant_id": attempt.tenant_id, "brand": card.brand, "last4": card.last4,
                "month": card.month, "year": card.year, "is_default": is_first,
            },
        )  # fmt: skip
        if is_new:
            # The gateway tells it; who wanted it began the payment.
            audit.record(
                Actor(email=attempt.started_by), "card.saved", saved, tenant_id=attempt.tenant_id,
                after={"card": str(saved), "is_default": is_first}, attempt=attempt.pk,
            )  # fmt: skip


def _books(customer: Customer, invoices: Sequence[int] | None, where: tuple[int | None, str]) -> Books:
    """Return whose books a payment goes into, and in which currency: those of the bills, of all in one."""
    if invoices:
        first = Invoice.objects.issued().select_related("entity").filter(tenant=customer, pk__in=invoices).first()
        if first is not None:
            return first.entity, first.currency
    if not books_of(customer.pk):
        raise ValidationError(NO_CARDS)
    return chosen_books(customer.pk, *where)


def _account(entity: LegalEntity) -> CardAccount:
    account = CardAccount.objects.filter(entity=entity, is_on=True).first()
    if account is None:
        raise ValidationError(NO_CARDS)
    return account


def _open_amount(
    customer: Customer, entity: LegalEntity, currency: str, wanted: Sequence[int] | None
) -> tuple[int, list[int]]:
    if wanted is None:
        # Fees of reminders stand in the books and on no bill.
        amount, named = books.balance(customer.pk, entity.pk, currency), list[int]()
    else:
        own = Invoice.objects.issued().filter(tenant=customer, pk__in=wanted, entity=entity, currency=currency)
        lefts = {row.pk: row.left for row in books.with_standing(own).filter(left__gt=0)}
        if len(lefts) != len(set(wanted)):
            raise ValidationError(_("One of these bills is paid already, or cannot be paid with the others."))
        amount, named = sum(lefts.values()), sorted(lefts)
    if amount <= 0:
        raise ValidationError(_("Nothing is to be paid."))
    _in_coins(amount, currency)
    return amount, named


def _in_coins(amount: int, currency: str) -> int:
    try:
        return to_minor_units(amount, currency)
    except ValueError:
        raise ValidationError({"amount": _("An amount ends at the smallest coin.")})


def _method(account: CardAccount, customer: Customer, pk: int) -> CardMethod:
    card = _saved(customer, pk)
    if card.account_id != account.pk:
        raise ValidationError({"method": _("This card is not saved any more.")})
    return card


def _begin(
    account: CardAccount, customer: Customer, kind: str, currency: str, amount: int, by: Actor, *,
    invoices: Sequence[int] = (), saves: bool = False, method: CardMethod | None = None,
) -> CardAttempt:  # fmt: skip
    with transaction.atomic():
        attempt = CardAttempt.objects.create(
            msp_id=account.msp_id, tenant=customer, account=account, kind=kind, currency=currency, amount=amount,
            invoices=list(invoices), saves=saves, method=method, started_by=by.email,
        )  # fmt: skip
        audit.record(
            by, "card_payment.started", attempt, tenant_id=customer.pk, amount=amount, currency=currency, kind=kind
        )
    return attempt


def _open_checkout(attempt: CardAttempt) -> CardAttempt:
    try:
        session = gateway_of(attempt.account).checkout(order_of(attempt))
    except GatewayError as error:
        # Its page may be there, and nobody knows where.
        lost = CardAttempt.objects.filter(pk=attempt.pk, state=State.OPEN)
        lost.update(state=State.FAILED, words=str(error), is_under_way=False)
        raise ValidationError(str(error))
    if not CardAttempt.objects.filter(pk=attempt.pk, is_under_way=True).update(session=session.id):
        raise ValidationError(_("Another way to pay was begun in another window just now. Go on there."))
    attempt.url = session.url  # type: ignore[attr-defined]
    return attempt


def _charge(attempt: CardAttempt, *, by: Actor) -> CardAttempt:
    # Asked outside any transaction: the attempt is stored before, and its key makes asking twice asking once.
    try:
        assert attempt.method is not None
        charged = gateway_of(attempt.account).charge(order_of(attempt), attempt.method.reference)
    except GatewayError as error:
        logger.warning("Attempt %s waits for the gateway: %s", attempt.pk, error)
        return attempt
    minor = to_minor_units(attempt.amount, attempt.currency)
    fact = Fact(
        {"succeeded": "paid", "action": "action", "failed": "failed"}.get(charged.state, "processing"),
        str(attempt.key), charged.intent, minor, attempt.currency, words=charged.words, card=str(attempt.method),
    )  # fmt: skip
    with transaction.atomic():
        attempt = _locked(attempt)
        facts.apply(attempt, fact, by=by)
    if attempt.state in (State.ACTION, State.FAILED) and attempt.kind == Kind.COLLECT:
        _ask_owner(attempt)
    return attempt


def _collection(account: CardAccount, card: CardMethod, today: date, by: Actor) -> CardAttempt | None:
    tenant = card.tenant
    with transaction.atomic():
        # Two workers at once: the second finds the attempt of the first.
        lock_account(tenant.pk)
        if selectors.is_paused(tenant.pk, today):
            return None
        tries = CardAttempt.objects.filter(tenant=tenant, account=account, kind=Kind.COLLECT)
        recent = tries.filter(created_at__gt=timezone.now() - AGAIN_AFTER)
        if recent.exists() or ways.under_way(account, tenant).exists():
            return None
        due = _due(account, tenant, today)
        # One currency at a time, that of the oldest first.
        currency = due[0].currency if due else ""
        due = [each for each in due if each.currency == currency]
        failed = tries.filter(state__in=[State.FAILED, State.ACTION], invoices__overlap=[each.pk for each in due])
        if not due or failed.count() >= MOST_TRIES:
            return None
        amount = min(sum(each.left for each in due), books.balance(tenant.pk, account.entity_id, currency))
        if amount <= 0:
            return None
        named = [each.pk for each in due]
        return _begin(account, tenant, Kind.COLLECT, currency, amount, by, invoices=named, method=card)


def _due(account: CardAccount, tenant: Customer, today: date) -> list[OpenInvoice]:
    return [
        each
        for each in selectors.open_invoices(account.entity_id, tenant.pk)
        if each.due_on <= today and not selectors.is_paused(tenant.pk, today, each.pk)
    ]


def _ask_owner(attempt: CardAttempt) -> None:
    profile = BillingProfile.objects.get(tenant_id=attempt.tenant_id)
    if not profile.email:
        return
    bill = attempt.invoices[0] if len(attempt.invoices) == 1 else ""
    url = addresses.url(addresses.primary_host(attempt.tenant), f"/bills/pay/?bill={bill}")
    brand = Brand.objects.filter(msp_id=attempt.msp_id).first()
    reader = receipts.reader_of(attempt.tenant)
    told = mails.card_failed(reader, micros=attempt.amount, currency=attempt.currency, card=attempt.method)
    said = {**told, "attempt": attempt, "url": url}
    mail.send("voice/payments/mail/card_failed", profile.email, said, brand=brand, language=reader.language)


def _locked(attempt: CardAttempt) -> CardAttempt:
    found = CardAttempt.objects.select_for_update(of=("self",)).select_related("account__entity", "tenant", "payment")
    return found.get(pk=attempt.pk)
