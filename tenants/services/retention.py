"""How long things are kept, and what is kept longer for a dispute."""

from collections.abc import Callable
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from tenants.countries import COUNTRIES, country_name
from tenants.models import Customer, DataClass, LegalHold, RetentionRule

FACTS = ("data_class", "country", "days", "reason", "source")
# Who says in which country the company is that bills a customer: this layer cannot ask the ones above.
country_of_biller: list[Callable[[Customer], str]] = []


@transaction.atomic
def save_rule(rule: RetentionRule, *, by: Actor) -> RetentionRule:
    """Store how long a class of data is kept; the next erasure goes by it.

    Raises ValidationError, and StaleEdit where somebody else saved in between.
    """
    stored = _locked(rule) if rule.pk else None
    if stored and (stored.data_class, stored.country) != (rule.data_class, rule.country):
        raise ValidationError(_("A rule keeps its data and country. Add another one instead."))
    if rule.country and rule.country not in COUNTRIES:
        raise ValidationError({"country": _("Choose a country of the list.")})
    rule.full_clean()
    rule.row_version = stored.row_version + 1 if stored else 1
    rule.save()
    _refuse_long_emergencies()
    audit.record(by, "retention_rule.saved", rule, before=_facts(stored), after=_facts(rule))
    return rule


@transaction.atomic
def remove_rule(rule: RetentionRule, *, by: Actor) -> None:
    """Take a country's own rule away; the rule for all countries holds there from now on.

    Raises ValidationError, and StaleEdit where somebody else saved in between.
    """
    if not rule.country:
        raise ValidationError(_("The rule for all countries stays: without it, this data would be kept for ever."))
    facts = _facts(_locked(rule))
    rule.delete()
    _refuse_long_emergencies()
    audit.record(by, "retention_rule.removed", None, before=facts)


def rules_for(customer: Customer) -> dict[str, RetentionRule]:
    """Return the rule of each class of data that holds for a customer."""
    biller = next((country for ask in country_of_biller if (country := ask(customer))), "")
    found = {}
    for rule in RetentionRule.objects.filter(country__in=("", customer.country, biller)).order_by("country"):
        home = biller if DataClass(rule.data_class).is_of_company else customer.country
        if rule.country in ("", home):
            found[rule.data_class] = rule
    return found


@transaction.atomic
def place_hold(hold: LegalHold, *, by: Actor) -> LegalHold:
    """Keep a customer's data, or one call's record, until the hold is released.

    Raises ValidationError with messages meant for the user.
    """
    if not Customer.objects.filter(pk=hold.tenant_id, msp_id=hold.msp_id).exists():
        raise ValidationError({"tenant": _("Choose one of your customers.")})
    hold.full_clean()
    if hold.review <= timezone.localdate():
        raise ValidationError({"review": _("Choose a day to come.")})
    hold.save(force_insert=True)
    audit.record(
        by, "legal_hold.placed", hold, reason=hold.reason, msp_id=hold.msp_id, tenant=hold.tenant.name,
        call=str(hold.call or ""), review=hold.review,
    )  # fmt: skip
    return hold


@transaction.atomic
def release_hold(hold: LegalHold, *, reason: str, by: Actor) -> LegalHold:
    """Let the data go: the next erasure takes what is over.

    Raises ValidationError with messages meant for the user.
    """
    if not reason.strip() or len(reason) > 1000:
        raise ValidationError({"reason": _("Say in a few words why.")})
    stored = LegalHold.objects.select_for_update(of=("self",)).filter(pk=hold.pk, released_at=None).first()
    if stored is None:
        raise ValidationError(_("Somebody has released it meanwhile."))
    hold.released_at, hold.released_for = timezone.now(), reason.strip()
    hold.save(update_fields=["released_at", "released_for"])
    audit.record(by, "legal_hold.released", hold, reason=reason.strip(), msp_id=hold.msp_id, tenant=hold.tenant.name)
    return hold


def holds_on(customer: Customer, call: UUID | None = None) -> list[LegalHold]:
    """Return the holds in force that keep a customer's data, or one call's record."""
    holds = LegalHold.objects.filter(tenant=customer, released_at=None).order_by("placed_at")
    return [hold for hold in holds if hold.call is None or hold.call == call]


def _refuse_long_emergencies() -> None:
    """Raise ValidationError where records of emergency calls would be kept longer than those of other calls."""
    rules = list(RetentionRule.objects.filter(data_class__in=(DataClass.CALLS, DataClass.EMERGENCY)))
    for country in {rule.country for rule in rules}:
        days = {rule.data_class: rule.days for rule in sorted(rules, key=lambda each: each.country)
                if rule.country in ("", country)}  # fmt: skip
        if days.get(DataClass.EMERGENCY, 0) > days.get(DataClass.CALLS, 0):
            where = country_name(country) if country else _("all countries")
            raise ValidationError(
                {"days": _("Records of emergency calls are kept no longer than others (%(where)s).") % {"where": where}}
            )


def _locked(rule: RetentionRule) -> RetentionRule:
    stored = RetentionRule.objects.select_for_update().filter(pk=rule.pk).first()
    if stored is None or stored.row_version != rule.row_version:
        raise StaleEdit(rule)
    return stored


def _facts(rule: RetentionRule | None) -> dict[str, object]:
    return {name: getattr(rule, name) for name in FACTS} if rule else {}
