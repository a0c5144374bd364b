"""What the tax table says from a day on, whom it does not touch, and where a company is registered."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from voice.edits import facts, locked
from voice.rating.money import UnknownCurrency, decimals
from voice.receivables import vat_ids
from voice.receivables.models import Exemption, LegalEntity, TaxCheck, TaxRule, VatRegistration

RULE = (
    "country", "area", "county", "city", "tax", "tax_class", "name", "per_million", "share_per_million", "fixed",
    "currency", "begins", "ends", "source",
)  # fmt: skip
KEY = ("msp_id", "country", "area", "county", "city", "tax", "tax_class", "name")
CHECK = ("outcome", "checked_on", "page", "note")
REGISTRATION = ("country", "vat_id", "is_established", "begins", "ends")
# How a country begins its VAT ids, where it is not by its code.
PREFIXES = {"GR": "EL"}
EXEMPTION = ("kind", "tax", "area", "ground", "certificate", "begins", "ends")


@transaction.atomic
def add_rule(rule: TaxRule, *, by: Actor) -> TaxRule:
    """Add a rule from a day on; what was held before that day stays as it is.

    Raises ValidationError where the rule would begin before, or with, one of its kind: the past is not rewritten.
    """
    rule.pk = None
    if rule.fixed:
        try:
            decimals(rule.currency)
        except UnknownCurrency as error:
            raise ValidationError({"currency": str(error)})
    rule.full_clean()
    latest = TaxRule.objects.filter(**{name: getattr(rule, name) for name in KEY}).order_by("-begins").first()
    if latest and rule.begins <= latest.begins:
        raise ValidationError(
            {"begins": _("There is such a rule from %(day)s on: a new one begins later.") % {"day": latest.begins}}
        )
    rule.save(force_insert=True)
    audit.record(by, "tax_rule.added", rule, after=facts(rule, RULE))
    return rule


@transaction.atomic
def check_rule(check: TaxCheck, *, by: Actor) -> TaxCheck:
    """Keep that a rule of everybody's was compared with its source, and what came out; the rule stays as it is."""
    if check.rule.msp_id is not None:
        raise ValidationError(_("Only rules for everybody are checked here."))
    if check.checked_on and check.checked_on > timezone.localdate():
        raise ValidationError({"checked_on": _("This day is still to come.")})
    check.pk, check.checked_by = None, by.email
    check.full_clean(exclude=["checked_by"])
    check.save(force_insert=True)
    audit.record(by, "tax_rule.checked", check.rule, after=facts(check, CHECK))
    return check


@transaction.atomic
def save_exemption(exemption: Exemption, *, by: Actor) -> Exemption:
    """Store why a customer does not bear a tax; invoices that are issued keep theirs."""
    stored = locked(exemption)
    if exemption.tenant.msp_id != exemption.msp_id:
        raise ValidationError(_("Choose a customer of your own."))
    exemption.full_clean()
    exemption.row_version += 1
    exemption.save()
    audit.record(
        by, "exemption.saved", exemption, tenant_id=exemption.tenant_id, before=facts(stored, EXEMPTION),
        after=facts(exemption, EXEMPTION),
    )  # fmt: skip
    return exemption


@transaction.atomic
def save_registration(registration: VatRegistration, *, by: Actor) -> VatRegistration:
    """Store where a company is registered for VAT; invoices that are issued keep the number that they print."""
    stored = locked(registration)
    # Whoever enters another one of the company waits, and then sees this one.
    entity = LegalEntity.objects.select_for_update(of=("self",)).get(pk=registration.entity_id)
    if entity.msp_id != registration.msp_id:
        raise ValidationError(_("Choose a company of your own."))
    registration.vat_id = vat_ids.written(registration.vat_id)
    registration.full_clean()
    _refuse_number(registration, entity)
    others = VatRegistration.objects.filter(entity=entity, country=registration.country).exclude(pk=registration.pk)
    until = Q(ends__isnull=True) | Q(ends__gt=registration.begins)
    if others.filter(until, **({"begins__lt": registration.ends} if registration.ends else {})).exists():
        raise ValidationError({"begins": _("Another registration of the company holds there on some of these days.")})
    registration.row_version += 1
    registration.save()
    audit.record(
        by, "vat_registration.saved", registration, before=facts(stored, REGISTRATION),
        after=facts(registration, REGISTRATION),
    )  # fmt: skip
    return registration


def _refuse_number(registration: VatRegistration, entity: LegalEntity) -> None:
    if registration.country == entity.country:
        raise ValidationError({"country": _("At home it is the company's own VAT id that counts.")})
    if registration.vat_id[:2] != PREFIXES.get(registration.country, registration.country):
        raise ValidationError({"vat_id": _("This is not a VAT id of %(country)s.") % {"country": registration.country}})
    answer = vat_ids.ByShape().check(registration.vat_id)
    if answer.state == "wrong":
        raise ValidationError({"vat_id": answer.words})
