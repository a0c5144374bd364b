"""In whose books a customer has an account: where it is billed now, and where it was before."""

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils.translation import gettext as _

from tenants.models import Customer, Msp
from voice.receivables.models import Account, BillingProfile, LegalEntity

# A company and a currency: an account of a customer is in one of each.
Books = tuple[LegalEntity, str]


def books_of(tenant_id: int) -> list[Books]:
    """Return where a customer has an account, first where it is billed now; run as the MSP.

    Whoever changes company or currency still owes what it was billed before.
    """
    profile = BillingProfile.objects.select_related("entity").filter(tenant=tenant_id).first()
    found = [(profile.entity, profile.currency)] if profile is not None else []
    before = Account.objects.filter(tenant=tenant_id, kind=Account.Kind.RECEIVABLE).select_related("entity")
    found += [(account.entity, account.currency) for account in before.order_by("-pk")]
    return list(dict.fromkeys(found))


def chosen_books(tenant_id: int, entity_id: int | None = None, currency: str = "") -> Books:
    """Return the account of a customer with this company and in this currency, where they are named.

    Raises ValidationError where there is none.
    """
    for entity, known in books_of(tenant_id):
        if entity_id in (None, entity.pk) and currency in ("", known):
            return entity, known
    raise ValidationError(_("This customer has no account with this company in this currency."))


def earlier_books(msp: Msp, customer: Customer | None = None) -> list[Books]:
    """Return where customers of an MSP, or one of them, have an account and are not billed any more; run as the MSP."""
    known = Account.objects.filter(msp=msp, kind=Account.Kind.RECEIVABLE)
    known = known.exclude(tenant__billing_profile__entity=F("entity"), tenant__billing_profile__currency=F("currency"))
    if customer is not None:
        known = known.filter(tenant=customer)
    rows = known.select_related("entity").order_by("entity__name", "currency")
    return list(dict.fromkeys((account.entity, account.currency) for account in rows))
