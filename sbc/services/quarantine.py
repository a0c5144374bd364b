"""Records that are no calls of anybody: stored after all when their cause is mended, or set aside for a reason."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.db import contexts
from sbc import ingest
from sbc.models import Alarm, QuarantinedRecord
from sbc.services.alarms import close_alarms

LONGEST_NOTE = 1000


def try_again(kept: QuarantinedRecord, *, by: Actor) -> QuarantinedRecord:
    """Store the record as the call that it is, now that what kept it out is mended.

    Raises ValidationError that says what still keeps it out.
    """
    with contexts.ingest():
        ingest.make_days_for(kept.record)
        with transaction.atomic():
            locked = _locked(kept)
            fault = ingest.store_kept(locked.node, locked.record, at=now())
            if fault is not None:
                QuarantinedRecord.objects.filter(pk=locked.pk).update(reason=fault)
            else:
                _settle(locked, QuarantinedRecord.Outcome.STORED, "", by)
    if fault is not None:
        raise ValidationError(fault)
    return locked


def set_aside(kept: QuarantinedRecord, *, reason: str, by: Actor) -> QuarantinedRecord:
    """Leave the record out for good; it stays as it came, with the reason.

    Raises ValidationError with messages meant for the user.
    """
    note = reason.strip()
    if not note or len(note) > LONGEST_NOTE or "\0" in note:
        raise ValidationError({"reason": _("Say in a few words why.")})
    with contexts.ingest(), transaction.atomic():
        locked = _locked(kept)
        _settle(locked, QuarantinedRecord.Outcome.ASIDE, note, by)
    return locked


def _locked(kept: QuarantinedRecord) -> QuarantinedRecord:
    waiting = QuarantinedRecord.objects.waiting().select_for_update(of=("self",)).select_related("node")
    locked = waiting.filter(pk=kept.pk).first()
    if locked is None:
        raise ValidationError(_("Somebody has decided on this record meanwhile."))
    return locked


def _settle(kept: QuarantinedRecord, outcome: str, note: str, by: Actor) -> None:
    kept.settled, kept.outcome, kept.note = now(), outcome, note
    kept.save(update_fields=["settled", "outcome", "note"])
    audit.record(
        by, f"quarantine.{outcome}", kept, reason=note, spool=str(kept.spool), sequence=kept.sequence, why=kept.reason
    )
    if not QuarantinedRecord.objects.waiting().filter(node=kept.node).exists():
        close_alarms([Alarm.Kind.QUARANTINE], at=now(), node=kept.node)
