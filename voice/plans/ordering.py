"""Every write to contracts: start, change of plan, end, add-ons, credits, what a bill drew from allowances."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Max, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from tenants.models import Customer
from voice import days
from voice.edits import facts, locked
from voice.plans.models import AddOn, Contract, Credit, DrawnPeriod, Phase, PlanVersion
from voice.plans.models.plans import Component
from voice.rating import services as rating

CONTRACT_FACTS = ("starts", "ends", "term_months", "renewal_months", "notice_days", "trial_until", "reference")
Draws = Sequence[tuple[str, str, date, int]]


@transaction.atomic
def start_contract(contract: Contract, version: PlanVersion, *, by: Actor) -> Contract:
    """Let a customer's contract start with a version of a plan; its deck follows. Raises ValidationError."""
    customer = _customer(contract)
    days.demand(starts=contract.starts, trial_until=contract.trial_until)
    check_version(contract.msp_id, version, contract.starts)
    _refuse_billed(customer, contract.starts)
    contract.row_version += 1
    contract.full_clean()
    taken = Phase.objects.filter(tenant=customer).held()
    if taken.filter(Q(ends=None) | Q(ends__gt=contract.starts)).exists():
        raise ValidationError({"starts": _("The customer has a contract for these days. End it first.")})
    contract.save()
    _phase(contract, version, contract.starts)
    _follow(customer, version, contract.starts, by)
    audit.record(
        by,
        "contract.started",
        contract,
        tenant_id=customer.pk,
        plan=str(version),
        after=facts(contract, CONTRACT_FACTS),
    )
    return contract


@transaction.atomic
def save_contract(contract: Contract, *, by: Actor) -> Contract:
    """Store changed terms: term, renewal, notice, trial, reference. Raises ValidationError."""
    stored = _locked(contract)
    if stored.trial_until != contract.trial_until:
        for day in (stored.trial_until, contract.trial_until):
            if day is not None:
                _refuse_billed(contract.tenant, day)
    contract.starts, contract.ends, contract.noticed_on = stored.starts, stored.ends, stored.noticed_on
    contract.row_version += 1
    contract.full_clean()
    contract.save()
    audit.record(
        by,
        "contract.saved",
        contract,
        tenant_id=contract.tenant_id,
        before=facts(stored, CONTRACT_FACTS),
        after=facts(contract, CONTRACT_FACTS),
    )
    return contract


@transaction.atomic
def change_plan(contract: Contract, version: PlanVersion, *, on: date, by: Actor) -> Phase:
    """Let a contract go on with another version from a day on, which belongs to the new one; raises ValidationError.

    A change that was planned for later is replaced.
    """
    customer = _customer(contract)
    days.demand(on=on)
    stored = _running(contract, on)
    check_version(stored.msp_id, version, on)
    _refuse_billed(customer, on)
    if on <= stored.starts:
        raise ValidationError({"on": _("A change comes after the contract's first day.")})
    held = _held(stored, on)
    if held.version_id == version.pk and held.begins < on and held.ends is None:
        raise ValidationError({"version": _("The contract has this version already.")})
    if held.version.plan.currency != version.plan.currency:
        raise ValidationError({"version": _("A contract keeps its currency. End it and start another one.")})
    _cut(stored, on, customer, by)
    phase = _phase(stored, version, on)
    _follow(customer, version, on, by)
    _touch(contract)
    audit.record(by, "contract.plan_changed", stored, tenant_id=stored.tenant_id, plan=str(version), on=on.isoformat())
    return phase


@transaction.atomic
def end_contract(
    contract: Contract, *, noticed_on: date, ends: date | None = None, agreed: bool = False, by: Actor
) -> Contract:
    """End a contract with notice: on its earliest day, or on a later one; earlier only where both sides agreed.

    Raises ValidationError.
    """
    customer = _customer(contract)
    days.demand(noticed_on=noticed_on, ends=ends)
    stored = _locked(contract)
    earliest = stored.term.earliest_end(noticed_on)
    ends = ends or earliest
    if ends < earliest and not agreed:
        words = _("With notice of %(noticed)s the contract ends on %(earliest)s at the earliest.")
        raise ValidationError({"ends": words % {"noticed": _said(noticed_on), "earliest": _said(earliest)}})
    if ends < stored.starts:
        raise ValidationError({"ends": _("A contract ends after it starts.")})
    _refuse_billed(customer, ends)
    before = facts(stored, CONTRACT_FACTS)
    last = stored.phases.held().order_by("begins").last()
    if stored.ends is not None and ends > stored.ends and last is not None:
        # Notice was taken back in part: the last plan goes on.
        last.ends = ends
        last.save(update_fields=["ends"])
    _cut(stored, ends, customer, by)
    stored.ends, stored.noticed_on = ends, noticed_on
    stored.row_version += 1
    stored.save(update_fields=["ends", "noticed_on", "row_version"])
    contract.row_version = stored.row_version
    audit.record(
        by,
        "contract.ended",
        stored,
        tenant_id=stored.tenant_id,
        before=before,
        after=facts(stored, CONTRACT_FACTS),
    )
    return stored


@transaction.atomic
def order_add_on(order: AddOn, *, by: Actor) -> AddOn:
    """Let a contract have an add-on that its plan offers; raises ValidationError."""
    customer = _customer(order.contract)
    order.msp_id, order.tenant_id = order.contract.msp_id, order.contract.tenant_id
    order.full_clean()
    stored = _running(order.contract, order.begins)
    _refuse_billed(customer, order.begins)
    held = _held(stored, order.begins)
    offered = Component.objects.filter(version=held.version_id, optional=True, name__iexact=order.name)
    if not offered.exists():
        raise ValidationError({"name": _("The plan of that day has no such add-on.")})
    order.save()
    _touch(order.contract)
    audit.record(
        by,
        "contract.add_on_ordered",
        stored,
        tenant_id=stored.tenant_id,
        name=order.name,
        quantity=order.quantity,
        begins=order.begins.isoformat(),
    )
    return order


@transaction.atomic
def end_add_on(order: AddOn, *, on: date, by: Actor) -> AddOn:
    """End an add-on: `on` is the first day without it. Raises ValidationError."""
    customer = _customer(order.contract)
    _locked(order.contract)
    stored = AddOn.objects.select_for_update(of=("self",)).get(pk=order.pk)
    _refuse_billed(customer, on)
    stored.ends = on
    stored.full_clean()
    stored.save(update_fields=["ends"])
    _touch(order.contract)
    audit.record(
        by,
        "contract.add_on_ended",
        order.contract,
        tenant_id=stored.tenant_id,
        name=stored.name,
        on=on.isoformat(),
    )
    return stored


@transaction.atomic
def give_credit(credit: Credit, *, by: Actor) -> Credit:
    """Enter a credit for the bill of a month, with its reason; raises ValidationError."""
    customer = _customer(credit.contract)
    _locked(credit.contract)
    credit.msp_id, credit.tenant_id = credit.contract.msp_id, credit.contract.tenant_id
    credit.month = credit.month.replace(day=1)
    credit.full_clean()
    _refuse_billed(customer, credit.month, field="month")
    credit.save()
    _touch(credit.contract)
    audit.record(
        by,
        "contract.credit_given",
        credit.contract,
        tenant_id=credit.tenant_id,
        month=credit.month.isoformat(),
        amount=credit.amount,
        reason=credit.reason,
    )
    return credit


@transaction.atomic
def take_credit_back(credit: Credit, *, by: Actor) -> None:
    """Take a credit back that is on no bill yet; raises ValidationError."""
    customer = _customer(credit.contract)
    _locked(credit.contract)
    _refuse_billed(customer, credit.month, field="month")
    audit.record(
        by,
        "contract.credit_taken_back",
        credit.contract,
        tenant_id=credit.tenant_id,
        month=credit.month.isoformat(),
        amount=credit.amount,
        reason=credit.reason,
    )
    credit.delete()
    _touch(credit.contract)


def keep_draws(customer: Customer, begins: date, ends: date, draws: Draws, reference: str) -> DrawnPeriod:
    """Note what a bill drew from allowances, in the transaction that writes it; the same reference counts once.

    What was billed up to `ends` is closed with it: no plan changes before that day.
    """
    made, _new = DrawnPeriod.objects.get_or_create(
        tenant=customer,
        reference=reference,
        defaults={
            "msp_id": customer.msp_id,
            "begins": begins,
            "ends": ends,
            "drawn": [[name, caller, given.isoformat(), seconds] for name, caller, given, seconds in draws],
        },
    )
    return made


def forget_draws(customer: Customer, reference: str) -> None:
    """Let go of what a bill drew that is thrown away, in the transaction that does so: its days are open again."""
    DrawnPeriod.objects.filter(tenant=customer, reference=reference).delete()


def closes_days(customer: Customer, reference: str) -> bool:
    """Tell whether days of the customer are closed under this reference."""
    return DrawnPeriod.objects.filter(tenant=customer, reference=reference).exists()


def later_draws(customer: Customer, begins: date, ends: date) -> set[str]:
    """Return the references of later bills that reckon with what some days left of included minutes.

    These are all that drew anything, where minutes of these days roll over; else those with late calls of these days.
    """
    later = DrawnPeriod.objects.filter(tenant=customer, begins__gte=ends).exclude(drawn=[])
    found = {each.reference: [date.fromisoformat(given) for _name, _caller, given, _seconds in each.drawn]
             for each in later}  # fmt: skip
    phases = Phase.objects.held().filter(tenant=customer, begins__lt=ends).filter(Q(ends=None) | Q(ends__gt=begins))
    rolling = Component.objects.filter(version__phases__in=phases, kind=Component.Kind.MINUTES, roll_over__gt=0)
    if found and rolling.exists():
        return set(found)
    return {reference for reference, days in found.items() if any(day < ends for day in days)}


def billed_until(customer: Customer) -> date | None:
    """Return the first day that no bill has closed."""
    found: date | None = DrawnPeriod.objects.filter(tenant=customer).aggregate(last=Max("ends"))["last"]
    return found


def _refuse_billed(customer: Customer, day: date, field: str | None = None) -> None:
    until = billed_until(customer)
    if until is not None and day < until:
        words = _(
            "The days before %(until)s are billed or closed: choose a later one, or throw their draft away first."
        )
        words = words % {"until": _said(until)}
        raise ValidationError({field: words} if field else words)


def _customer(contract: Contract) -> Customer:
    # Whoever changes a customer's contracts waits for whoever does so just now.
    open_ = Customer.objects.select_for_update(no_key=True, of=("self",)).select_related("msp")
    customer = open_.filter(pk=contract.tenant_id, msp=contract.msp_id).first()
    if customer is None:
        raise ValidationError(_("There is no such customer."))
    return customer


def check_version(msp: int, version: PlanVersion, day: date, field: str = "version") -> None:
    """Raise ValidationError where a contract of this MSP cannot have a version on a day."""
    if version.msp_id != msp or version.is_draft or version.plan.closed_at is not None:
        raise ValidationError({"version": _("Choose a published version of one of your plans.")})
    if version.effective_from > day:
        words = _("This version may be sold from %(day)s on.") % {"day": _said(version.effective_from)}
        raise ValidationError({field: words})


def _locked(contract: Contract) -> Contract:
    stored = locked(contract)
    if stored is None:
        raise ValidationError(_("A contract starts with a plan."))
    return stored


def _running(contract: Contract, day: date) -> Contract:
    stored = _locked(contract)
    if day < stored.starts or (stored.ends is not None and day >= stored.ends):
        raise ValidationError(_("The contract does not run on %(day)s.") % {"day": _said(day)})
    return stored


def _held(contract: Contract, day: date) -> Phase:
    phases = contract.phases.select_related("version__plan").held()
    found = phases.filter(Q(ends=None) | Q(ends__gt=day), begins__lte=day).first()
    if found is None:
        raise ValidationError(_("The contract does not run on %(day)s.") % {"day": _said(day)})
    return found


def _cut(contract: Contract, day: date, customer: Customer, by: Actor) -> None:
    """End what holds on a day, and empty what was to follow: the decks of such plans do not come into force either."""
    given_up = contract.phases.filter(begins__gte=day).held()
    for phase in given_up.select_related("version__deck", "version__plan").order_by("-begins"):
        if phase.version.deck is not None:
            begins = _midnight(phase.version, phase.begins)
            rating.withdraw_customer(customer, phase.version.deck, begins=begins, by=by)
    given_up.update(ends=F("begins"))
    contract.phases.filter(Q(ends=None) | Q(ends__gt=day), begins__lt=day).update(ends=day)


def _phase(contract: Contract, version: PlanVersion, begins: date) -> Phase:
    phase = Phase(
        msp_id=contract.msp_id,
        tenant_id=contract.tenant_id,
        contract=contract,
        version=version,
        begins=begins,
        ends=contract.ends,
    )
    phase.save()
    return phase


def _follow(customer: Customer, version: PlanVersion, day: date, by: Actor) -> None:
    """Let the customer's calls be priced by the version's deck from midnight of the day on."""
    if version.deck is not None:
        rating.assign_customer(customer, version.deck, begins=_midnight(version, day), by=by)


def _midnight(version: PlanVersion, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(version.plan.zone))


def _touch(contract: Contract) -> None:
    contract.row_version += 1
    contract.save(update_fields=["row_version"])


def _said(day: date) -> Any:
    return date_format(day, "j M Y")
