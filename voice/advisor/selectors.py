"""Reads of the advisor."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from django.db.models import Count, QuerySet, Sum

from tenants.models import Msp
from voice.advisor import advice
from voice.advisor.assumptions import BY_KEY, complete
from voice.advisor.models import Assessment, FirstValues
from voice.advisor.ways import Need, Profile
from voice.receivables.selectors import usual_currency


def assessments(msp: Msp) -> QuerySet[Assessment]:
    """Return an MSP's assessments with how many people they are about, and all that their advice is made of."""
    found = Assessment.objects.filter(msp=msp).select_related("tenant", "msp__first_values").prefetch_related("groups")
    return found.annotate(people=Sum("groups__people", default=0), parts=Count("groups"))


def new_assessment(msp: Msp) -> Assessment:
    """Return an assessment that is not stored yet, in the currency in which the MSP bills most of its customers."""
    return Assessment(msp=msp, currency=usual_currency(msp))


def first_values(msp: Msp) -> FirstValues:
    """Return the MSP's own first values; an unsaved row where it has none yet."""
    return FirstValues.objects.filter(msp=msp).first() or FirstValues(msp=msp)


def values_of(assessment: Assessment) -> dict[str, Any]:
    """Return every assumption of an assessment: its own, then the MSP's first values, then ours."""
    own = getattr(assessment.msp, "first_values", None)
    return known({**(own.assumptions if own else {}), **assessment.assumptions})


def known(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return every assumption by what is stored; a key that an older version had is passed over."""
    return complete({key: value for key, value in stored.items() if key in BY_KEY})


def case_of(assessment: Assessment) -> advice.Case:
    """Return what an assessment asks, as the pure part takes it."""
    groups = [
        advice.Group(each.country, Profile(each.profile), each.people, each.domestic, each.international)
        for each in sorted(assessment.groups.all(), key=attrgetter("position"))
    ]
    needs = frozenset(Need(need) for need in assessment.needs)
    return advice.Case(groups, needs, assessment.weeks, advice.Goal(assessment.goal))


def advice_for(assessment: Assessment) -> advice.Advice:
    """Return the advice as of now."""
    return advice.advise(case_of(assessment), values_of(assessment))
