"""Every write of the advisor."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from tenants.models import Customer
from voice.advisor.assumptions import BY_KEY, WrongAssumption, complete
from voice.advisor.models import Assessment, FirstValues, UserGroup
from voice.edits import facts, locked
from voice.rating.money import UnknownCurrency, decimals

ASSESSMENT = ("name", "tenant_id", "currency", "goal", "weeks", "needs", "note")
GROUP = ("country", "profile", "people", "domestic", "international")
MOST_GROUPS = 50


@transaction.atomic
def save_assessment(assessment: Assessment, groups: Sequence[Mapping[str, Any]], *, by: Actor) -> Assessment:
    """Store a question with its groups of people, which take the place of those that it had.

    Each group names country, profile, people, domestic and international. Raises ValidationError.
    """
    before = _told(locked(assessment))
    # Who is another MSP's is not there for this one.
    own, named = Customer.objects.filter(msp=assessment.msp_id), assessment.tenant_id
    if named is not None and not own.filter(pk=named).exists():
        raise ValidationError({"tenant": _("Choose one of your own customers.")})
    try:
        decimals(assessment.currency)
    except UnknownCurrency as error:
        raise ValidationError({"currency": str(error)})
    if not 0 < len(groups) <= MOST_GROUPS:
        raise ValidationError(_("Name at least one group of people, and at most %(most)s.") % {"most": MOST_GROUPS})
    assessment.needs = sorted(set(assessment.needs))
    assessment.full_clean()
    assessment.row_version += 1
    assessment.save()
    _put_groups(assessment, groups)
    audit.record(by, "assessment.saved", assessment, before=before, after=_told(assessment))
    return assessment


@transaction.atomic
def delete_assessment(assessment: Assessment, *, by: Actor) -> None:
    """Throw an assessment away."""
    audit.record(by, "assessment.deleted", assessment, before=_told(locked(assessment)))
    assessment.delete()


@transaction.atomic
def assume(assessment: Assessment, values: Mapping[str, Any], *, by: Actor) -> Assessment:
    """Store what an assessment reckons with; what is as the first values say is not stored."""
    stored = locked(assessment)
    first = FirstValues.objects.filter(msp_id=assessment.msp_id).first()
    assessment.assumptions = _differing(values, complete(first.assumptions if first else {}))
    assessment.row_version += 1
    assessment.save(update_fields=["assumptions", "row_version", "changed_at"])
    before, after = (each.assumptions if each else None for each in (stored, assessment))
    audit.record(by, "assessment.assumed", assessment, before=before, after=after)
    return assessment


@transaction.atomic
def save_first_values(first: FirstValues, values: Mapping[str, Any], *, by: Actor) -> FirstValues:
    """Store the MSP's own first values; assessments that did not say otherwise reckon with them from now on."""
    stored = locked(first)
    first.assumptions = _differing(values, {key: figure.first for key, figure in BY_KEY.items()})
    first.row_version += 1
    first.save()
    before = stored.assumptions if stored else None
    audit.record(by, "advisor.first_values_saved", first, before=before, after=first.assumptions)
    return first


def _differing(values: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, Any]:
    try:
        checked = complete(values)
    except WrongAssumption as error:
        raise ValidationError({error.key: str(error.words)})
    return {key: checked[key] for key in values if checked[key] != first[key]}


def _put_groups(assessment: Assessment, groups: Sequence[Mapping[str, Any]]) -> None:
    assessment.groups.all().delete()
    for position, told in enumerate(groups, 1):
        known = {name: told[name] for name in GROUP if told.get(name) is not None}
        group = UserGroup(msp_id=assessment.msp_id, assessment=assessment, position=position, **known)
        try:
            group.full_clean()
        except ValidationError as error:
            words = "; ".join(error.messages)
            raise ValidationError(_("Group %(number)s: %(words)s") % {"number": position, "words": words})
        group.save()


def _told(assessment: Assessment | None) -> dict[str, Any] | None:
    if assessment is None:
        return None
    groups = list(assessment.groups.order_by("position").values_list(*GROUP))
    return {**(facts(assessment, ASSESSMENT) or {}), "groups": [", ".join(map(str, group)) for group in groups]}
