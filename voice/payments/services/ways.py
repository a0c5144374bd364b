"""One way to pay a customer's bills at a time: what is under way, and how an earlier checkout is closed.

The gateway is asked outside any transaction. It alone knows whether somebody has just paid at its page.
"""

import logging
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
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


def demand_none(account: CardAccount, customer: Customer) -> None:
    """Raise ValidationError while there is a way under way; whoever asks holds the lock of the customer's account."""
    kind = under_way(account, customer).values_list("kind", flat=True).first()
    if kind == Kind.CHECKOUT:
        raise ValidationError(_("A checkout was opened in another window just now. Pay there, or try it again here."))
    if kind:
        raise ValidationError(_("A card of yours is being charged just now. Look again in a minute."))


def close_checkouts(account: CardAccount, customer: Customer, *, by: Actor) -> None:
    """Close what is open at the gateway's page, so that another way may begin.

    Raises ValidationError where somebody has paid there, or the gateway does not say.
    """
    for attempt in _checkouts(account, customer):
        try:
            is_closed = _close(attempt, by=by)
        except GatewayError as error:
            raise ValidationError(str(error))
        if not is_closed:
            raise ValidationError(
                _("You have paid at the checkout already: we wait for the word of the card company. Look again later.")
            )


def left_checkouts(account: CardAccount, customer: Customer) -> QuerySet[CardAttempt]:
    """Return the checkouts that somebody opened long ago and left."""
    return _checkouts(account, customer).filter(created_at__lt=timezone.now() - LEFT_AFTER)


def close_left(left: QuerySet[CardAttempt], *, by: Actor) -> None:
    """Close them; what cannot be closed, or was paid, stays under way."""
    for attempt in left:
        try:
            _close(attempt, by=by)
        except GatewayError as error:
            logger.warning("The checkout of attempt %s could not be closed: %s", attempt.pk, error)


def _checkouts(account: CardAccount, customer: Customer) -> QuerySet[CardAttempt]:
    found = under_way(account, customer).filter(kind=Kind.CHECKOUT)
    return found.select_related("account__entity", "tenant__msp").order_by("pk")


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
