"""Every write to webhooks and file stores by a person or a program."""

import secrets
from base64 import b64encode
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from voice.delivery import feed
from voice.delivery.models import Attempted, Delivery, Endpoint, Store, StoredFile
from voice.delivery.schedule import next_time
from voice.edits import facts, locked

ENDPOINT = ("name", "url", "kinds", "state")
# To whom a password is said: a server proves itself by its host key, a bucket's key is never sent.
SERVER = ("way", "host_key")
STORE = ("name", "way", "host", "port", "folder", "username", "host_key", "content", "every", "enabled")


@transaction.atomic
def save_endpoint(endpoint: Endpoint, *, by: Actor) -> Endpoint:
    """Store a new or changed webhook; a new one gets its secret, which is shown once."""
    before = facts(locked(endpoint), ENDPOINT)
    if endpoint.pk is None:
        endpoint.secret = new_secret()
    endpoint.kinds = sorted(set(endpoint.kinds))
    endpoint.full_clean(exclude=["secret"])
    endpoint.row_version += 1
    endpoint.save()
    audit.record(by, "webhook.saved", endpoint, before=before, after=facts(endpoint, ENDPOINT))
    return endpoint


@transaction.atomic
def new_endpoint_secret(endpoint: Endpoint, *, by: Actor) -> Endpoint:
    """Give a webhook another secret; what is sent from now on is signed with it alone."""
    locked(endpoint)
    endpoint.secret = new_secret()
    endpoint.row_version += 1
    endpoint.save(update_fields=["secret", "row_version"])
    audit.record(by, "webhook.secret_changed", endpoint)
    return endpoint


@transaction.atomic
def pause(endpoint: Endpoint, *, by: Actor) -> Endpoint:
    """Send nothing more; what comes meanwhile waits."""
    return _set_state(endpoint, Endpoint.State.PAUSED, by)


@transaction.atomic
def resume(endpoint: Endpoint, *, by: Actor) -> Endpoint:
    """Send again, beginning with what waits."""
    Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.WAITING).update(next_at=timezone.now())
    return _set_state(endpoint, Endpoint.State.ACTIVE, by)


@transaction.atomic
def remove_endpoint(endpoint: Endpoint, *, by: Actor) -> None:
    """Forget a webhook and what was on its way to it; the feed stays."""
    audit.record(by, "webhook.removed", endpoint, before=facts(locked(endpoint), ENDPOINT))
    endpoint.delete()


@transaction.atomic
def send_test(endpoint: Endpoint, *, by: Actor) -> Delivery:
    """Put a test message onto the way to a webhook."""
    if endpoint.state != Endpoint.State.ACTIVE:
        raise ValidationError(_("This webhook is paused. Let it go on first."))
    sent = feed.ping(endpoint, timezone.now())
    audit.record(by, "webhook.tested", endpoint)
    return sent


@transaction.atomic
def send_again(deliveries: Iterable[Delivery], *, by: Actor) -> int:
    """Send messages once more under their old ids, whatever came of them so far; return how many."""
    return _again(list(deliveries), "webhook.sent_again", by)


@transaction.atomic
def save_store(store: Store, *, by: Actor) -> Store:
    """Store where files go; an empty secret keeps the one that is there, while it is the same server's."""
    stored = locked(store)
    if stored is not None and not store.secret:
        if any(getattr(stored, name) != getattr(store, name) for name in SERVER):
            raise ValidationError({"secret": _("Give it once more: it was given for a server with another host key.")})
        store.secret = stored.secret
    if not store.secret:
        raise ValidationError({"secret": _("Give the password or the key.")})
    if stored is None or stored.every != store.every:
        store.next_at = next_time(store.every, timezone.now())
    store.full_clean(exclude=["secret"])
    store.row_version += 1
    store.save()
    audit.record(
        by,
        "file_store.saved",
        store,
        before=facts(stored, STORE),
        after=facts(store, STORE),
        secret_changed=stored is not None and stored.secret != store.secret,
    )
    return store


@transaction.atomic
def remove_store(store: Store, *, by: Actor) -> None:
    """Forget a place for files and the list of those that were put there; the files stay where they are."""
    audit.record(by, "file_store.removed", store, before=facts(locked(store), STORE))
    store.delete()


@transaction.atomic
def put_now(store: Store, *, by: Actor) -> Store:
    """Put what is new into a file now, without waiting for the hour."""
    locked(store)
    store.next_at = timezone.now()
    store.row_version += 1
    store.save(update_fields=["next_at", "row_version"])
    audit.record(by, "file_store.put_now", store)
    return store


@transaction.atomic
def put_again(files: Iterable[StoredFile], *, by: Actor) -> int:
    """Put files once more under their old names; return how many."""
    return _again(list(files), "file_store.put_again", by)


def new_secret() -> str:
    """Return a secret as the Standard Webhooks write it."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


def _set_state(endpoint: Endpoint, state: str, by: Actor) -> Endpoint:
    stored = locked(endpoint)
    endpoint.state = state
    endpoint.failing_since, endpoint.last_error = None, ""
    endpoint.row_version += 1
    endpoint.save(update_fields=["state", "failing_since", "last_error", "row_version"])
    audit.record(by, "webhook.saved", endpoint, before=facts(stored, ENDPOINT), after=facts(endpoint, ENDPOINT))
    return endpoint


def _again(rows: list[Delivery] | list[StoredFile], action: str, by: Actor) -> int:
    for row in rows:
        row.state, row.attempts, row.next_at, row.error = Attempted.State.WAITING, 0, timezone.now(), ""
        row.save(update_fields=["state", "attempts", "next_at", "error"])
        audit.record(by, action, row)
    return len(rows)
