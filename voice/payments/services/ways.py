"""One way to pay a customer's bills at a time: what is under way, and how an earlier checkout is closed.

The gateway is asked outside any transaction. It alone knows whether somebody has just paid at its page.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from tenants.models import Customer
from voice.payments.events import Fact
from voice.payments.gateway import GatewayError
from voice.payments.gateway.choosing import gateway_of
from voice.payments.models import CardAccount, CardAttempt
from voice.payments.services import facts
from voice.payments.services.orders import order_of

logger = logging.getLogger(__name__)
Kind = CardAttempt.Kind
# Whoever opened the checkout so long ago does not type a card's number any more.
LEFT_AFTER = timedelta(hours=1)


def under_way(account: CardAccount, customer: Customer) -> QuerySet[CardAttempt]:
    """Return by what a customer's bills may be paid any moment: another way could take the same money twice."""
    return CardAttempt.objects.filter(tenant=customer, account=account, is_under_way=True).exclude(kind=Kind.TOP_UP)


def demand_none(account: CardAccount, customer: Customer, invoices: Sequence[int] | None) -> None:
    """Raise ValidationError while these bills, or all for None, may be paid by another way.

    Whoever asks holds the lock of the customer's account.
    """
    attempt = _in_the_way(account, customer, invoices).order_by("at_bank", "pk").first()
    if attempt is None:
        return
    if attempt.at_bank:
        raise ValidationError(_words_of_debit(attempt))
    if attempt.kind == Kind.CHECKOUT:
        raise ValidationError(_("A checkout was opened in another window just now. Pay there, or try it again here."))
    raise ValidationError(_("A card of yours is being charged just now. Look again in a minute."))


def close_checkouts(account: CardAccount, customer: Customer, invoices: Sequence[int] | None, *, by: Actor) -> None:
    """Close what is open at the gateway's page, so that another way may begin to pay these bills, or all for None.

    Raises ValidationError where somebody has paid there, or the gateway does not say.
    """
    for attempt in _checkouts(_in_the_way(account, customer, invoices)):
        try:
            is_closed = _close(attempt, by=by)
        except GatewayError as error:
            raise ValidationError(str(error))
        if not is_closed and attempt.at_bank:
            raise ValidationError(_words_of_debit(attempt))
        if not is_closed:
            raise ValidationError(
                _("You have paid at the checkout already: we wait for the word of the card company. Look again later.")
            )


def left_checkouts(account: CardAccount, customer: Customer) -> QuerySet[CardAttempt]:
    """Return the checkouts that somebody opened long ago and left."""
    return _checkouts(under_way(account, customer)).filter(created_at__lt=timezone.now() - LEFT_AFTER)


def close_left(left: QuerySet[CardAttempt], *, by: Actor) -> None:
    """Close them; what cannot be closed, or was paid, stays under way."""
    for attempt in left:
        try:
            _close(attempt, by=by)
        except GatewayError as error:
            logger.warning("The checkout of attempt %s could not be closed: %s", attempt.pk, error)


def _in_the_way(account: CardAccount, customer: Customer, invoices: Sequence[int] | None) -> QuerySet[CardAttempt]:
    """Return what may take the same money: whatever may end any moment, and debits that take days of the same bills."""
    found = under_way(account, customer)
    if invoices is None:
        return found
    # A debit that names no bill is of everything that was open.
    return found.filter(Q(at_bank=False) | Q(invoices=[]) | Q(invoices__overlap=list(invoices)))


def _words_of_debit(attempt: CardAttempt) -> str:
    words = _(
        "A debit from your account was begun on %(day)s, and the bank takes some working days for it. What it pays"
        " cannot be paid a second time meanwhile; bills that are not in it can, one by one."
    )
    return words % {"day": date_format(timezone.localtime(attempt.created_at), "j M Y")}


def _checkouts(ways: QuerySet[CardAttempt]) -> QuerySet[CardAttempt]:
    return ways.filter(kind=Kind.CHECKOUT).select_related("account__entity", "tenant__msp").order_by("pk")


def _close(attempt: CardAttempt, *, by: Actor) -> bool:
    """Let the gateway's page take no payment any more; tell whether nobody had paid there."""
    gateway = gateway_of(attempt.account)
    # Where the number of the session was lost, the same key names the same one.
    if not gateway.expire(attempt.session or gateway.checkout(order_of(attempt)).id):
        return False
    with transaction.atomic():
        held = CardAttempt.objects.select_for_update(of=("self",)).select_related(
            "account__entity", "tenant", "payment"
        )
        attempt = held.get(pk=attempt.pk)
        facts.apply(attempt, Fact("expired", str(attempt.key), words=_("Closed for another way to pay.")), by=by)
        audit.record(by, "card_payment.closed", attempt, tenant_id=attempt.tenant_id)
    return True
