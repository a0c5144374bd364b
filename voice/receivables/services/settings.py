"""Who bills and who is billed."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from voice.edits import facts, locked
from voice.rating.money import UnknownCurrency, decimals
from voice.receivables import vat_ids
from voice.receivables.models import BillingProfile, LegalEntity

ENTITY = (
    "name", "street", "postcode", "city", "country", "vat_id", "tax_number", "registration", "email", "phone", "bank",
    "iban", "bic", "invoice_pattern", "credit_note_pattern",
)  # fmt: skip
PROFILE = (
    "name", "street", "postcode", "city", "country", "vat_id", "email", "currency", "due_days", "buyer_reference",
    "is_exempt", "exemption",
)  # fmt: skip


@transaction.atomic
def save_entity(entity: LegalEntity, *, by: Actor) -> LegalEntity:
    """Store a company that sends invoices."""
    stored = locked(entity)
    entity.vat_id, entity.iban = vat_ids.written(entity.vat_id), entity.iban.replace(" ", "").upper()
    if entity.vat_id:
        _refuse_wrong(vat_ids.checker().check(entity.vat_id))
    entity.full_clean()
    entity.row_version += 1
    entity.save()
    audit.record(by, "legal_entity.saved", entity, before=facts(stored, ENTITY), after=facts(entity, ENTITY))
    return entity


@transaction.atomic
def save_profile(profile: BillingProfile, *, by: Actor) -> BillingProfile:
    """Store how a customer is billed; the VAT id is checked by what this installation has to check it."""
    stored = locked(profile)
    if profile.entity.msp_id != profile.msp_id or profile.tenant.msp_id != profile.msp_id:
        raise ValidationError(_("Choose a company and a customer of your own."))
    try:
        decimals(profile.currency)
    except UnknownCurrency as error:
        raise ValidationError({"currency": str(error)})
    profile.vat_id = vat_ids.written(profile.vat_id)
    answer = vat_ids.checker().check(profile.vat_id) if profile.vat_id else vat_ids.Answer("unchecked")
    _refuse_wrong(answer)
    profile.vat_id_state = answer.state
    profile.vat_id_checked_at = timezone.now() if profile.vat_id else None
    profile.full_clean()
    profile.row_version += 1
    profile.save()
    audit.record(
        by,
        "billing_profile.saved",
        profile,
        tenant_id=profile.tenant_id,
        before=facts(stored, PROFILE),
        after=facts(profile, PROFILE),
    )
    return profile


def _refuse_wrong(answer: vat_ids.Answer) -> None:
    if answer.state == "wrong":
        raise ValidationError({"vat_id": answer.words})
