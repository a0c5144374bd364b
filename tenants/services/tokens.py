"""API tokens: shown once, kept as a hash, never able to do more than their maker."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from tenants.identity import TOKEN_PREFIX, hash_secret, new_secret
from tenants.models import ApiToken
from tenants.permissions import CAPABILITIES

LONGEST = timedelta(days=366)
IMPLIED = frozenset({"api.use"})  # what no token is of use without


@transaction.atomic
def create_token(token: ApiToken, *, grantable: frozenset[str], by: Actor) -> str:
    """Store a new token and return its secret, which nobody can read again.

    Raises ValidationError with messages meant for the user.
    """
    now = timezone.now()
    unknown = set(token.scopes) - (grantable & CAPABILITIES.keys())
    if unknown or not token.scopes:
        raise ValidationError({"scopes": _("Choose at least one thing that the token may do, of those that you may.")})
    if not now < token.expires_at <= now + LONGEST:
        raise ValidationError({"expires_at": _("A token lasts at most a year.")})
    maker = _maker(by)
    if maker is not None and token.expires_at > maker.expires_at:
        # Otherwise whoever stole a token for a week would never have to give it back.
        raise ValidationError({"expires_at": _("A token that a program makes ends no later than the program's own.")})
    secret = TOKEN_PREFIX + new_secret()
    token.scopes = sorted({*token.scopes, *_seen_too(token.scopes), *IMPLIED})
    token.hint, token.token_hash, token.made_with = secret[:8], hash_secret(secret), maker
    token.full_clean()
    token.save()
    audit.record(by, "token.created", token, after=_facts(token))
    return secret


@transaction.atomic
def revoke_token(token: ApiToken, *, by: Actor) -> None:
    """End a token at once, with all that programs made with it; the rows stay for the audit log."""
    ending = [token]
    while ending:
        each = ending.pop()
        # The row is locked from here on: what is being made with it waits, and is refused.
        if ApiToken.objects.filter(pk=each.pk, revoked_at=None).update(revoked_at=timezone.now()):
            audit.record(by, "token.revoked", each, before=_facts(each))
        ending += ApiToken.objects.filter(made_with=each.pk, revoked_at=None)


def _maker(by: Actor) -> ApiToken | None:
    """Return the token with which a program makes another one, held until that is stored."""
    used = audit.as_actor(by).token_id
    if used is None:
        return None
    maker = ApiToken.objects.select_for_update(of=("self",)).filter(pk=used, revoked_at=None).first()
    if maker is None:
        raise ValidationError(_("This token was revoked."))
    return maker


def _seen_too(scopes: list[str]) -> set[str]:
    """Who may change a thing may see it."""
    return {name.replace(".change", ".view") for name in scopes if name.endswith(".change")} & CAPABILITIES.keys()


def _facts(token: ApiToken) -> dict[str, object]:
    return {"name": token.name, "scopes": token.scopes, "expires_at": token.expires_at.isoformat()}
