"""The ladder of reminders and the pauses in it."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from voice.edits import facts, locked
from voice.payments.models import DunningPause, DunningSetting, DunningStep

STEP = ("after_days", "title", "words", "fee", "interest_per_million", "tells_msp", "suspends", "is_on")


@transaction.atomic
def save_step(step: DunningStep, *, by: Actor) -> DunningStep:
    """Store a step of the ladder; reminders that were sent keep what they said."""
    stored = locked(step)
    step.full_clean()
    step.row_version += 1
    step.save()
    audit.record(by, "dunning_step.saved", step, before=facts(stored, STEP), after=facts(step, STEP))
    return step


@transaction.atomic
def save_setting(setting: DunningSetting, *, by: Actor) -> DunningSetting:
    """Store whether reminders go out by themselves."""
    stored = DunningSetting.objects.select_for_update(of=("self",)).filter(pk=setting.pk).first()
    setting.row_version = (stored.row_version if stored else 0) + 1
    setting.save()
    audit.record(
        by, "dunning.setting_saved", setting, before=facts(stored, ["releases_itself"]),
        after=facts(setting, ["releases_itself"]),
    )  # fmt: skip
    return setting


@transaction.atomic
def pause(given: DunningPause, *, by: Actor) -> DunningPause:
    """Leave a customer, or one invoice of it, alone; raises ValidationError."""
    if given.tenant.msp_id != given.msp_id or (given.invoice and given.invoice.tenant_id != given.tenant_id):
        raise ValidationError({"invoice": _("Choose an invoice of this customer.")})
    if not given.note.strip():
        raise ValidationError({"note": _("Say why, for whoever asks later.")})
    if given.until is not None and given.until < timezone.localdate():
        raise ValidationError({"until": _("This day is over.")})
    given.full_clean()
    given.save()
    audit.record(
        by, "dunning.paused", given, tenant_id=given.tenant_id, kind=given.kind, until=given.until, reason=given.note
    )
    return given


@transaction.atomic
def end_pause(given: DunningPause, *, by: Actor) -> DunningPause:
    """Let reminders go on."""
    given = DunningPause.objects.select_for_update(of=("self",)).get(pk=given.pk)
    if given.ended_at is None:
        given.ended_at = timezone.now()
        given.save(update_fields=["ended_at"])
        audit.record(by, "dunning.pause_ended", given, tenant_id=given.tenant_id)
    return given
