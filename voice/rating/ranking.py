"""Policies about losses, and the word that an MSP's tables of prices have to be made anew."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from tenants.models import Customer, Msp
from tenants.scopes import config_changed
from voice.rating.models import CustomerDeck, LossPolicy, PriceUse, RateDeck, TrunkDeck
from voice.rating.typical import TYPICAL_SECONDS

Mode = LossPolicy.Mode
_WANT = """
    INSERT INTO public.rating_pricetables (msp_id, wanted, made, rows, losses) VALUES (%s, 1, 0, '[]', '{}')
        ON CONFLICT (msp_id) DO UPDATE SET wanted = rating_pricetables.wanted + 1
"""


def prices_changed(msp_id: int) -> None:
    """Note that something by which an MSP's trunks are ranked has changed; its nodes follow within seconds."""
    with connection.cursor() as cursor:
        cursor.execute(_WANT, [msp_id])


def deck_changed(deck: RateDeck) -> None:
    """Note a change of a deck, where it prices somebody now or later."""
    later = Q(ends=None) | Q(ends__gt=timezone.now())
    if any(assigned.objects.filter(later, deck=deck).exists() for assigned in (TrunkDeck, CustomerDeck)):
        prices_changed(deck.msp_id)


def exchange_rates_changed(msp_id: int) -> None:
    """Note new exchange rates, where the MSP has decks in several currencies: what they ask is compared in one."""
    if RateDeck.objects.filter(msp=msp_id, closed_at=None).values("currency").distinct().count() > 1:
        prices_changed(msp_id)


def selling_deck_changed(customer: Customer) -> None:
    """Note that a customer pays by another deck: below its prices calls may not go, where they may not."""
    config_changed(customer)
    prices_changed(customer.msp_id)


def typical_seconds(msp_id: int) -> int:
    """Return how long the call is by whose cost an MSP's trunks are compared; to be read as the MSP or as the nodes."""
    said = LossPolicy.objects.filter(msp=msp_id, tenant=None).values_list("typical_seconds", flat=True).first()
    return said or TYPICAL_SECONDS


def with_protection(customers: QuerySet[Customer], at: datetime) -> QuerySet[Customer]:
    """Return customers with `loss_mode`, `own_loss_mode` (None: as their MSP's) and the `sell_deck` of a moment."""
    policies = LossPolicy.objects.filter(msp=OuterRef("msp_id"))
    mine = Subquery(policies.filter(tenant=OuterRef("pk")).values("mode")[:1])
    general = Subquery(policies.filter(tenant=None).values("mode")[:1])
    holds = Q(ends=None) | Q(ends__gt=at)
    decks = CustomerDeck.objects.filter(holds, tenant=OuterRef("pk"), begins__lte=at).exclude(ends=F("begins"))
    return customers.annotate(
        own_loss_mode=mine,
        loss_mode=Coalesce(mine, general, Value(Mode.REPORT.value, TextField())),
        sell_deck=Subquery(decks.values("deck_id")[:1]),
        goes_by_price=Exists(PriceUse.objects.filter(tenant=OuterRef("pk"))),
    )


def protecting_deck(customer: Any) -> int:
    """Return the selling deck below which no call of a customer read `with_protection` may go, 0 for none."""
    return customer.sell_deck or 0 if customer.loss_mode == Mode.REFUSE else 0


@transaction.atomic
def set_loss_policy(
    msp: Msp, customer: Customer | None, mode: str, *, typical: int | None = None, by: Actor, seen: int | None = None
) -> None:
    """Say what becomes of an MSP's calls below cost, or of one customer's; an empty mode follows the MSP's again.

    `typical` are the seconds of the call by which all trunks are compared, None as before: the MSP's alone.

    Raises ValidationError with messages meant for the user, StaleEdit when somebody else changed it meanwhile.
    """
    if customer is not None and customer.msp_id != msp.pk:
        raise ValidationError(_("This customer is not yours."))
    config_changed(msp)
    stored = LossPolicy.objects.select_for_update().filter(msp=msp, tenant=customer).first()
    if seen is not None and seen != (stored.row_version if stored else 0):
        raise StaleEdit(_("Somebody changed this meanwhile. Look at what it says now."))
    before = _facts(stored)
    if not mode and customer is None:
        raise ValidationError({"mode": _("Choose one of the ways that are offered.")})
    if mode:
        row = stored or LossPolicy(msp=msp, tenant=customer)
        row.mode = mode
        row.typical_seconds = row.typical_seconds if typical is None else typical
        row.row_version += 1
        row.full_clean()
        row.save()
    elif stored is not None:
        stored.delete()
    after = _facts(row if mode else None)
    if before["mode"] != after["mode"]:
        for each in _followers(msp, customer):
            config_changed(each)
    prices_changed(msp.pk)
    audit.record(by, "losses.policy_set", customer or msp, before=before, after=after)


def _facts(policy: LossPolicy | None) -> dict[str, Any]:
    policy = policy or LossPolicy(mode="")
    return {"mode": policy.mode, "typical_seconds": policy.typical_seconds}


def _followers(msp: Msp, customer: Customer | None) -> Iterable[Customer]:
    """Return whose calls a policy is about, in the order in which their scopes are locked."""
    if customer is not None:
        return [customer]
    named = LossPolicy.objects.filter(msp=msp).exclude(tenant=None).values("tenant")
    return Customer.objects.filter(msp=msp).exclude(pk__in=named).exclude(state="closed").order_by("pk")


def follow_use(customer: Customer, uses: bool) -> None:
    """Note whether a customer has a line that goes by price."""
    if uses:
        PriceUse.objects.get_or_create(tenant=customer, msp_id=customer.msp_id)
    else:
        PriceUse.objects.filter(tenant=customer).delete()
    prices_changed(customer.msp_id)
