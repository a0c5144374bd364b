"""What was changed about one object, from the audit log, in words for its page."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.core import audit
from portal.core.models import AuditEntry
from portal.ui.parts import Event
from portal.ui.values import person

Seen = Callable[[QuerySet[AuditEntry]], QuerySet[AuditEntry]]
LATEST = 100
WORDS: dict[str, str | Promise] = {
    "saved": gettext_lazy("Changed"),
    "closed": gettext_lazy("Closed"),
    "granted": gettext_lazy("Shared with %(customer)s"),
    "revoked": gettext_lazy("Taken from %(customer)s"),
    "approved": gettext_lazy("Approved"),
    "validated": gettext_lazy("Validated"),
    "checked": gettext_lazy("Checked"),
    "deleted": gettext_lazy("Removed"),
    "created": gettext_lazy("Made"),
    "added": gettext_lazy("Added"),
    "changed": gettext_lazy("Changed"),
    "moved": gettext_lazy("Moved"),
    "withdrawn": gettext_lazy("Withdrawn"),
    "token_rotated": gettext_lazy("New token given"),
}
ICONS = {
    "granted": "user-plus",
    "revoked": "arrow-back-up",
    "approved": "shield-check",
    "closed": "archive",
    "saved": "pencil",
}


def history(obj: Model, seen: Seen) -> list[Event]:
    """Return the newest entries about the object, as far as they are `seen`."""
    return [_event(obj, entry) for entry in seen(audit.entries(obj=obj))[:LATEST]]


def _event(obj: Model, entry: AuditEntry) -> Event:
    done = entry.verb.rsplit(".", 1)[-1]
    # Some forms note the empty state that a new object had.
    made = done == "saved" and not any((entry.before or {}).values())
    words = WORDS.get(done) or done.replace("_", " ").capitalize()
    title = _("Made") if made else str(words) % {"customer": entry.facts.get("customer", "")}
    who = f"{who_in_words(entry)} ({entry.acting_for})" if entry.acting_for else who_in_words(entry)
    told = [] if made else [change for change in entry.changes if change[1] or change[2]]
    changes = [_change(obj, *change) for change in told]
    return Event(entry.at, title, "; ".join([who, *changes]), icon="plus" if made else ICONS.get(done, "history"))


def _change(obj: Model, name: str, before: Any, after: Any) -> str:
    try:
        label = str(getattr(obj._meta.get_field(name), "verbose_name", name))
    except FieldDoesNotExist:
        label = name.replace("_", " ")
    return f"{label}: {in_words(before)} → {in_words(after)}"


def who_in_words(entry: AuditEntry) -> str:
    """Return who did it: a person by address, one of our own machines as such."""
    return person(entry.email)


def in_words(value: Any) -> str:
    """Return a stored value as people read it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {in_words(each)}" for name, each in value.items()) or "–"
    if isinstance(value, list):
        between = "; " if any(isinstance(each, dict) for each in value) else ", "
        return between.join(in_words(each) for each in value) or "–"
    return "–" if value in (None, "") else str(value)
