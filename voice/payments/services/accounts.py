"""Where a company takes card payments: its gateway and the keys, which are written and never shown again."""

import secrets

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from voice.edits import facts, locked
from voice.payments.models import CardAccount

FACTS = ("kind", "is_on", "collects")


@transaction.atomic
def save_account(account: CardAccount, *, by: Actor, api_key: str = "", webhook_secret: str = "") -> CardAccount:
    """Store how a company takes card payments; a key that is left empty stays as it is. Raises ValidationError."""
    stored = locked(account)
    account.api_key = api_key.strip() or (stored.api_key if stored else "")
    account.webhook_secret = webhook_secret.strip() or (stored.webhook_secret if stored else "")
    if account.kind == CardAccount.Kind.LAB:
        if not settings.CARD_LAB:
            raise ValidationError({"kind": _("There is no lab here.")})
        account.webhook_secret = account.webhook_secret or f"whsec_lab_{secrets.token_hex(16)}"
    elif account.is_on:
        _demand(account)
    if account.entity.msp_id != account.msp_id:
        raise ValidationError({"entity": _("Choose a company of your own.")})
    account.hook = account.hook or _new_hook()
    account.full_clean()
    account.row_version += 1
    account.save()
    audit.record(
        by, "card_account.saved", account, before=facts(stored, FACTS), after=facts(account, FACTS),
        new_secret_key=bool(api_key.strip()), new_webhook_secret=bool(webhook_secret.strip()),
    )  # fmt: skip
    return account


@transaction.atomic
def renew_hook(account: CardAccount, *, by: Actor) -> CardAccount:
    """Give the webhook another address; the old one leads nowhere from now on."""
    locked(account)
    account.hook = _new_hook()
    account.row_version += 1
    account.save(update_fields=["hook", "row_version"])
    audit.record(by, "card_account.hook_renewed", account)
    return account


def _demand(account: CardAccount) -> None:
    if not (account.api_key or "").startswith(("sk_", "rk_")):
        raise ValidationError({"api_key": _("Stripe's secret key begins with sk_ or rk_.")})
    if not (account.webhook_secret or "").startswith("whsec_"):
        raise ValidationError({"webhook_secret": _("The signing secret of the webhook begins with whsec_.")})


def _new_hook() -> str:
    return secrets.token_urlsafe(32)
