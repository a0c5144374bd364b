"""What the tax table says from a day on, and whom it does not touch."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from voice.edits import facts, locked
from voice.rating.money import UnknownCurrency, decimals
from voice.receivables.models import Exemption, TaxCheck, TaxRule

RULE = (
    "country", "area", "county", "city", "tax", "tax_class", "name", "per_million", "share_per_million", "fixed",
    "currency", "begins", "ends", "source",
)  # fmt: skip
KEY = ("msp_id", "country", "area", "county", "city", "tax", "tax_class", "name")
CHECK = ("outcome", "checked_on", "page", "note")
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
