"""Every write to plans: the plan, its versions and what they are made of. Contracts are in `ordering`."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from voice.edits import facts, locked
from voice.plans.models import Component, ComponentTier, Plan, PlanVersion
from voice.plans.tiers import BadTiers, Tier, check
from voice.rating.models import DeckRate, RateDeck

PLAN_FACTS = ("name", "currency", "zone", "note")
VERSION_FACTS = ("number", "effective_from", "deck_id", "note")
COMPONENT_FACTS = (
    "kind", "name", "amount", "per", "minutes", "pool", "roll_over", "destinations", "per_million", "scope", "months",
    "optional", "tax_class",
)  # fmt: skip
State = PlanVersion.State
MOST_COMPONENTS = 60


@transaction.atomic
def save_plan(plan: Plan, *, by: Actor) -> Plan:
    """Store a new or changed plan; a new one has a draft. What amounts are counted in stays once a version is out.

    Raises ValidationError.
    """
    stored = locked(plan)
    is_out = stored is not None and plan.versions.filter(state=State.PUBLISHED).exists()
    if stored is not None and is_out and (stored.currency, stored.zone) != (plan.currency, plan.zone):
        raise ValidationError(_("A plan that was published keeps its currency and its zone. Make a new plan."))
    plan.full_clean()
    plan.row_version += 1
    plan.save()
    audit.record(by, "plan.saved", plan, before=facts(stored, PLAN_FACTS), after=facts(plan, PLAN_FACTS))
    if stored is None:
        PlanVersion.objects.create(
            msp_id=plan.msp_id, plan=plan, number=1, effective_from=timezone.localdate().replace(day=1)
        )
    return plan


@transaction.atomic
def close_plan(plan: Plan, *, by: Actor) -> None:
    """Take a plan out of sale; contracts that have it keep it."""
    stored = _sold(plan)
    stored.closed_at = timezone.now()
    stored.row_version += 1
    stored.save(update_fields=["closed_at", "row_version"])
    audit.record(by, "plan.closed", stored)


def _sold(plan: Plan) -> Plan:
    """Return the stored plan under lock; raises ValidationError once nobody can get it."""
    stored = locked(plan)
    if stored is None or stored.closed_at is not None:
        raise ValidationError(_("This plan is not sold any more."))
    return stored


@transaction.atomic
def new_version(plan: Plan, *, by: Actor) -> PlanVersion:
    """Return a draft that begins as a copy of the plan's newest version; the one that is open where there is one."""
    stored = _sold(plan)
    last = stored.versions.order_by("-number").first()
    if last is not None and last.is_draft:
        return last
    number = (stored.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version = PlanVersion(
        msp_id=stored.msp_id,
        plan=stored,
        number=number,
        effective_from=timezone.localdate(),
        deck=last.deck if last else None,
    )
    version.save()
    for row in Component.objects.filter(version=last).prefetch_related("tiers").order_by("position", "pk"):
        tiers = [Tier(tier.up_to, tier.per_minute) for tier in row.tiers.all()]
        row.pk, row.version, row.row_version, row._state.adding = None, version, 0, True
        row.save(force_insert=True)
        _write_tiers(row, tiers)
    audit.record(by, "plan.version_made", stored, version=number)
    return version


@transaction.atomic
def save_version(version: PlanVersion, *, by: Actor) -> PlanVersion:
    """Store the facts of a draft: from when it may be sold, and by which deck its calls are priced.

    Raises ValidationError.
    """
    stored = locked(version)
    _draft(version)
    _check_deck(version)
    version.full_clean()
    version.row_version += 1
    version.save()
    audit.record(
        by,
        "plan.version_saved",
        version.plan,
        before=facts(stored, VERSION_FACTS),
        after=facts(version, VERSION_FACTS),
    )
    return version


def _check_deck(version: PlanVersion) -> None:
    deck = version.deck
    if deck is None:
        return
    if deck.msp_id != version.msp_id or deck.kind != RateDeck.Kind.SELL or deck.closed_at is not None:
        raise ValidationError({"deck": _("Choose one of your selling decks.")})
    if deck.currency != version.plan.currency:
        words = _("This deck is in %(deck)s, the plan in %(plan)s.")
        raise ValidationError({"deck": words % {"deck": deck.currency, "plan": version.plan.currency}})


def _draft(version: PlanVersion) -> PlanVersion:
    """Return the stored version under lock; raises ValidationError once it is published."""
    stored = PlanVersion.objects.select_for_update(of=("self",)).select_related("plan").get(pk=version.pk)
    if not stored.is_draft:
        raise ValidationError(_("A published version never changes. Make a new one."))
    return stored


@transaction.atomic
def save_component(component: Component, *, by: Actor, tiers: Sequence[Tier] = ()) -> Component:
    """Store something that a draft asks for or gives, with the tiers of a price by volume; raises ValidationError."""
    version = _draft(component.version)
    before = locked(component)
    component.msp_id = version.msp_id
    if before is None:
        others = version.components.aggregate(last=Max("position"))
        component.position = (others["last"] or 0) + 1
        if version.components.count() >= MOST_COMPONENTS:
            raise ValidationError(_("A version has at most %(most)d components.") % {"most": MOST_COMPONENTS})
    component.full_clean()
    _check_component(component, version, tiers)
    component.row_version += 1
    component.save()
    _touch(component.version)
    if component.kind == Component.Kind.TIERS:
        component.tiers.all().delete()
        _write_tiers(component, tiers)
    audit.record(
        by,
        "plan.component_saved",
        version.plan,
        before=facts(before, COMPONENT_FACTS),
        after=facts(component, COMPONENT_FACTS),
        tiers=[[tier.up_to, tier.per_minute] for tier in tiers],
    )
    return component


def _check_component(component: Component, version: PlanVersion, tiers: Sequence[Tier]) -> None:
    kind = Component.Kind
    if component.kind == kind.TIERS:
        try:
            check(tiers)
        except BadTiers:
            raise ValidationError(
                {"tiers": _("Limits rise from tier to tier, and the last one, and no other, has none.")}
            )
    if component.kind == kind.ONCE and not component.optional and component.per not in ("contract", "number"):
        raise ValidationError({"per": _("A one-off fee is asked for the contract, or for each new phone number.")})
    if component.kind == kind.EMERGENCY and component.per == Component.Per.CONTRACT:
        raise ValidationError({"per": _("An emergency surcharge is asked for each user, number, trunk or channel.")})
    if component.destinations and version.deck_id:
        known = DeckRate.objects.filter(deck=version.deck_id, destination__in=component.destinations)
        strange = sorted(set(component.destinations) - set(known.values_list("destination", flat=True)))
        if strange:
            words = _("The deck %(deck)s has no destination %(names)s.")
            raise ValidationError(
                {"destinations": words % {"deck": version.deck, "names": ", ".join(f"“{name}”" for name in strange)}}
            )


def _write_tiers(component: Component, tiers: Sequence[Tier]) -> None:
    for tier in tiers:
        ComponentTier.objects.create(
            msp_id=component.msp_id, component=component, up_to=tier.up_to, per_minute=tier.per_minute
        )


@transaction.atomic
def remove_component(component: Component, *, by: Actor) -> None:
    """Take something out of a draft."""
    version = _draft(component.version)
    audit.record(by, "plan.component_removed", version.plan, before=facts(locked(component), COMPONENT_FACTS))
    component.delete()
    _touch(component.version)


def _touch(version: PlanVersion) -> None:
    """Let whoever publishes the draft or throws it away see first what it is made of now."""
    PlanVersion.objects.filter(pk=version.pk).update(row_version=F("row_version") + 1)
    version.refresh_from_db(fields=["row_version"])


@transaction.atomic
def publish(version: PlanVersion, *, by: Actor) -> PlanVersion:
    """Make a draft what it will be for good; contracts may have it from its day on. Raises ValidationError."""
    stored = _draft(version)
    locked(version)
    if not stored.components.exists() and stored.deck_id is None:
        raise ValidationError(_("There is nothing in this version yet."))
    _check_deck(stored)
    stored.state, stored.published_at = State.PUBLISHED, timezone.now()
    stored.row_version += 1
    stored.save(update_fields=["state", "published_at", "row_version"])
    audit.record(by, "plan.published", stored.plan, version=stored.number, effective_from=stored.effective_from)
    return stored


@transaction.atomic
def drop_version(version: PlanVersion, *, by: Actor) -> None:
    """Throw a draft away; the plan's first one stays."""
    stored = _draft(version)
    locked(version)
    if stored.number == 1:
        raise ValidationError(_("A plan needs a version. Change this one, or close the plan."))
    audit.record(by, "plan.version_dropped", stored.plan, version=stored.number)
    stored.delete()
