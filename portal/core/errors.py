"""What a write may be refused for, beyond a value that is wrong."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from .models import AuditEntry


class StaleEdit(ValidationError):
    """Somebody else saved the object since it was read: nothing is stored, and the second editor is told who."""

    def __init__(self, subject: models.Model | str) -> None:
        super().__init__(subject if isinstance(subject, str) else _who_was_first(subject), code="stale")


def _who_was_first(obj: models.Model) -> str:
    last = (
        AuditEntry.objects.filter(object_type=obj._meta.label_lower, object_id=str(obj.pk))
        .order_by("-at").only("at", "email", "verb").first()
    )  # fmt: skip
    if last is None:
        return _("Somebody changed this meanwhile. Look at it as it is now.")
    return _("%(who)s changed this at %(when)s. Look at it as it is now.") % {
        "who": last.email or _("Somebody"),
        "when": date_format(localtime(last.at), "H:i:s"),
    }
