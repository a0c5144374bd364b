"""Up to what amount a customer may call: the MSP's terms, and the customer's own lower limit."""

from collections.abc import Callable, Mapping
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import OuterRef, Subquery, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.db import contexts
from tenants.models import Customer
from voice.edits import facts, locked
from voice.rating import accounts, selectors_accounts
from voice.rating.models import Account, CustomerDeck, Movement

TERMS = ("kind", "currency", "credit_limit_micros", "spend_limit_micros", "warn_shares", "warn_below_micros")
USUAL_CURRENCY = "EUR"
# Who else says in which currency a customer pays: this layer cannot ask the ones above. Each gives an expression over
# customers, as `OuterRef("pk")`.
billed_in: list[Callable[[], Combinable]] = []


def currency_of_customer(usual: str = USUAL_CURRENCY) -> Coalesce:
    """Return, for queries of customers, in which currency one pays: that of its deck, or else that of its bills."""
    decks = CustomerDeck.objects.filter(tenant=OuterRef("pk"), ends=None).order_by("-begins").values("deck__currency")
    bills = [ask() for ask in billed_in]
    return Coalesce(Subquery(decks[:1]), *bills, Value(usual), output_field=TextField())


def account_of(customer: Customer) -> Account:
    """Return a customer's account; one that has not moved yet is made when somebody saves it."""
    stored = Account.objects.filter(pk=customer.pk).first()
    if stored is not None:
        return stored
    # Not the whole deck: a customer may not read all of it.
    currency = Customer.objects.filter(pk=customer.pk).values_list(currency_of_customer(), flat=True).get()
    month = now().date().replace(day=1)
    return Account(tenant=customer, msp_id=customer.msp_id, month=month, currency=currency)


@transaction.atomic
def save_terms(account: Account, *, by: Actor) -> Account:
    """Store how a customer pays and up to what amount; in the context of its MSP.

    Raises ValidationError, StaleEdit.
    """
    with contexts.ingest():
        accounts.opened(account.pk, account.currency)
    stored = locked(account)
    assert stored is not None
    if account.currency != stored.currency and _has_moved(stored):
        words = _("The account has moved already: it follows the currency of the customer’s deck by itself.")
        raise ValidationError({"currency": words})
    if account.is_prepaid:
        account.credit_limit_micros = None
    if account.is_limited and (why := selectors_accounts.trouble(account)):
        # What stops at a limit has to come back by what is paid.
        raise ValidationError({"currency": why})
    shares = account.warn_shares
    if shares is not None and not all(type(share) is int and 1 <= share <= 100 for share in shares):
        raise ValidationError({"warn_shares": _("Warnings come at shares from 1 to 100 per cent of a limit.")})
    before = facts(stored, TERMS)
    # What calls moved meanwhile is none of the form's business.
    for name in TERMS:
        setattr(stored, name, getattr(account, name))
    return _saved(stored, TERMS, before=before, verb="account.terms", by=by)


@transaction.atomic
def save_own_limit(account: Account, *, by: Actor) -> Account:
    """Store a customer's own limit a month, below its MSP's, or none; in the customer's context.

    Raises ValidationError, StaleEdit.
    """
    if account.row_version == 0:
        with contexts.ingest():
            accounts.opened(account.pk, account.currency)
    stored = locked(account)
    assert stored is not None
    own, limit = account.own_limit_micros, stored.spend_limit_micros
    if own is not None and limit is not None and own > limit:
        raise ValidationError({"own_limit_micros": _("Your own limit lies below your provider’s.")})
    before = {"own_limit_micros": stored.own_limit_micros}
    stored.own_limit_micros = own
    return _saved(stored, ("own_limit_micros",), before=before, verb="account.own_limit", by=by)


def _saved(
    stored: Account, names: tuple[str, ...], *, before: Mapping[str, object] | None, verb: str, by: Actor
) -> Account:
    stored.row_version += 1
    stored.full_clean(exclude=["tenant", "msp"], validate_unique=False)
    stored.save(update_fields=[*names, "row_version"])
    audit.record(by, verb, stored, before=before, after=facts(stored, names), tenant_id=stored.pk, msp_id=stored.msp_id)
    transaction.on_commit(partial(accounts.tell, stored), robust=True)
    return stored


def _has_moved(account: Account) -> bool:
    moved = Movement.objects.filter(tenant_id=account.pk).exists()
    return moved or bool(account.balance_micros or account.spent_micros)
