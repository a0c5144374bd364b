"""Which gateway a company's card payments go through."""

from voice.payments.gateway import Gateway
from voice.payments.gateway.lab import LabGateway
from voice.payments.gateway.stripe_client import StripeGateway
from voice.payments.models import CardAccount


def gateway_of(account: CardAccount) -> Gateway:
    """Return the company's gateway."""
    return LabGateway() if account.kind == CardAccount.Kind.LAB else StripeGateway(account.api_key or "")
