"""What the gateway is asked for: an attempt as an order, and the customer as it is known there."""

from django.utils.translation import gettext as _

from tenants import addresses
from voice.payments.gateway import Order, to_minor_units
from voice.payments.gateway.choosing import gateway_of
from voice.payments.models import CardAttempt, CardPayer
from voice.receivables.models import BillingProfile, Invoice


def order_of(attempt: CardAttempt) -> Order:
    """Return what the gateway is asked for."""
    numbers = Invoice.objects.filter(pk__in=attempt.invoices).order_by("pk").values_list("number", flat=True)
    text = _("Top-up") if attempt.kind == CardAttempt.Kind.TOP_UP else ", ".join(numbers) or _("Open bills")
    return Order(
        str(attempt.key),
        to_minor_units(attempt.amount, attempt.currency),
        attempt.currency,
        f"{attempt.tenant.name}: {text}"[:200],
        _payer(attempt),
        attempt.saves,
        addresses.url(addresses.primary_host(attempt.tenant), f"/bills/pay/{attempt.key}/"),
        {"attempt": str(attempt.key)},
    )


def _payer(attempt: CardAttempt) -> str:
    found = CardPayer.objects.filter(account=attempt.account, tenant=attempt.tenant).first()
    if found is None:
        profile = BillingProfile.objects.get(tenant=attempt.tenant)
        key = f"payer-{attempt.account_id}-{attempt.tenant_id}"
        reference = gateway_of(attempt.account).payer(profile.name, profile.email, key=key)
        found, _made = CardPayer.objects.get_or_create(
            account=attempt.account, tenant=attempt.tenant,
            defaults={"msp_id": attempt.msp_id, "reference": reference},
        )  # fmt: skip
    return found.reference
