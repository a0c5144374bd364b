"""Who bills and who is billed."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from voice.edits import facts, locked
from voice.rating.money import UnknownCurrency, decimals
from voice.receivables import vat_ids
from voice.receivables.models import BillingProfile, LegalEntity, VatIdCheck

ENTITY = (
    "name", "street", "postcode", "city", "country", "vat_id", "tax_number", "registration", "email", "phone", "bank",
    "iban", "bic", "invoice_pattern", "credit_note_pattern", "area", "is_in_oss",
    "first_bill_limit",
)  # fmt: skip
PROFILE = (
    "name", "street", "postcode", "city", "country", "vat_id", "email", "currency", "due_days", "buyer_reference",
    "area", "county", "is_business", "language",
)  # fmt: skip


def save_entity(entity: LegalEntity, *, by: Actor) -> LegalEntity:
    """Store a company that sends invoices."""
    entity.vat_id, entity.iban = vat_ids.written(entity.vat_id), entity.iban.replace(" ", "").upper()
    if entity.vat_id:
        _refuse_wrong(vat_ids.ByShape().check(entity.vat_id))
    return _store_entity(entity, by)


@transaction.atomic
def _store_entity(entity: LegalEntity, by: Actor) -> LegalEntity:
    stored = locked(entity)
    entity.full_clean()
    entity.row_version += 1
    entity.save()
    audit.record(by, "legal_entity.saved", entity, before=facts(stored, ENTITY), after=facts(entity, ENTITY))
    return entity


def save_profile(profile: BillingProfile, *, by: Actor) -> BillingProfile:
    """Store how a customer is billed; a VAT id that is new is asked about, and the answer kept."""
    if profile.entity.msp_id != profile.msp_id or profile.tenant.msp_id != profile.msp_id:
        raise ValidationError(_("Choose a company and a customer of your own."))
    try:
        decimals(profile.currency)
    except UnknownCurrency as error:
        raise ValidationError({"currency": str(error)})
    profile.vat_id = vat_ids.written(profile.vat_id)
    # The register is asked before anything is locked: it may take its time.
    answer, asked = _asked(profile), timezone.now()
    if answer:
        _refuse_wrong(answer)
    return _store_profile(profile, answer, asked, by)


def check_vat_id(profile: BillingProfile, *, by: Actor) -> VatIdCheck:
    """Ask the register about a customer's VAT id again and keep the answer; raises ValidationError without one."""
    if not profile.vat_id:
        raise ValidationError(_("This customer has no VAT id."))
    answer, asked = vat_ids.checker().check(profile.vat_id, profile.entity.vat_id), timezone.now()
    with transaction.atomic():
        locked(profile)
        profile.vat_id_state, profile.vat_id_checked_at = answer.state, asked
        profile.row_version += 1
        profile.save(update_fields=["vat_id_state", "vat_id_checked_at", "row_version"])
        kept = _keep(profile, answer, asked)
        audit.record(
            by, "vat_id.checked", profile, tenant_id=profile.tenant_id, vat_id=kept.vat_id, state=kept.state,
            request_id=kept.request_id,
        )  # fmt: skip
    return kept


def _asked(profile: BillingProfile) -> vat_ids.Answer | None:
    if not profile.vat_id:
        return vat_ids.Answer("unchecked")
    stored = BillingProfile.objects.filter(pk=profile.pk).values_list("vat_id", "vat_id_state").first()
    if stored == (profile.vat_id, VatIdCheck.State.VALID):
        return None
    return vat_ids.checker().check(profile.vat_id, profile.entity.vat_id)


@transaction.atomic
def _store_profile(
    profile: BillingProfile, answer: vat_ids.Answer | None, asked: datetime, by: Actor
) -> BillingProfile:
    stored = locked(profile)
    if answer:
        profile.vat_id_state = answer.state
        profile.vat_id_checked_at = asked if profile.vat_id else None
    profile.full_clean()
    profile.row_version += 1
    profile.save()
    if answer and profile.vat_id:
        _keep(profile, answer, asked)
    audit.record(
        by,
        "billing_profile.saved",
        profile,
        tenant_id=profile.tenant_id,
        before=facts(stored, PROFILE),
        after=facts(profile, PROFILE),
    )
    return profile


def _keep(profile: BillingProfile, answer: vat_ids.Answer, asked: datetime) -> VatIdCheck:
    return VatIdCheck.objects.create(
        msp_id=profile.msp_id, tenant_id=profile.tenant_id, vat_id=profile.vat_id, state=answer.state,
        register=answer.register, request_id=answer.request_id, name=answer.name, address=answer.address,
        words=answer.words, asked_at=asked,
    )  # fmt: skip


def _refuse_wrong(answer: vat_ids.Answer) -> None:
    if answer.state == "wrong":
        raise ValidationError({"vat_id": answer.words})
